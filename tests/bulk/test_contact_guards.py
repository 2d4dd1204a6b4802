"""The guards of SyncContactsOperator and DeleteContactsOperator while other clients change contacts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tasks
from contact_runs import Run, listing, no_private_log, phone, row, writes

from airflow_provider_retell._compat import AirflowFailException, AirflowSkipException
from airflow_provider_retell.bulk.errors import BulkStoppedError, RowsFailedError
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators import DeleteContactsOperator, SyncContactsOperator

__all__ = ["no_private_log"]


def sync(path: Path | None = None, **arguments: Any) -> Run:
    return Run(SyncContactsOperator, path, **{"max_changed_ratio": 1, **arguments})


def delete(path: Path | None = None, **arguments: Any) -> Run:
    return Run(DeleteContactsOperator, path, **arguments)


def rows_and_then(given: list[dict[str, Any]], change: Callable[[], Any]) -> Callable[[], Iterator[Any]]:
    """Return a source that calls *change* after its last row, when the run has read all contacts."""

    def rows() -> Iterator[Any]:
        yield from given
        change()

    return rows


def listed(*contacts: Any, **fields: Any) -> Fault:
    """Return a response that lists *contacts* and no others."""
    return Fault.status(200, body=listing(*contacts, **fields))


# -- opt-outs of other rows

OPT_OUTS = [
    pytest.param({"first_name": 5, "out": True}, id="another value is invalid"),
    pytest.param({"out": "opted out"}, id="unreadable"),
    pytest.param({"first_name": "Ann", "out": "yes"}, id="valid"),
]


@pytest.mark.parametrize("opt_out", OPT_OUTS)
def test_an_opt_out_in_an_invalid_row_keeps_the_mark(emulator: Emulator, opt_out: dict[str, Any]) -> None:
    contact = emulator.add_contact(phone(1), do_not_call=True)
    run = sync(
        rows=[
            row(1, first_name=None, out=False),
            row(1, **opt_out),
        ],
        columns=["first_name"],
        do_not_call_column="out",
        allow_clearing_do_not_call=True,
        max_failed_rows=1,
    )
    assert isinstance(run.error, AirflowFailException)
    assert "row 1 would clear do_not_call of a contact, and another row with the same" in str(run.error)
    assert (contact["do_not_call"], writes(emulator)) == (True, 0)


@pytest.mark.parametrize("opt_out", OPT_OUTS)
def test_an_opt_out_keeps_the_mark_of_a_contact_that_is_created_during_the_run(
    emulator: Emulator, opt_out: dict[str, Any]
) -> None:
    given = [
        row(1, first_name=None, out=False),
        row(1, **opt_out),
    ]
    run = sync(
        rows=rows_and_then(given, lambda: emulator.add_contact(phone(1), do_not_call=True)),
        columns=["first_name"],
        do_not_call_column="out",
        allow_clearing_do_not_call=True,
    )
    assert (run.counts, emulator.count("update-contact")) == ({"invalid": 1, "failed": 1}, 0)
    assert "but another row with the same phone number sets it" in run.first_reason
    assert [contact["do_not_call"] for contact in emulator.contacts.values()] == [True]


# -- deletions


def test_a_contact_that_is_marked_after_the_search_is_not_deleted(emulator: Emulator, tmp_path: Path) -> None:
    def rows(contact: Any) -> Any:
        # The contacts of a chunk of 1,000 rows are found before the rest is read.
        given = [{"phone_number": contact["phone_number"]}, *[{"phone_number": "1"}] * 999]
        return rows_and_then(given, lambda: emulator.edit_contact(contact["contact_id"], do_not_call=True))

    contact = emulator.add_contact(phone(1))
    run = delete(tmp_path / "report.jsonl", rows=rows(contact), max_failed_rows=1000)
    assert (run.counts, emulator.count("delete-contact")) == ({"conflict": 1, "invalid": 999}, 0)
    assert "the mark would be deleted with it" in run.reason(1)
    emulator.edit_contact(contact["contact_id"], do_not_call=False)
    run = delete(rows=rows(contact), allow_deleting_do_not_call=True, max_failed_rows=1000)
    assert (run.counts, emulator.contacts) == ({"deleted": 1, "invalid": 999}, {})
    assert emulator.count("get-contact") == 1


def test_a_contact_that_is_deleted_after_the_search_is_not_found(emulator: Emulator, tmp_path: Path) -> None:
    contact = emulator.add_contact(phone(1))
    given = [row(1), *[{"phone_number": "1"}] * 999]
    rows = rows_and_then(given, lambda: emulator.contacts.pop(contact["contact_id"]))
    run = delete(tmp_path / "report.jsonl", rows=rows, max_failed_rows=1000)
    assert (run.counts, emulator.count("delete-contact")) == ({"not_found": 1, "invalid": 999}, 0)
    assert run.reason(1) == "no contact has the phone number"


def test_a_page_of_another_server_is_not_taken_for_a_missing_contact(emulator: Emulator) -> None:
    emulator.add_contact(phone(1))
    emulator.faults.add(Fault.status(404, body="<html>"), route="get-contact", times=0)
    run = delete(rows=[row(1)])
    assert (run.counts, len(emulator.contacts)) == ({"failed": 1}, 1)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"contact_id": "contact_b"},
            "Retell has several contacts with the phone number. Delete all but one",
        ),
        ({"do_not_call": ""}, "is malformed"),
    ],
)
def test_an_ambiguous_or_malformed_contact_is_not_deleted(
    emulator: Emulator, fields: dict[str, Any], reason: str
) -> None:
    contact = emulator.add_contact(phone(1))
    page = [contact, {**contact, **fields}] if "contact_id" in fields else [{**contact, **fields}]
    emulator.faults.add(listed(*page), route="list-contacts")
    run = delete(rows=[row(1)])
    assert (run.counts, len(emulator.contacts)) == ({"failed": 1}, 1)
    assert reason in run.first_reason


# -- tags


def test_tags_that_others_add_during_the_run_are_kept(emulator: Emulator) -> None:
    emulator.options.contacts.tags = {"a": "A", "b": "B", "c": "C"}
    contact = emulator.add_contact(phone(1), contact_tag_ids=["a"])
    change = {"contact_tag_ids": ["a", "b"]}
    rows = rows_and_then(
        [row(1, c=True)],
        lambda: emulator.edit_contact(contact["contact_id"], **change),
    )
    run = sync(rows=rows, tag_columns=["c"])
    assert (run.counts, contact["contact_tag_ids"]) == ({"updated": 1}, ["a", "b", "c"])


@pytest.mark.parametrize("wanted", [True, False])
def test_tags_that_a_listing_lacks_are_read_and_kept(emulator: Emulator, wanted: bool) -> None:
    emulator.options.contacts.tags = {"a": "A", "b": "B"}
    contact = emulator.add_contact(phone(1), contact_tag_ids=["a", "b"])
    emulator.faults.add(listed(contact, total=1), route="list-contacts")
    run = sync(rows=[row(1, b=wanted)], tag_columns=["b"])
    assert run.counts == {"updated": 1}
    assert contact["contact_tag_ids"] == (["a", "b"] if wanted else ["a"])


def test_unknown_tags_are_not_replaced(emulator: Emulator) -> None:
    emulator.options.contacts.tags = {"a": "A", "b": "B"}
    contact = emulator.add_contact(phone(1), contact_tag_ids=["a"])
    emulator.faults.add(listed(contact, total=1), route="list-contacts")
    emulator.faults.add(Fault.status(200, body=contact), route="get-contact")
    run = sync(rows=[row(1, b=True)], tag_columns=["b"])
    assert (run.counts, contact["contact_tag_ids"], writes(emulator)) == ({"failed": 1}, ["a"], 0)
    assert "Retell's response has no contact_tags" in run.first_reason


# -- incomplete listings


def test_an_incomplete_listing_changes_nothing(emulator: Emulator) -> None:
    emulator.add_contacts(map(phone, range(20)), first_name="old")
    first = next(iter(emulator.contacts.values()))
    # The same contact twice does not make up for a missing one.
    emulator.faults.add(listed(first, first, total=2), route="list-contacts")
    run = sync(rows=[row(n, first_name="new") for n in range(20)], columns=["first_name"])
    assert "list-contacts has 1 of 2 contacts" in str(run.error)
    assert (run.manifest["rows"], writes(emulator)) == (0, 0)


def test_updates_of_contacts_that_the_listing_lacked_count_for_the_ratio(emulator: Emulator) -> None:
    emulator.add_contacts(map(phone, range(20)), first_name="old")
    known = [dict(contact) for contact in list(emulator.contacts.values())[:10]]
    emulator.faults.add(listed(*known), route="list-contacts", times=1)
    run = sync(
        rows=[row(n, first_name="new") for n in range(8, 20)],
        columns=["first_name"],
        max_changed_ratio=0.3,
        concurrency=1,
    )
    assert isinstance(run.error, BulkStoppedError)
    # 4 of 12 contacts are no more than 30 %, and 5 of 13 are.
    assert run.counts == {"updated": 3, "failed": 1}
    assert "did not list 2 contacts of the rows" in run.first_reason
    assert sum(contact["first_name"] == "new" for contact in emulator.contacts.values()) == 3


def test_a_share_of_updates_that_equals_its_limit_is_accepted(emulator: Emulator) -> None:
    emulator.add_contacts(map(phone, range(100)), first_name="old")
    rows = [row(n, first_name="new") for n in range(30)]
    run = sync(rows=rows, columns=["first_name"], max_changed_ratio=0.29)
    assert "30 of 100 contacts would be updated, and max_changed_ratio is 0.29" in str(run.error)
    run = sync(rows=rows[:29], columns=["first_name"], max_changed_ratio=0.29)
    assert (run.counts, run.error) == ({"updated": 29}, None)


def test_a_contact_that_is_listed_twice_is_one_contact(emulator: Emulator) -> None:
    contact = emulator.add_contact(phone(1), first_name="old")
    emulator.faults.add(listed(contact, contact, total=1), route="list-contacts", times=1)
    run = sync(rows=[row(1, first_name="new")], columns=["first_name"])
    assert (run.counts, run.error, contact["first_name"]) == ({"updated": 1}, None, "new")


# -- rows


@pytest.mark.parametrize("dry_run", [False, True])
def test_too_few_rows_change_nothing(emulator: Emulator, dry_run: bool) -> None:
    run = sync(rows=[row(1), {"phone_number": "1"}], min_rows=3, dry_run=dry_run)
    assert isinstance(run.error, RowsFailedError)
    assert str(run.error) == "The source has 2 rows, and min_rows is 3. Nothing was sent. Check the source"
    assert (emulator.count("list-contacts"), writes(emulator)) == (1, 0)
    assert sync(rows=[row(1)], min_rows=1, dry_run=dry_run).error is None
    empty = sync(rows=[], min_rows=3, on_empty="skip", dry_run=dry_run)
    assert isinstance(empty.error, AirflowSkipException)


def test_contacts_that_exist_keep_their_counts_if_the_rows_change_their_order(
    emulator: Emulator, tmp_path: Path
) -> None:
    emulator.add_contact(phone(2))
    emulator.faults.add(Fault.status(400), route="update-contact", times=1)
    rows = [row(n, plan="gold") for n in (1, 2)]
    arguments: dict[str, Any] = {"columns": ["plan"], "path": tmp_path / "report.jsonl"}
    ti = tasks.Ti()
    assert sync(rows=rows, ti=ti, **arguments).counts == {"created": 1, "failed": 1}
    ti.try_number += 1
    run = sync(rows=rows[::-1], ti=ti, **arguments)
    assert run.counts == {"updated": 1, "unchanged": 1}
    counts = {name: number for name, number in run.manifest["task_run"].items() if number}
    assert counts == {"tries": 2, "rows": 2, "created": 1, "updated": 1}


def test_a_deletion_whose_response_was_lost_is_counted_once(emulator: Emulator, tmp_path: Path) -> None:
    contact = emulator.add_contact(phone(1))
    emulator.faults.add(Fault.status(400), route="delete-contact", times=1)
    arguments: dict[str, Any] = {
        "rows": [row(1)],
        "path": tmp_path / "report.jsonl",
    }
    ti = tasks.Ti()
    assert delete(ti=ti, **arguments).counts == {"failed": 1}
    emulator.contacts.pop(contact["contact_id"])
    ti.try_number += 1
    run = delete(ti=ti, **arguments)
    counts = {name: number for name, number in run.manifest["task_run"].items() if number}
    assert counts == {"tries": 2, "rows": 1, "not_found": 1}
