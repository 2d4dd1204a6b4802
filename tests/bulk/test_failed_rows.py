"""The rows that an earlier run did not finish."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_retell.bulk import FailedRows, FileRows
from airflow_provider_retell.bulk.digest_set import DigestSet
from airflow_provider_retell.bulk.outcome import Result
from airflow_provider_retell.bulk.report import Report
from airflow_provider_retell.emulator import Emulator, Fault


@pytest.mark.parametrize("kind", ["list", "function", "file"])
def test_rows_that_failed_or_were_not_reached_are_processed(
    emulator: Emulator, run: Any, tmp_path: Path, kind: str
) -> None:
    ids = [f"call_{n}" for n in range(6)]
    emulator.add_calls(ids)
    given = [{"call_id": call_id, "a": 1} for call_id in ids]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, given)))
    source = {"list": given, "function": lambda: given, "file": FileRows("{{ folder }}/rows.jsonl")}[kind]
    outcomes = ["updated", "failed", "not_ended", "invalid"]
    report = [{"row": n, "call_id": "x", "outcome": outcome} for n, outcome in enumerate(outcomes, start=1)]
    # The run did not reach rows 5 and 6, and was killed while it wrote the last line.
    (tmp_path / "old.jsonl").write_text("\n".join(map(json.dumps, report)) + '\n{"row": 5, "ca')
    context = {"folder": str(tmp_path)}
    task = run(rows=FailedRows(source, "{{ folder }}/old.jsonl"), context=context)
    assert [line["call_id"] for line in task.report] == [f"call_{n}" for n in range(1, 6)]
    assert task.counts == {"updated": 5}
    invalid = FailedRows(source, str(tmp_path / "old.jsonl"), outcomes=["invalid"])
    task = run(rows=invalid, context=context)
    assert [line["call_id"] for line in task.report] == ["call_3", "call_4", "call_5"]


@pytest.mark.parametrize("outcomes", [["invald"], "invalid"])
def test_an_unknown_outcome_is_rejected_when_the_dag_is_read(outcomes: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="outcomes must be a list of 'updated', "):
        FailedRows([], "report.jsonl", outcomes=outcomes)


def test_a_second_row_of_a_call_is_a_duplicate_in_the_next_run_too(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    emulator.add_calls(["a", "b", "c"])
    rows = [{"call_id": call, "n": n} for n, call in enumerate(["a", "b", "c", "a", "b"])]
    emulator.faults.add(Fault.status(400), route="update-call", call_id="b", times=0)
    first = run(rows=rows, fails=True, metadata_columns=["n"])
    assert first.counts == {"updated": 2, "failed": 1, "invalid": 2}
    emulator.faults.clear()
    again = run(rows=FailedRows(rows, str(first.path)), report_path=str(tmp_path / "again.jsonl"), fails=True)
    assert again.counts == {"updated": 1, "invalid": 2}
    assert {call: emulator.calls[call]["metadata"]["n"] for call in "abc"} == {"a": 0, "b": 1, "c": 2}
    # Updated rows are processed again on request, even if another row of their call failed.
    again = run(
        rows=FailedRows(rows, str(first.path), outcomes=["updated"]),
        report_path=str(tmp_path / "third.jsonl"),
    )
    assert again.counts == {"unchanged": 2}


def test_the_compressed_report_of_a_killed_run_is_read_up_to_its_end(tmp_path: Path) -> None:
    with Report(str(tmp_path / "report.jsonl.gz")) as report:
        report.write(Result(row, "a", "updated") for row in range(1, 1001))
        (tmp_path / "killed.jsonl.gz").write_bytes((tmp_path / "report.jsonl.gz").read_bytes())
    for name in ("report", "killed"):
        rows = FailedRows([{"call_id": "a"}] * 1005, str(tmp_path / f"{name}.jsonl.gz"))
        assert len(list(rows.read())) == 5


@pytest.mark.parametrize(
    "line", [{"row": -1}, {"row": 0}, {"row": 10**15}, {"row": True}, {"row": "2"}, {"call_id": "\ud83d"}, {}]
)
def test_a_line_that_is_not_of_a_report_is_ignored(tmp_path: Path, line: Any) -> None:
    lines = [{**line, "outcome": "updated"}, {"row": 2, "call_id": "b", "outcome": "updated"}]
    path = tmp_path / "report.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    rows = [{"call_id": name} for name in "abc"]
    again = FailedRows(rows, str(path))
    assert list(again.read()) == [rows[0], rows[2]]
    digests = DigestSet()
    for call_id in again.done_calls():
        digests.add(call_id)
    assert not digests.add("b")
