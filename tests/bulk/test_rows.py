"""Rows of a list, of an upstream task, and of a function."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.bulk import FileRows
from airflow_provider_retell.emulator import Emulator
from airflow_provider_retell.operators import BulkUpdateCallOperator

PRIVATE = "Ada's private note"


def test_a_function_is_called_in_a_thread_when_the_task_runs(emulator: Emulator, run: Any) -> None:
    emulator.add_calls(["a", "b"])

    def rows() -> Any:
        for call_id in "ab":
            yield {"call_id": call_id, "thread": threading.current_thread().name}

    assert run(rows=rows).counts == {"updated": 2}
    assert emulator.calls["a"]["metadata"]["thread"].startswith("retell-rows")


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("source", ["output", "template", "json"])
def test_rows_can_be_the_output_of_an_upstream_task(
    emulator: Emulator, run: Any, native: bool, source: str
) -> None:
    emulator.add_calls(["a"])
    given = [{"call_id": "a", "note": PRIVATE, "template": "{{ not_rendered }}"}]

    class Output(list):
        """In place of an XComArg, which the e2e tests use."""

    rows = {"output": Output(given), "template": "{{ given }}", "json": "{{ given | tojson }}"}[source]
    if source == "output":
        rows[0] = {**given[0], "template": "rendered is {{ 'code' }}"}
    assert run(rows=rows, native=native, context={"given": given}).counts == {"updated": 1}
    assert emulator.calls["a"]["metadata"]["note"] == PRIVATE


def test_text_that_is_not_a_list_is_rejected_without_quoting_it(emulator: Emulator, run: Any) -> None:
    for given in (f"{PRIVATE} [", "None", "", '{"call_id": "a"}'):
        task = run(rows="{{ given }}", context={"given": given}, fails=True, report_path=None)
        assert isinstance(task.error, AirflowFailException)
        assert "rows rendered to" in str(task.error)
        assert PRIVATE not in str(task.error)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (lambda: None, "not a NoneType"),
        (lambda: {"call_id": "a"}, "not a dict"),
        (lambda: "text", "not text"),
        ({"call_id": "a"}, "not a dict"),
    ],
)
def test_a_source_of_another_type_is_rejected(emulator: Emulator, run: Any, rows: Any, says: str) -> None:
    task = run(rows=rows, fails=True)
    assert says in str(task.error)
    assert isinstance(task.error, AirflowFailException)
    assert not emulator.requests


def test_rows_that_are_not_dicts_are_invalid(emulator: Emulator, run: Any) -> None:
    emulator.add_calls(["a"])
    task = run(rows=lambda: iter([{"call_id": "a"}, ["a"], "a", None, {"call_id": "b", 1: 2}]), fails=True)
    task.check(rows=5)
    assert task.counts == {"unchanged": 1, "invalid": 4}
    assert task.outcome(2)[1] == "the row is a list, not a dict: set column_names"
    assert task.outcome(5)[1] == "the row has a column whose name is not text"


@pytest.mark.parametrize("rows", ["/data/rows.csv", "select call_id from calls", "rows.sql"])
def test_a_path_or_a_query_as_text_fails_when_the_dag_is_read(rows: str) -> None:
    with pytest.raises(RetellInputError, match=r"use FileRows\(path\).* use SqlRows\(conn_id, sql\)"):
        BulkUpdateCallOperator(task_id="bulk", rows=rows)


def test_a_row_without_an_id_shows_its_columns(emulator: Emulator, run: Any) -> None:
    task = run(rows=[{"CALL_ID": "a", "+14155550101": 1}], fails=True)
    expected = "the row has no 'call_id'; it has: CALL_ID, column 2. Names are case-sensitive"
    assert task.outcome(1) == ("invalid", expected)


def test_an_error_of_the_source_fails_the_task_after_the_rows_before_it(emulator: Emulator, run: Any) -> None:
    emulator.add_calls([f"call_{n}" for n in range(1500)])
    closed = []

    def rows() -> Any:
        try:
            yield from ({"call_id": f"call_{n}", "n": n} for n in range(1500))
            raise KeyError("the source broke")
        finally:
            closed.append(True)

    task = run(rows=rows, fails=True)
    assert isinstance(task.error, KeyError)
    task.check(rows=1500)
    assert task.counts == {"updated": 1500}
    assert closed == [True]
    ours = ("retell-rows", "retell-report", "retell-loop")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(ours)]


def test_a_function_must_not_return_a_source(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"call_id": "a", "x": 1}\n')
    task = run(rows=lambda: FileRows(str(path)), fails=True)
    assert "must return or yield rows, not FileRows" in str(task.error)
    assert emulator.requests == []
