"""The comparison of rows with calls: metadata modes, storage settings, custom attributes, dry runs."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.emulator import Emulator, Fault

PRIVATE = "Ada's private note"


def routes(emulator: Emulator) -> dict[str, int]:
    names = ("list-calls", "get-call", "update-call")
    return {name: emulator.count(name) for name in names if emulator.count(name)}


def test_every_outcome_in_one_run(emulator: Emulator, run: Any) -> None:
    emulator.add_call(call_id="changes", metadata={"kept": 1, "tier": "old"})
    emulator.add_call(call_id="same", metadata={"tier": "gold", "kept": 1})
    emulator.add_call(call_id="ongoing", call_status="ongoing")
    emulator.add_call(call_id="strict", data_storage_setting="basic_attributes_only")
    emulator.add_call(call_id="broken")
    emulator.faults.add(Fault.status(400), route="update-call", call_id="broken", times=0)
    rows = [
        {"call_id": "changes", "tier": "gold"},
        {"call_id": "same", "tier": "gold"},
        {"call_id": "missing", "tier": "gold"},
        {"call_id": "ongoing", "tier": "gold"},
        {"call_id": "no/id", "tier": "gold"},
        {"call_id": "strict", "keeps": "everything"},
        {"call_id": "broken", "tier": "gold"},
    ]
    task = run(rows=rows, data_storage_setting_column="keeps", fails=True)
    task.check(rows=7)
    assert [line["outcome"] for line in task.report] == [
        *("updated", "unchanged", "not_found", "not_ended", "invalid", "conflict", "failed")
    ]
    assert [line["call_id"] for line in task.report] == [
        *("changes", "same", "missing", "ongoing", None, "strict", "broken")
    ]
    assert task.report[0]["changed"] == ["metadata.tier"]
    assert task.report[2]["reason"] == "the API key's organization has no such call"
    assert task.report[3]["reason"] == "the call is ongoing"
    assert task.report[5]["reason"].startswith("call strict: data_storage_setting is basic_attributes_only")
    assert emulator.calls["changes"]["metadata"] == {"kept": 1, "tier": "gold"}
    assert str(task.error).splitlines() == [
        "5 of 7 rows failed: 1 failed, 1 invalid, 1 conflict, 1 not_found, 1 not_ended",
        f"Row 3: {task.outcome(3)[1]}",
        f"Report: {task.path}",
    ]
    assert task.manifest["requests"] == len(emulator.requests)


def test_a_call_that_matches_its_row_costs_no_update(emulator: Emulator, run: Any) -> None:
    emulator.add_calls([f"call_{n}" for n in range(1500)], metadata={"tier": "gold"})
    rows = [{"call_id": f"call_{n}", "tier": "gold" if n % 500 else "silver"} for n in range(1500)]
    task = run(rows=rows)
    task.check(rows=1500)
    assert task.counts == {"updated": 3, "unchanged": 1497}
    assert routes(emulator) == {"list-calls": 2, "update-call": 3}
    assert run(rows=rows).counts == {"unchanged": 1500}
    assert routes(emulator) == {"list-calls": 4, "update-call": 3}


@pytest.mark.parametrize(
    ("mode", "metadata", "changed"),
    [
        ("merge", {"kept": 1, "tier": "gold", "new": 2}, ["metadata.new", "metadata.tier"]),
        ("fill", {"kept": 1, "tier": "old", "new": 2}, ["metadata.new"]),
        ("replace", {"tier": "gold", "new": 2}, ["metadata.kept", "metadata.new", "metadata.tier"]),
    ],
)
def test_the_metadata_mode_combines_the_row_with_the_call(
    emulator: Emulator, run: Any, mode: str, metadata: Any, changed: list[str]
) -> None:
    emulator.add_call(call_id="a", metadata={"kept": 1, "tier": "old"})
    rows = [{"call_id": "a", "tier": "gold", "new": 2}]
    task = run(rows=rows, metadata_mode=mode)
    assert emulator.calls["a"]["metadata"] == metadata
    assert task.report[0]["changed"] == changed
    assert run(rows=rows, metadata_mode=mode).counts == {"unchanged": 1}


@pytest.mark.parametrize("mode", ["merge", "fill", "replace"])
@pytest.mark.parametrize("columns", [None, [], ["tier"]])
def test_a_row_without_metadata_changes_nothing(
    emulator: Emulator, run: Any, mode: str, columns: Any
) -> None:
    emulator.add_call(call_id="a", metadata={"kept": 1})
    emulator.add_call(call_id="b", metadata={"tier": "gold"})
    rows = [{"call_id": "a"}, {"call_id": "b", "tier": "gold"}]
    assert run(rows=rows, metadata_mode=mode, metadata_columns=columns).counts == {"unchanged": 2}
    assert emulator.calls["a"]["metadata"] == {"kept": 1}


def test_keys_are_removed_from_calls_that_have_them(emulator: Emulator, run: Any) -> None:
    emulator.add_call(call_id="a", metadata={"kept": 1, "old_key": 2})
    emulator.add_call(call_id="b", metadata={"kept": 1})
    task = run(rows=[{"call_id": "a"}, {"call_id": "b"}], remove_metadata_keys=["old_key"])
    assert task.counts == {"updated": 1, "unchanged": 1}
    assert task.report[0]["changed"] == ["metadata.old_key"]
    assert emulator.calls["a"]["metadata"] == {"kept": 1}


# -- dry runs


@pytest.mark.parametrize("show", [False, True])
def test_a_dry_run_sends_nothing_and_logs_the_names_of_keys(
    emulator: Emulator, run: Any, caplog: pytest.LogCaptureFixture, show: bool
) -> None:
    caplog.set_level(logging.INFO)
    emulator.add_call(call_id="a", metadata={"note": "before"})
    emulator.add_call(call_id="b", metadata={"note": PRIVATE})
    rows = [
        {"call_id": "a", "note": PRIVATE},
        {"call_id": "b", "note": PRIVATE},
        {"call_id": "c", "note": "x" * 60_000},
    ]
    emulator.add_call(call_id="c")
    task = run(rows=rows, dry_run=True, show_values=show, fails=True)
    task.check(rows=3)
    assert task.counts == {"would_update": 1, "unchanged": 1, "invalid": 1}
    assert routes(emulator) == {"list-calls": 1}
    assert "Would update call a: metadata.note" in caplog.text
    assert (PRIVATE in caplog.text) == show
    assert ("'before'" in caplog.text) == show


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("given", [True, False, "True", "false", 1, 0])
def test_dry_run_can_be_a_template(emulator: Emulator, run: Any, native: bool, given: Any) -> None:
    emulator.add_calls(["a"])
    task = run(
        rows=[{"call_id": "a", "x": 1}],
        dry_run="{{ params.dry_run }}",
        native=native,
        context={"params": {"dry_run": given}},
    )
    dry = given in (True, "True")
    assert task.counts == ({"would_update": 1} if dry else {"updated": 1})
    assert emulator.calls["a"]["metadata"] == ({} if dry else {"x": 1})


@pytest.mark.parametrize("given", [None, "", "no idea", 2, 0.5, []])
def test_dry_run_that_is_neither_true_nor_false_fails(emulator: Emulator, run: Any, given: Any) -> None:
    for dry_run in ("{{ params.dry_run }}", given):
        task = run(
            rows=[{"call_id": "a"}],
            dry_run=dry_run,
            context={"params": {"dry_run": given}},
            fails=True,
            report_path=None,
        )
        assert isinstance(task.error, AirflowFailException)
        assert str(task.error).startswith(("dry_run must be True or False", "dry_run rendered to an empty"))
    assert not emulator.requests


# -- custom attributes, and the response


def test_custom_attributes_are_always_sent_because_calls_do_not_show_them(
    emulator: Emulator, run: Any
) -> None:
    emulator.add_call(call_id="a", metadata={"kept": 1})
    for _ in range(2):
        task = run(rows=[{"call_id": "a", "t": "gold"}], custom_attribute_columns={"t": "attr_tier"})
        assert task.counts == {"updated": 1}
        assert task.report[0]["changed"] == ["custom_attributes.attr_tier"]
    assert emulator.calls["a"]["custom_attributes"] == {"attr_tier": "gold"}
    assert [r.body for r in emulator.requests if r.route == "update-call"] == 2 * [
        {"custom_attributes": {"attr_tier": "gold"}}
    ]


def test_fields_that_the_response_does_not_confirm_are_reported(
    emulator: Emulator, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Retell drops attributes whose id is not defined, and its responses show none at all."""
    emulator.add_calls(["a", "b", "c"])
    rows = [{"call_id": "a", "n": 1, "t": "gold"}, {"call_id": "b", "t": "x"}]
    task = run(rows=rows, custom_attribute_columns={"t": "attr_typo"})
    says = "Retell's response does not confirm custom_attributes.attr_typo"
    assert [task.outcome(row) for row in (1, 2)] == [("updated", says)] * 2
    assert caplog.text.count("Retell's responses do not confirm all values of 2 rows") == 1
    caplog.clear()
    emulator.options.echo_custom_attributes = True
    task = run(rows=rows, custom_attribute_columns={"t": "attr_tier"})
    assert [task.outcome(row) for row in (1, 2)] == [("updated", "")] * 2
    assert run(rows=[{"call_id": "c", "n": 1}]).outcome(1) == ("updated", "")
    assert "not confirm" not in caplog.text


def test_a_row_fails_if_the_response_differs_from_the_values_sent(emulator: Emulator, run: Any) -> None:
    emulator.add_call(call_id="a")
    response = {**emulator.calls["a"], "metadata": {"note": "something else"}}
    emulator.faults.add(Fault.status(200, body=response), route="update-call")
    task = run(rows=[{"call_id": "a", "note": PRIVATE}], fails=True)
    assert task.counts == {"failed": 1}
    assert "differ from the values sent: metadata.note" in task.outcome(1)[1]
    assert PRIVATE not in task.path.read_text()


def test_the_reason_names_the_mode_if_a_server_merges_in_replace_mode(run: Any, connect: Any) -> None:
    with Emulator(metadata_semantics="merge") as emulator:
        connect(emulator)
        emulator.add_call(call_id="a", metadata={"kept": 1})
        task = run(rows=[{"call_id": "a", "tier": "gold"}], metadata_mode="replace", fails=True)
        assert "metadata_mode='merge'" in task.outcome(1)[1]
        assert run(rows=[{"call_id": "a", "tier": "gold"}]).counts == {"unchanged": 1}


# -- storage settings


@pytest.mark.parametrize("setting", ["everything_except_pii", "{{ setting }}"])
@pytest.mark.parametrize("native", [False, True])
def test_one_storage_setting_for_all_rows(emulator: Emulator, run: Any, setting: str, native: bool) -> None:
    emulator.add_calls(["a", "b"])
    emulator.add_call(call_id="c", data_storage_setting="basic_attributes_only")
    task = run(
        rows=[{"call_id": "a"}, {"call_id": "b"}, {"call_id": "c"}],
        **{"data_storage_setting": setting, "native": native, "fails": True},
        context={"setting": "everything_except_pii"},
    )
    assert task.counts == {"updated": 2, "conflict": 1}
    assert emulator.calls["a"]["data_storage_setting"] == "everything_except_pii"


def test_a_storage_setting_that_renders_to_an_empty_value_changes_nothing(
    emulator: Emulator, run: Any
) -> None:
    emulator.add_call(call_id="a")
    for native in (False, True):
        task = run(
            rows=[{"call_id": "a"}], data_storage_setting="{{ none }}", native=native, context={"none": None}
        )
        assert task.counts == {"unchanged": 1}


def test_an_unknown_storage_setting_fails_before_anything_is_read(emulator: Emulator, run: Any) -> None:
    task = run(
        rows=[{"call_id": "a"}],
        data_storage_setting="{{ setting }}",
        context={"setting": "all"},
        fails=True,
        report_path=None,
    )
    assert isinstance(task.error, AirflowFailException)
    assert "data_storage_setting must be 'everything', 'everything_except_pii' or" in str(task.error)
    assert not emulator.requests


def test_a_storage_setting_for_each_row(emulator: Emulator, run: Any) -> None:
    emulator.add_calls(["a", "b", "c", "d"])
    settings = ["everything_except_pii", "", None, PRIVATE]
    rows = [{"call_id": call_id, "keeps": how} for call_id, how in zip("abcd", settings, strict=True)]
    task = run(rows=rows, data_storage_setting_column="keeps", fails=True)
    assert [line["outcome"] for line in task.report] == ["updated", "unchanged", "unchanged", "invalid"]
    assert PRIVATE not in task.path.read_text()
    assert task.outcome(4)[1].startswith("keeps must be 'everything'")
