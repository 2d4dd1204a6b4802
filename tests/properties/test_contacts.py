"""A sync of contacts against a model: arbitrary contacts, rows and lost responses."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

import pytest
import tasks
from contact_runs import Run
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators import SyncContactsOperator

NUMBERS = [f"+1415555010{n}" for n in range(6)]
WRITES = ("create-contact", "update-contact")
FALSE = (False, 0, "f", "no")
TRUE = (True, 1, "TRUE", "y")
UNREADABLE = ("maybe", 2)

contacts = st.dictionaries(
    st.sampled_from(NUMBERS[:5]),
    st.fixed_dictionaries(
        {
            "do_not_call": st.booleans(),
            "contact_tag_ids": st.sampled_from([[], ["vip"], ["old"], ["old", "vip"]]),
        },
        optional={"custom_fields": st.sampled_from([{}, {"plan": "x"}, {"plan": 1, "other": True}])},
    ),
)
rows = st.lists(
    st.fixed_dictionaries(
        {"phone_number": st.sampled_from([*NUMBERS, "4155550100", None, 14155550100])},
        optional={
            "out": st.sampled_from([*FALSE, *TRUE, *UNREADABLE, None, "", math.nan]),
            "plan": st.sampled_from(["x", "y", 1, True, None]),
            "vip": st.sampled_from([True, False, None]),
        },
    ),
    min_size=1,
    max_size=8,
)
faults = st.lists(
    st.tuples(
        st.sampled_from([Fault.drop_after(), Fault.status(500), Fault.status(400)]), st.sampled_from(WRITES)
    ),
    max_size=2,
)


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator without quotas."""
    with Emulator(quotas=None) as emulator:
        tasks.connect(monkeypatch, emulator)
        yield emulator


def sync(given_rows: list[dict[str, Any]], allow: bool) -> tuple[dict[str, Any], BaseException | None]:
    """Return the manifest and the error."""
    run = Run(
        SyncContactsOperator,
        None,
        rows=[{"out": None, "plan": None, "vip": None}, *given_rows],
        columns=["plan"],
        do_not_call_column="out",
        tag_columns=["vip"],
        allow_clearing_do_not_call=allow,
        max_changed_ratio=1,
    )
    return run.manifest, run.error


def expected(
    before: dict[str, dict[str, Any]], given_rows: list[dict[str, Any]]
) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """Return the contacts after a sync with permission, and the numbers whose mark it clears."""
    after, seen, cleared = copy.deepcopy(before), set(), set()
    for row in given_rows:
        number, out = row["phone_number"], row.get("out")
        if number not in NUMBERS or number in seen:
            continue
        seen.add(number)
        if out in UNREADABLE:
            continue
        contact = after.setdefault(number, {"do_not_call": False, "plan": None, "other": None, "tags": set()})
        if out in FALSE and out is not None:
            cleared |= {number} if contact["do_not_call"] else set()
            contact["do_not_call"] = False
        elif out in TRUE:
            contact["do_not_call"] = True
        if row.get("plan") is not None:
            contact["plan"] = row["plan"]
        if row.get("vip") is not None:
            contact["tags"] = contact["tags"] - {"vip"} | ({"vip"} if row["vip"] else set())
    return after, cleared


def state(emulator: Emulator) -> dict[str, dict[str, Any]]:
    """Return the contacts by number, in the form of the model."""
    return {
        contact["phone_number"]: {
            "do_not_call": contact["do_not_call"],
            "plan": contact["custom_fields"].get("plan"),
            "other": contact["custom_fields"].get("other"),
            "tags": set(contact["contact_tag_ids"]),
        }
        for contact in emulator.contacts.values()
    }


@given(contacts, rows, st.booleans(), faults, st.sampled_from(["merge", "replace"]))
def test_a_sync_does_what_the_model_does_and_clears_no_mark_without_permission(
    emulator: Emulator,
    known: dict[str, Any],
    given_rows: list[dict[str, Any]],
    allow: bool,
    broken: Any,
    semantics: Any,
) -> None:
    emulator.reset()
    emulator.options.contacts.custom_fields_semantics = semantics
    emulator.options.contacts.tags = {"vip": "VIP", "old": "Old"}
    for number, fields in known.items():
        emulator.add_contact(number, **copy.deepcopy(fields))
    before = state(emulator)
    after, cleared = expected(before, given_rows)
    opted_out = {row["phone_number"] for row in given_rows if row.get("out") in (*TRUE, *UNREADABLE)}
    for fault, route in broken:
        emulator.faults.add(fault, route=route, times=1)
    with no_waiting():
        manifest, error = sync(given_rows, allow)
        if cleared and (not allow or cleared & opted_out):
            assert "would clear do_not_call" in str(error)
            assert (state(emulator), sum(map(emulator.count, WRITES))) == (before, 0)
            return
        marked = {number for number, contact in before.items() if contact["do_not_call"]}
        assert all(
            state(emulator)[number]["do_not_call"] for number in marked if after[number]["do_not_call"]
        )
        if broken:
            emulator.faults.clear()
            manifest, _ = sync(given_rows, allow)
        assert state(emulator) == after
        writes = sum(map(emulator.count, WRITES))
        again, _ = sync(given_rows, allow)
        assert sum(map(emulator.count, WRITES)) == writes
        assert again["unchanged"] == manifest["unchanged"] + manifest["created"] + manifest["updated"]
