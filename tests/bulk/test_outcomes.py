"""What becomes of each row, and of the task."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import AuthenticationError
from airflow_provider_retell.bulk.errors import RowsFailedError
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators.bulk import BulkUpdateCallOperator

try:
    from airflow.sdk.execution_time.context import OutletEventAccessors
except ImportError:
    from airflow.utils.context import OutletEventAccessors

PRIVATE = "Ada's private note"


def routes(emulator: Emulator) -> dict[str, int]:
    names = ("list-calls", "get-call", "update-call")
    return {name: emulator.count(name) for name in names if emulator.count(name)}


def test_every_outcome_in_one_run(emulator: Emulator, run: Any) -> None:
    emulator.add_call(call_id="changes", metadata={"kept": 1, "tier": "old"})
    emulator.add_call(call_id="same", metadata={"tier": "gold", "kept": 1})
    emulator.add_call(call_id="goes_on", call_status="ongoing")
    emulator.add_call(call_id="strict", data_storage_setting="basic_attributes_only")
    emulator.add_call(call_id="broken")
    emulator.faults.add(Fault.status(400), route="update-call", call_id="broken", times=0)
    rows = [
        {"call_id": "changes", "tier": "gold"},
        {"call_id": "same", "tier": "gold"},
        {"call_id": "missing", "tier": "gold"},
        {"call_id": "goes_on", "tier": "gold"},
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
        *("changes", "same", "missing", "goes_on", None, "strict", "broken")
    ]
    assert task.report[0]["changed"] == ["metadata.tier"]
    assert emulator.calls["changes"]["metadata"] == {"kept": 1, "tier": "gold"}
    assert str(task.error).startswith(
        "5 of 7 rows failed (1 failed, 1 invalid, 1 conflict, 1 not_found, 1 not_ended)"
    )
    assert task.manifest["requests"] == len(emulator.requests)


def test_what_is_as_it_should_be_costs_no_update(emulator: Emulator, run: Any) -> None:
    emulator.add_calls([f"call_{n}" for n in range(2500)], metadata={"tier": "gold"})
    rows = [{"call_id": f"call_{n}", "tier": "gold" if n % 1000 else "silver"} for n in range(2500)]
    task = run(rows=rows)
    task.check(rows=2500)
    assert task.counts == {"updated": 3, "unchanged": 2497}
    assert routes(emulator) == {"list-calls": 3, "update-call": 3}
    assert run(rows=rows).counts == {"unchanged": 2500}
    assert routes(emulator) == {"list-calls": 6, "update-call": 3}


@pytest.mark.parametrize(
    ("mode", "metadata", "changed"),
    [
        ("merge", {"kept": 1, "tier": "gold", "new": 2}, ["metadata.new", "metadata.tier"]),
        ("fill", {"kept": 1, "tier": "old", "new": 2}, ["metadata.new"]),
        ("replace", {"tier": "gold", "new": 2}, ["metadata.kept", "metadata.new", "metadata.tier"]),
    ],
)
def test_modes(emulator: Emulator, run: Any, mode: str, metadata: Any, changed: list[str]) -> None:
    emulator.add_call(call_id="a", metadata={"kept": 1, "tier": "old"})
    rows = [{"call_id": "a", "tier": "gold", "new": 2}]
    task = run(rows=rows, metadata_mode=mode)
    assert emulator.calls["a"]["metadata"] == metadata
    assert task.report[0]["changed"] == changed
    assert run(rows=rows, metadata_mode=mode).counts == {"unchanged": 1}


@pytest.mark.parametrize("mode", ["merge", "fill", "replace"])
@pytest.mark.parametrize("columns", [None, [], ["tier"]])
def test_a_row_that_asks_for_nothing_changes_nothing(
    emulator: Emulator, run: Any, mode: str, columns: Any
) -> None:
    emulator.add_call(call_id="a", metadata={"kept": 1})
    emulator.add_call(call_id="b", metadata={"tier": "gold"})
    rows = [{"call_id": "a"}, {"call_id": "b", "tier": "gold"}]
    assert run(rows=rows, metadata_mode=mode, metadata_columns=columns).counts == {"unchanged": 2}
    assert emulator.calls["a"]["metadata"] == {"kept": 1}


def test_keys_are_removed_where_they_are(emulator: Emulator, run: Any) -> None:
    emulator.add_call(call_id="a", metadata={"kept": 1, "old_key": 2})
    emulator.add_call(call_id="b", metadata={"kept": 1})
    task = run(rows=[{"call_id": "a"}, {"call_id": "b"}], remove_metadata_keys=["old_key"])
    assert task.counts == {"updated": 1, "unchanged": 1}
    assert task.report[0]["changed"] == ["metadata.old_key"]
    assert emulator.calls["a"]["metadata"] == {"kept": 1}


@pytest.mark.parametrize("show", [False, True])
def test_a_dry_run_sends_nothing_and_names_keys(
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
    assert "Would update a: metadata.note" in caplog.text
    assert (PRIVATE in caplog.text) == show
    assert ("'before'" in caplog.text) == show


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("given", [True, False, "True", "false", 1, 0])
def test_a_dry_run_may_be_a_template(emulator: Emulator, run: Any, native: bool, given: Any) -> None:
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
def test_a_dry_run_that_is_neither_true_nor_false_fails(emulator: Emulator, run: Any, given: Any) -> None:
    for dry_run in ("{{ params.dry_run }}", given):
        task = run(
            rows=[{"call_id": "a"}],
            dry_run=dry_run,
            context={"params": {"dry_run": given}},
            fails=True,
            report_path=None,
        )
        assert isinstance(task.error, AirflowFailException)
        assert "dry_run must be True or False" in str(task.error)
    assert not emulator.requests


def test_attributes_are_always_sent_because_calls_do_not_show_them(emulator: Emulator, run: Any) -> None:
    emulator.add_call(call_id="a", metadata={"kept": 1})
    for _ in range(2):
        task = run(rows=[{"call_id": "a", "t": "gold"}], custom_attribute_columns={"t": "attr_tier"})
        assert task.counts == {"updated": 1}
        assert task.report[0]["changed"] == ["custom_attributes.attr_tier"]
    assert emulator.calls["a"]["custom_attributes"] == {"attr_tier": "gold"}
    assert [r.body for r in emulator.requests if r.route == "update-call"] == 2 * [
        {"custom_attributes": {"attr_tier": "gold"}}
    ]


def test_what_the_answer_does_not_show_is_said(
    emulator: Emulator, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Retell drops attributes with an id that is not defined, and its answers show none at all."""
    emulator.add_calls(["a", "b", "c"])
    rows = [{"call_id": "a", "n": 1, "t": "gold"}, {"call_id": "b", "t": "x"}]
    task = run(rows=rows, custom_attribute_columns={"t": "attr_typo"})
    says = "Retell's answer does not show whether it kept custom_attributes.attr_typo"
    assert [task.outcome(row) for row in (1, 2)] == [("updated", says)] * 2
    assert caplog.text.count("2 rows: Retell's answer does not show") == 1
    caplog.clear()
    emulator.options.echo_custom_attributes = True
    task = run(rows=rows, custom_attribute_columns={"t": "attr_tier"})
    assert [task.outcome(row) for row in (1, 2)] == [("updated", "")] * 2
    assert run(rows=[{"call_id": "c", "n": 1}]).outcome(1) == ("updated", "")
    assert "does not show" not in caplog.text


def test_an_answer_that_differs_is_a_failed_row(emulator: Emulator, run: Any) -> None:
    emulator.add_call(call_id="a")
    answer = {**emulator.calls["a"], "metadata": {"note": "something else"}}
    emulator.faults.add(Fault.status(200, body=answer), route="update-call")
    task = run(rows=[{"call_id": "a", "note": PRIVATE}], fails=True)
    assert task.counts == {"failed": 1}
    assert "does not hold what was sent in: metadata.note" in task.outcome(1)[1]


def test_a_server_that_merges_shows_in_replace_mode(run: Any, connect: Any) -> None:
    with Emulator(metadata_semantics="merge") as emulator:
        connect(emulator.url)
        emulator.add_call(call_id="a", metadata={"kept": 1})
        task = run(rows=[{"call_id": "a", "tier": "gold"}], metadata_mode="replace", fails=True)
        assert "metadata_mode='merge'" in task.outcome(1)[1]
        assert run(rows=[{"call_id": "a", "tier": "gold"}]).counts == {"unchanged": 1}


@pytest.mark.parametrize("setting", ["everything_except_pii", "{{ setting }}"])
@pytest.mark.parametrize("native", [False, True])
def test_storage_for_all_rows(emulator: Emulator, run: Any, setting: str, native: bool) -> None:
    emulator.add_calls(["a", "b"])
    emulator.add_call(call_id="c", data_storage_setting="basic_attributes_only")
    task = run(
        rows=[{"call_id": "a"}, {"call_id": "b"}, {"call_id": "c"}],
        **{"data_storage_setting": setting, "native": native, "fails": True},
        context={"setting": "everything_except_pii"},
    )
    assert task.counts == {"updated": 2, "conflict": 1}
    assert emulator.calls["a"]["data_storage_setting"] == "everything_except_pii"


def test_storage_that_renders_to_nothing_changes_nothing(emulator: Emulator, run: Any) -> None:
    emulator.add_call(call_id="a")
    for native in (False, True):
        task = run(
            rows=[{"call_id": "a"}], data_storage_setting="{{ none }}", native=native, context={"none": None}
        )
        assert task.counts == {"unchanged": 1}


def test_a_setting_that_is_none_fails_before_anything_is_read(emulator: Emulator, run: Any) -> None:
    task = run(rows=[{"call_id": "a"}], data_storage_setting="all", fails=True, report_path=None)
    assert isinstance(task.error, AirflowFailException)
    assert "data_storage_setting is none of everything, everything_except_pii" in str(task.error)
    assert not emulator.requests


def test_storage_by_row(emulator: Emulator, run: Any) -> None:
    emulator.add_calls(["a", "b", "c", "d"])
    settings = ["everything_except_pii", "", None, PRIVATE]
    rows = [{"call_id": call_id, "keeps": how} for call_id, how in zip("abcd", settings, strict=True)]
    task = run(rows=rows, data_storage_setting_column="keeps", fails=True)
    assert [line["outcome"] for line in task.report] == ["updated", "unchanged", "unchanged", "invalid"]
    assert PRIVATE not in task.path.read_text()
    assert task.outcome(4)[1].startswith("keeps is none of")


# -- the verdict on the task


def fails_with(emulator: Emulator, **numbers: int) -> list[dict[str, Any]]:
    """Return rows of which so many end in the outcomes named, and ten are well."""
    rows: list[dict[str, Any]] = [{"call_id": f"well_{n}", "keeps": None} for n in range(10)]
    emulator.add_calls([row["call_id"] for row in rows])
    for outcome, count in numbers.items():
        for n in range(count):
            row = {"call_id": f"{outcome}_{n}", "a": 1}
            if outcome == "not_ended":
                emulator.add_call(call_id=row["call_id"], call_status="ongoing")
            elif outcome != "not_found":
                emulator.add_call(call_id=row["call_id"], data_storage_setting="basic_attributes_only")
            if outcome == "invalid":
                row["a"] = float("nan")
            if outcome == "conflict":
                row["keeps"] = "everything"
            if outcome == "failed":
                emulator.faults.add(Fault.status(400), route="update-call", call_id=row["call_id"], times=0)
            rows.append(row)
    return rows


@pytest.mark.parametrize(
    ("rows", "limits", "error"),
    [
        ({}, {}, None),
        ({"failed": 1}, {}, RowsFailedError),
        ({"not_ended": 1}, {}, RowsFailedError),
        ({"invalid": 1}, {}, AirflowFailException),
        ({"conflict": 1}, {}, AirflowFailException),
        ({"not_found": 1}, {}, AirflowFailException),
        ({"not_found": 1, "failed": 1}, {}, RowsFailedError),
        ({"not_found": 2}, {"tolerate": ["not_found"]}, None),
        ({"not_ended": 2}, {"tolerate": ["not_ended", "not_found"]}, None),
        ({"not_ended": 1, "invalid": 1}, {"tolerate": ["not_ended"]}, AirflowFailException),
        ({"failed": 2}, {"max_failed_rows": 2}, None),
        ({"failed": 2}, {"max_failed_rows": 1}, RowsFailedError),
        ({"failed": 2}, {"max_failed_rows": 0}, RowsFailedError),
        ({"failed": 2}, {"max_failed_ratio": 2 / 12}, None),
        ({"failed": 2}, {"max_failed_ratio": 0.16}, RowsFailedError),
        ({"failed": 2}, {"max_failed_ratio": 0.5, "max_failed_rows": 1}, RowsFailedError),
        ({"failed": 2}, {"max_failed_ratio": 0.1, "max_failed_rows": 5}, RowsFailedError),
        ({"failed": 1}, {"max_failed_ratio": 1.0}, None),
    ],
)
def test_when_the_task_fails_and_how(
    emulator: Emulator, run: Any, rows: Any, limits: Any, error: Any
) -> None:
    given = fails_with(emulator, **rows)
    task = run(rows=given, data_storage_setting_column="keeps", fails=error is not None, **limits)
    task.check(rows=len(given))
    assert {name: task.counts[name] for name in rows} == rows
    assert task.counts["unchanged"] == 10
    assert error is None or type(task.error) is error
    if error is not None:
        assert str(task.path) in str(task.error)


@pytest.mark.parametrize("limits", [{}, {"max_failed_rows": 0}, {"max_failed_ratio": 0.0}])
def test_no_rows_are_fine(emulator: Emulator, run: Any, limits: Any) -> None:
    task = run(rows=[], **limits)
    task.check(rows=0)
    assert task.path.read_text() == ""
    assert not emulator.requests


@pytest.mark.parametrize("status", [401, 402, 403])
@pytest.mark.parametrize("route", ["list-calls", "update-call", "get-call"])
def test_an_auth_error_stops_the_run_at_once(emulator: Emulator, run: Any, status: int, route: str) -> None:
    emulator.add_calls([f"call_{n}" for n in range(3000)])
    emulator.options.max_ids_per_filter = 0 if route == "get-call" else None
    emulator.faults.add(Fault.status(status), route=route, times=0)
    rows = [{"call_id": f"call_{n}", "a": n} for n in range(3000)]
    task = run(rows=rows, fails=True, concurrency=4)
    task.check()
    assert isinstance(task.error, AirflowFailException)
    assert status != 401 or isinstance(task.error.__cause__, AuthenticationError)
    assert emulator.count(route, status=status) <= 50
    assert task.counts.get("failed", 0) <= 4
    assert emulator.count("update-call") <= 4


def test_lineage_that_is_no_asset_does_not_fail_the_task(emulator: Emulator, run: Any) -> None:
    emulator.add_calls(["a"])
    context = {"outlet_events": OutletEventAccessors()}
    assert run(rows=[{"call_id": "a", "n": 1}], outlets=[object()], context=context).counts == {"updated": 1}


def test_without_a_report_the_counts_are_the_same(emulator: Emulator, run: Any) -> None:
    emulator.add_calls(["a", "b"])
    task = run(
        rows=[{"call_id": "a", "x": 1}, {"call_id": "b"}, {"call_id": "c"}], report_path=None, fails=True
    )
    assert task.counts == {"updated": 1, "unchanged": 1, "not_found": 1}
    assert task.manifest["report"] is None
    assert "set report_path" in str(task.error)


def test_a_report_that_cannot_be_written_fails_before_anything_is_sent(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    task = run(
        rows=[{"call_id": "a", "x": 1}], report_path=str(tmp_path / "file" / "report.jsonl"), fails=True
    )
    assert isinstance(task.error, OSError)
    assert not emulator.requests


@pytest.mark.parametrize(
    "arguments",
    [
        {"metadata_mode": "overwrite"},
        {"tolerate": "not_found"},
        {"tolerate": ["failed"]},
        {"data_storage_setting": "everything", "data_storage_setting_column": "x"},
        {"remove_metadata_keys": "key"},
        {"show_values": "False"},
        {"concurrency": 0},
        {"max_failed_ratio": 1.1},
        {"max_failed_rows": -1},
    ],
)
def test_wrong_arguments_fail_when_the_dag_is_read(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"is|are|give"):
        BulkUpdateCallOperator(task_id="update", **{"rows": [], **arguments})


def test_an_iterator_as_rows_fails_when_the_dag_is_read() -> None:
    with pytest.raises(ValueError, match="rows is an iterator"):
        BulkUpdateCallOperator(task_id="update", rows=iter([]))
