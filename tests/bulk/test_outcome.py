"""The limits for failed rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from airflow_provider_retell._compat import AirflowFailException, AirflowSkipException
from airflow_provider_retell.bulk import FailedRows, SqlRows
from airflow_provider_retell.bulk.errors import RowsFailedError, TooFewRowsError
from airflow_provider_retell.bulk.outcome import (
    FailureLimits,
    Result,
    duplicate,
    is_duplicate,
    line_id,
    line_kind,
)
from airflow_provider_retell.emulator import Emulator, Fault


def rows_with_outcomes(emulator: Emulator, **numbers: int) -> list[dict[str, Any]]:
    """Return rows with these numbers of outcomes, and ten rows that are unchanged."""
    rows: list[dict[str, Any]] = [{"call_id": f"good_{n}", "keeps": None} for n in range(10)]
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
def test_failed_rows_beyond_a_limit_fail_the_task(
    emulator: Emulator, run: Any, rows: Any, limits: Any, error: Any
) -> None:
    given = rows_with_outcomes(emulator, **rows)
    task = run(rows=given, data_storage_setting_column="keeps", fails=error is not None, **limits)
    task.check(rows=len(given))
    assert {name: task.counts[name] for name in rows} == rows
    assert task.counts["unchanged"] == 10
    assert error is None or type(task.error) is error
    if error is not None:
        assert str(task.error).splitlines()[-1] == f"Report: {task.path}"


@pytest.mark.parametrize("limits", [{}, {"max_failed_rows": 0}, {"max_failed_ratio": 0.0}])
def test_a_task_without_rows_succeeds_with_a_warning(
    emulator: Emulator, run: Any, caplog: pytest.LogCaptureFixture, limits: Any
) -> None:
    task = run(rows=[], **limits)
    task.check(rows=0)
    assert task.path.read_text() == ""
    assert not emulator.requests
    assert ("WARNING", "The source has no rows. To skip or fail such a task, set on_empty") in [
        (record.levelname, record.getMessage()) for record in caplog.records
    ]


@pytest.mark.usefixtures("whole_log")
def test_a_source_without_rows_is_named_without_its_query(
    emulator: Emulator, run: Any, warehouse: Any, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    rows = SqlRows("warehouse", "select id as call_id, tier from facts where tier = 'pr1vate'")
    run(rows=rows)
    assert "The source has no rows: SqlRows(conn_id='warehouse'). To skip" in caplog.text
    task = run(rows=rows, on_empty="fail", fails=True)
    assert "on_empty is 'fail': SqlRows(conn_id='warehouse'). Check the source" in str(task.error)
    earlier = tmp_path / "earlier.jsonl"
    earlier.touch()
    task = run(rows=FailedRows(rows, str(earlier)), min_rows=2, fails=True)
    assert f"no rows, and min_rows is 2: FailedRows(report_path='{earlier}'). All" in str(task.error)
    assert "pr1vate" not in caplog.text


@pytest.mark.parametrize(
    ("options", "rows", "error", "says"),
    [
        ({"on_empty": "skip"}, 0, AirflowSkipException, "The source has no rows"),
        ({"on_empty": "skip", "min_rows": 2}, 0, AirflowSkipException, "The source has no rows"),
        (
            *({"on_empty": "fail"}, 0, RowsFailedError),
            "The source has no rows, and on_empty is 'fail'. Check the source",
        ),
        (
            *({"on_empty": "skip", "min_rows": 1000}, 1, TooFewRowsError),
            "The source has 1 row, and min_rows is 1,000. All of them were processed. Check the source",
        ),
        ({"min_rows": 1}, 0, TooFewRowsError, "The source has no rows, and min_rows is 1. All"),
        ({"min_rows": 1}, 1, None, ""),
        ({"on_empty": "fail"}, 1, None, ""),
    ],
)
def test_too_few_rows_skip_or_fail_the_task(
    emulator: Emulator, run: Any, options: Any, rows: int, error: Any, says: str
) -> None:
    emulator.add_calls(["a"])
    task = run(rows=[{"call_id": "a", "x": 1}] * rows, fails=error is not None, **options)
    assert task.manifest["rows"] == rows
    if error is not None:
        assert type(task.error) is error
        assert says in str(task.error)


@pytest.mark.parametrize(
    ("failed", "reasons", "says"),
    [
        (1, ["down"], "Row 1: down"),
        (2, ["down", "late"], "Row 1: down"),
        (3, ["late", "down", "down"], "Most frequent reason (2 rows): down"),
        (4, ["late", "down", "down"], "Most frequent reason (2 of the first 3 failed rows): down"),
        (1, [duplicate("call id", 17)], "Row 1: an earlier row has the same call id: row 17"),
        (
            *(3, ["late", duplicate("call id", 17), duplicate("call id", 18)]),
            "Most frequent reason (2 rows): an earlier row has the same call id",
        ),
        (2, ["late: row 1", "late: row 2"], "Row 1: late: row 1"),
    ],
)
def test_message_has_the_most_frequent_reason(failed: int, reasons: list[str], says: str) -> None:
    failures = [Result(row, f"call_{row}", "failed", reason) for row, reason in enumerate(reasons, start=1)]
    with pytest.raises(RowsFailedError) as raised:
        FailureLimits().check({"rows": 9, "failed": failed, "report": None}, failures)
    assert str(raised.value).splitlines() == [
        f"{failed} of 9 rows failed: {failed} failed",
        says,
        "Set report_path to get a report of all rows",
    ]


@pytest.mark.parametrize(("failed", "rows", "ratio"), [(29, 100, 0.29), (57, 100, 0.57), (0, 0, 0.0)])
def test_a_share_of_failed_rows_that_equals_its_limit_is_accepted(
    failed: int, rows: int, ratio: float
) -> None:
    limits = FailureLimits(max_ratio=ratio)
    limits.check({"rows": rows, "failed": failed, "report": None})
    with pytest.raises(RowsFailedError):
        limits.check({"rows": rows + 1, "failed": failed + 1, "report": None})


@pytest.mark.parametrize(
    ("line", "kind", "record_id"),
    [
        ({"row": 1, "call_id": "call_1"}, "call", "call_1"),
        ({"row": 1, "chat_id": "chat_1"}, "chat", "chat_1"),
        ({"row": 1, "contact_id": None}, "contact", None),
        ({"row": 1}, "call", None),
    ],
)
def test_line_of_a_report_has_the_id_of_its_kind_of_record(line: Any, kind: str, record_id: Any) -> None:
    assert (line_kind(line), line_id(line)) == (kind, record_id)


def test_line_of_a_duplicate_is_recognized_by_its_reason() -> None:
    assert is_duplicate({"reason": duplicate("call id", 17)})
    assert is_duplicate({"reason": duplicate("call id", None)})
    assert not is_duplicate({"reason": f"not {duplicate('call id', 17)}"})
    assert not is_duplicate({})
