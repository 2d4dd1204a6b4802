"""The rows that an earlier run did not finish."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_retell._compat import AirflowFailException, AirflowSkipException
from airflow_provider_retell.bulk import FailedRows, FileRows, SqlRows
from airflow_provider_retell.bulk.earlier_rows import EarlierRows
from airflow_provider_retell.bulk.outcome import Result
from airflow_provider_retell.bulk.report import Report
from airflow_provider_retell.emulator import Emulator, Fault, run_task
from airflow_provider_retell.operators import BulkUpdateCallOperator


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
    # In another order than the rows.
    report = [
        {"row": 9 - n, "call_id": f"call_{n}", "outcome": outcome} for n, outcome in enumerate(outcomes)
    ]
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


def test_rows_without_a_named_column_fail_before_anything_is_sent(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    emulator.add_calls(["a", "b"])
    (tmp_path / "rows.csv").write_text("call_id,n\na,1\nb,2\n")
    (tmp_path / "old.jsonl").write_text('{"row": 1, "call_id": "a", "outcome": "failed"}\n')
    rows = FailedRows(FileRows(str(tmp_path / "rows.csv")), str(tmp_path / "old.jsonl"))
    task = run(rows=rows, metadata_columns=["n", "tier"], fails=True)
    assert "the rows have no column tier; they have: call_id, n. Nothing was sent" in str(task.error)
    assert not emulator.requests


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
    # The rows of call a are taken again, because the report does not say which of them is the right one.
    assert again.counts == {"updated": 1, "unchanged": 1, "invalid": 2}
    assert {call: emulator.calls[call]["metadata"]["n"] for call in "abc"} == {"a": 0, "b": 1, "c": 2}
    # Updated rows are processed again on request, even if another row of their call failed.
    again = run(
        rows=FailedRows(rows, str(first.path), outcomes=["updated"]),
        report_path=str(tmp_path / "third.jsonl"),
    )
    assert again.counts == {"unchanged": 2}


def test_calls_that_were_updated_or_unchanged_are_done(tmp_path: Path) -> None:
    report = write_report(
        tmp_path / "report.jsonl",
        (1, "a", "updated"),
        (2, "b", "unchanged"),
        (3, "c", "failed"),
        (4, "d", "not_found"),
    )
    rows = FailedRows([{"call_id": name} for name in "abcd"], report)
    assert list(rows.done_records()) == ["a", "b"]


def test_the_compressed_report_of_a_killed_run_is_read_up_to_its_end(tmp_path: Path) -> None:
    with Report(str(tmp_path / "report.jsonl.gz")) as report:
        report.write(Result(row, f"call_{row}", "updated") for row in range(1, 1001))
        (tmp_path / "killed.jsonl.gz").write_bytes((tmp_path / "report.jsonl.gz").read_bytes())
    for name in ("report", "killed"):
        rows = FailedRows(
            [{"call_id": f"call_{row}"} for row in range(1005, 0, -1)], str(tmp_path / f"{name}.jsonl.gz")
        )
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
    assert "b" in again.done_records()


def test_a_line_with_a_huge_number_takes_no_memory() -> None:
    lines = [{"row": number, "call_id": None, "outcome": "invalid"} for number in (2**30, 1, 10**30)]
    tracemalloc.start()
    try:
        earlier = EarlierRows(lines, ["invalid"], "call_id")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
    assert earlier.take(1, {})
    assert not EarlierRows([{**lines[1], "outcome": "updated"}], ["invalid"], "call_id").take(1, {})


def test_the_last_line_of_a_row_without_an_id_counts() -> None:
    lines = [{"row": 1, "call_id": None, "outcome": outcome} for outcome in ("invalid", "updated")]
    first, last = EarlierRows(lines[:1], ["invalid"], "call_id"), EarlierRows(lines, ["invalid"], "call_id")
    done = {"row": 2, "call_id": "a", "outcome": "updated"}
    for earlier in (first, last):
        earlier.take(1, {"call_id": "b"})
    assert (first.take(1, {}), last.take(1, {})) == (True, False)
    again = EarlierRows([*lines, *lines[:1], done], ["invalid"], "call_id")
    assert not again.take(1, {"call_id": "a"})
    assert again.left_out == [1]
    again = EarlierRows([*lines, done], ["invalid"], "call_id")
    assert not again.take(1, {"call_id": "a"})
    assert again.left_out == []


@pytest.mark.parametrize(
    "content",
    [
        "some notes\n",
        "notes\nof a team\n",
        '{"call_id": "a", "call_status": "ended"}\n',
        '{"call_id": "a", "row": 1, "outcome": "sold"}\n',
        '{"call_id": "a", "row": "1", "outcome": "failed"}\n',
        '{"contact_id": "a", "row": 1, "outcome": "failed"}\n',
    ],
)
def test_another_file_than_a_report_fails_before_the_source_is_read(
    emulator: Emulator, run: Any, memory: Any, content: str
) -> None:
    path = "memory://bucket/export.jsonl?token=pr1vate"
    memory.pipe_file("/bucket/export.jsonl?token=pr1vate", content.encode())

    def rows() -> Any:
        pytest.fail("The source is read")
        yield

    for source in (FailedRows(rows, path), FailedRows(FailedRows(rows, path), path)):
        task = run(rows=source, fails=True)
        assert isinstance(task.error, AirflowFailException)
        assert str(task.error) == (
            "memory://bucket/export.jsonl?*** is not a report of a bulk update: none of its lines has the outcome "
            "of a row. Set report_path to the report_path of the earlier run, or use the source without "
            "FailedRows to process all rows. Nothing was sent"
        )
    assert not emulator.requests


@pytest.mark.parametrize("name", ["old.jsonl", "old.jsonl.gz"])
def test_report_without_lines_runs_all_rows_with_a_warning(
    emulator: Emulator, run: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    emulator.add_calls("ab")
    with Report(str(tmp_path / name)):
        pass
    rows = FailedRows([{"call_id": "a", "n": 1}, {"call_id": "b", "n": 1}], str(tmp_path / name))
    assert run(rows=rows).counts == {"updated": 2}
    [warning] = [record for record in caplog.records if "has no lines" in record.getMessage()]
    assert warning.levelname == "WARNING"
    assert warning.getMessage() == (
        f"The report {tmp_path / name} has no lines, so all rows of the source run. The earlier run had no rows, or "
        "was stopped before it wrote a line"
    )


def write_report(path: Path, *lines: tuple[int, str | None, str]) -> str:
    names = ("row", "call_id", "outcome")
    path.write_text("".join(json.dumps(dict(zip(names, line, strict=True))) + "\n" for line in lines))
    return str(path)


def test_a_repaired_row_is_written_whatever_its_position(
    emulator: Emulator, run: Any, warehouse: Any, tmp_path: Path
) -> None:
    ids = [f"call_{n}" for n in range(5)]
    emulator.add_calls(ids)
    warehouse.executemany("insert into facts values (?, 'd', 'gold', ?)", [(name, 1) for name in ids])
    warehouse.execute("update facts set ltv = 9e999 where id = 'call_1'")
    query = "select id as call_id, ltv from facts order by"
    first = run(rows=SqlRows("warehouse", f"{query} id"), fails=True)
    assert first.counts == {"updated": 4, "invalid": 1}
    warehouse.execute("update facts set ltv = 2 where id = 'call_1'")
    # A new row in front, another order, and one row less.
    emulator.add_calls(["call_9"])
    warehouse.execute("insert into facts values ('call_9', 'd', 'gold', 3)")
    warehouse.execute("delete from facts where id = 'call_4'")
    again = run(
        rows=FailedRows(SqlRows("warehouse", f"{query} id desc"), str(first.path)),
        report_path=str(tmp_path / "again.jsonl"),
    )
    assert again.counts == {"updated": 2}
    assert emulator.calls["call_1"]["metadata"] == {"ltv": 2}
    assert emulator.calls["call_9"]["metadata"] == {"ltv": 3}


def test_the_task_names_the_column_with_the_call_id(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    emulator.add_calls(["a", "b", "7"])
    report = write_report(
        tmp_path / "old.jsonl", (1, "a", "updated"), (2, "b", "failed"), (3, "7", "updated")
    )
    rows = FailedRows(
        FailedRows([{"id": "b", "n": 1}, {"id": 7, "n": 1}, {"id": "a", "n": 1}], report), report
    )
    task = run(rows=rows, call_id_column="id")
    assert [line["call_id"] for line in task.report] == ["b"]


@pytest.mark.parametrize("nested", [False, True])
def test_rows_keep_their_numbers_in_the_source(
    emulator: Emulator, run: Any, tmp_path: Path, nested: bool
) -> None:
    emulator.add_calls("abe")
    source = [{"call_id": name, "n": 1} for name in ("a", "b", "", "d", "e")]
    full = write_report(
        tmp_path / "full.jsonl",
        (1, "a", "updated"),
        (2, "b", "failed"),
        (3, None, "invalid"),
        (4, "d", "failed"),
    )
    rows = FailedRows(source, full)
    if nested:
        repair = [(2, "b", "updated"), (3, None, "invalid"), (4, "d", "not_found"), (5, "e", "updated")]
        rows = FailedRows(rows, write_report(tmp_path / "repair.jsonl", *repair))
    task = run(rows=rows, fails=True)
    numbers = {line["row"]: line["outcome"] for line in task.report}
    done = {} if nested else {2: "updated", 5: "updated"}
    assert numbers == {3: "invalid", 4: "not_found"} | done
    assert [line["row"] for line in task.ti.xcom["failures"]] == [3, 4]
    assert "Row 3: call_id is empty" in str(task.error)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ([{"call_id": "a"}], "According to the report, no row of the source is left to process"),
        ([], "The source has no rows"),
    ],
)
def test_repair_without_rows_names_the_reason(
    emulator: Emulator, run: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, source: Any, says: str
) -> None:
    report = write_report(tmp_path / "old.jsonl", (1, "a", "updated"))
    rows = FailedRows(FailedRows(source, report), report)
    assert run(rows=rows).manifest["rows"] == 0
    label = f"FailedRows(report_path='{report}')"
    assert f"{says}: {label}. To skip or fail such a task, set on_empty" in caplog.messages
    with pytest.raises(AirflowSkipException, match=f"^{says}$"):
        run(rows=rows, on_empty="skip")
    assert f"{says}, and on_empty is 'fail': {label}" in str(
        run(rows=rows, on_empty="fail", fails=True).error
    )


def test_rows_without_a_call_id_go_by_number(tmp_path: Path) -> None:
    lines = [(1, None, "invalid"), (2, None, "invalid"), (3, "c", "updated")]
    report = write_report(tmp_path / "old.jsonl", *lines)
    rows = [{"call_id": None}, {"call_id": "repaired"}, {"call_id": "c"}, {"call_id": ""}]
    assert list(FailedRows(rows, report).read()) == [rows[0], rows[1], rows[3]]
    assert list(FailedRows(rows, report, outcomes=["failed"]).read()) == [rows[1], rows[3]]


def test_row_that_was_repaired_to_the_id_of_a_finished_call_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines = [(1, None, "invalid"), (2, "b", "updated"), (3, None, "invalid"), (4, "d", "unchanged")]
    report = write_report(tmp_path / "old.jsonl", *lines)
    repaired = [{"call_id": "d"}, {"call_id": "b"}, {"call_id": "new"}]
    assert list(FailedRows(repaired, report).read()) == [repaired[2]]
    [message] = caplog.messages
    assert message == (
        "Left out row 1: it had no call id in the earlier run, and now has that of a call that was finished then. "
        "To write it, use the source without FailedRows"
    )
    caplog.clear()
    # In another order, the rows still have no id.
    assert len(list(FailedRows([{"call_id": "b"}, {"call_id": "d"}, {}, {}], report).read())) == 2
    assert not caplog.messages


def test_the_last_line_of_a_call_counts(tmp_path: Path) -> None:
    lines = [
        (1, "a", "failed"),
        (2, "b", "updated"),
        (3, "c", "failed"),
        (1, "a", "updated"),
        (2, "b", "failed"),
    ]
    report = write_report(tmp_path / "old.jsonl", *lines)
    rows = FailedRows([{"call_id": name} for name in "abc"], report)
    assert [row["call_id"] for row in rows.read()] == ["b", "c"]
    assert list(rows.done_records()) == ["a"]


def test_the_row_that_is_left_of_two_is_written(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    emulator.add_calls(["a"])
    first = run(rows=[{"call_id": "a", "n": 1}, {"call_id": "a", "n": 2}], fails=True)
    assert first.counts == {"updated": 1, "invalid": 1}
    rows = FailedRows([{"call_id": "a", "n": 2}], str(first.path))
    assert run(rows=rows, report_path=str(tmp_path / "again.jsonl")).counts == {"updated": 1}
    assert emulator.calls["a"]["metadata"] == {"n": 2}


def test_failed_rows_that_the_source_lacks_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines = [(n, f"call_{n}", "failed") for n in range(1, 13)] + [
        (13, "done", "updated"),
        (1, "call_1", "failed"),
    ]
    rows = FailedRows([{"call_id": "call_12"}], write_report(tmp_path / "old.jsonl", *lines))
    assert len(list(rows.read())) == 1
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert record.getMessage() == (
        "The source does not have the rows of 11 calls that failed in the earlier run: "
        + ", ".join(f"call_{n}" for n in range(1, 11))
        + " and 1 more"
    )
    caplog.clear()
    assert list(FailedRows([{"call_id": "new"}], write_report(tmp_path / "old.jsonl", lines[12])).read())
    assert not caplog.records


@pytest.mark.parametrize("text", ["+12025550123", "\ud83d", "Jane Doe"])
def test_ids_of_a_report_are_logged_only_if_they_look_like_ids(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    rows = FailedRows([{"call_id": "call_1"}], write_report(tmp_path / "old.jsonl", (1, text, "failed")))
    assert len(list(rows.read())) == 1
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert (
        record.getMessage()
        == "The source does not have the rows of 1 call that failed in the earlier run: [..]"
    )


@pytest.mark.parametrize("field", ["report", "path"])
def test_path_that_rendered_to_nothing_is_named_before_anything_is_read(
    emulator: Emulator, tmp_path: Path, field: str
) -> None:
    report = tmp_path / "report.jsonl"
    paths = {"report": str(report), "path": str(report)} | {field: "{{ params.nothing }}"}
    task = BulkUpdateCallOperator(
        task_id="repair",
        rows=FailedRows(FileRows(paths["path"]), paths["report"]),
        metadata_columns=["tier"],
        report_path=str(tmp_path / "new.jsonl"),
    )
    name = "report_path of FailedRows" if field == "report" else "the path of FileRows"
    with pytest.raises(AirflowFailException, match=f"^{name} rendered to an empty value"):
        run_task(task, params={"nothing": ""})
    assert not list(tmp_path.iterdir())
