"""The exported file: its content, calls that do not match the documentation, and atomicity."""

from __future__ import annotations

import gc
import json
import logging
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tasks
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.calls.fields import TRANSCRIPTS
from airflow_provider_retell.api.calls.models import Call
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.bulk import FileRows
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.export import formats
from airflow_provider_retell.operators import BulkUpdateCallOperator, ListCallsOperator

END = 1_795_258_800_000
NOTE = "Ada's private note"


def export(path: Any, **arguments: Any) -> dict[str, Any]:
    """Export calls to *path*, all unless there are criteria, and return the manifest."""
    task = ListCallsOperator(task_id="a_task", path=str(path), **{"by": None, **arguments})
    return tasks.run_task(task)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def add(emulator: Emulator, call_id: str, end: int = END, **fields: Any) -> None:
    emulator.add_call(
        call_id=call_id, call_status="ended", start_timestamp=end - 60_000, end_timestamp=end, **fields
    )


def test_the_manifest_and_the_log_have_no_private_data(
    emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name, analysis in (("a", None), ("b", {"call_summary": NOTE})):
        fields = {} if analysis is None else {"call_analysis": analysis}
        add(emulator, name, call_type="web_call", metadata={"note": NOTE}, **fields)
    emulator.calls["a"].pop("call_analysis", None)
    path = tmp_path / "calls.jsonl"
    result = export(path)
    times = {name: result.pop(name) for name in ("seconds", "waited_seconds")}
    assert result == {
        "schema_version": 1,
        "path": str(path),
        "calls": 2,
        "not_analyzed": 1,
        "vanished": 0,
        "malformed": 0,
        "cost_cents": 23.004,
        "calls_without_cost": 0,
        "requests": 1,
        "window": None,
    }
    assert all(isinstance(seconds, float) for seconds in times.values())
    assert "2 calls written, 1 request" in caplog.messages
    assert f"The export is complete: {path}" in caplog.messages
    assert NOTE not in f"{result} {caplog.text}"
    assert NOTE in path.read_text()
    for call in emulator.calls.values():
        assert call["access_token"] not in path.read_text()


def test_fields_selects_the_exported_fields(emulator: Emulator, tmp_path: Path) -> None:
    add(emulator, "a", from_number="+14155550123", custom_attributes={"x": 1})
    path = tmp_path / "calls.jsonl"
    export(path, fields=["end_timestamp", "metadata"])
    assert rows(path) == [{"call_id": "a", "end_timestamp": END, "metadata": emulator.calls["a"]["metadata"]}]


def test_json_lines_can_have_either_suffix(emulator: Emulator, tmp_path: Path) -> None:
    add(emulator, "a")
    for suffix in ("jsonl", "ndjson"):
        export(tmp_path / f"calls.{suffix}", fields=[])
        assert rows(tmp_path / f"calls.{suffix}") == [{"call_id": "a"}]


def test_every_field_of_a_call_can_be_selected(emulator: Emulator, tmp_path: Path) -> None:
    add(emulator, "a", call_type="phone_call", metadata={"n": 1})
    path = tmp_path / "calls.jsonl"
    export(path, whole_calls=True)
    (whole,) = rows(path)
    export(path, fields=list(whole), whole_calls=True)
    assert rows(path) == [whole]
    export(path)
    assert set(rows(path)[0]) == set(whole) - TRANSCRIPTS
    assert len(set(whole) & TRANSCRIPTS) >= 3


@pytest.mark.parametrize("whole", [False, True])
def test_parquet(emulator: Emulator, tmp_path: Path, whole: bool) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    add(emulator, "a", metadata={"note": NOTE, "n": 1}, latency={"e2e": {"p50": 1}})
    add(emulator, "b", END + 1, agent_version=3)
    path = tmp_path / "calls.parquet"
    export(path, whole_calls=whole)
    table = parquet.read_table(path)
    first, second = table.to_pylist()
    assert json.loads(first["metadata"]) == {"note": NOTE, "n": 1}
    assert (first["call_id"], first["end_timestamp"], second["call_id"]) == ("a", END, "b")
    assert json.loads(first["other"])["latency"] == {"e2e": {"p50": 1}}
    assert (first["transcript"] is not None) == whole
    assert "access_token" not in table.column_names

    some = tmp_path / "some.parquet"
    export(some, fields=["metadata", "duration_ms", "call_id"])
    assert parquet.read_table(some).column_names == ["call_id", "metadata", "duration_ms"]
    empty = tmp_path / "empty.parquet"
    export(empty, filter_criteria={"call_id": {"type": "string", "op": "eq", "value": "none"}})
    assert parquet.read_table(empty).schema == parquet.read_table(path).schema
    _header, first_row, *_ = FileRows(str(some)).read()
    assert first_row["call_id"] == "a"


def test_calls_can_be_exported_to_another_storage(emulator: Emulator, memory: MemoryFileSystem) -> None:
    add(emulator, "a")
    task = ListCallsOperator(task_id="a_task", path="memory://bucket/retell/{{ ds }}.jsonl", by=None)
    tasks.run_task(task, ds="2026-11-21")
    assert json.loads(memory.cat_file("/bucket/retell/2026-11-21.jsonl"))["call_id"] == "a"


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_calls_are_exported_with_the_connection_of_the_storage(
    emulator: Emulator, private_memory: MemoryFileSystem, suffix: str
) -> None:
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    add(emulator, "a")
    export(f"memory://bucket/retell/calls.{suffix}", path_conn_id="private_storage")
    assert private_memory.size(f"/bucket/retell/calls.{suffix}") > 10


def test_whole_calls_are_read_within_the_quota(connect: Any, tmp_path: Path) -> None:
    with Emulator(quotas={"general": (100, 1)}) as emulator:
        connect(emulator, quota="100/1")
        emulator.add_calls([f"call_{n:03}" for n in range(250)], minimal=False, call_status="ended")
        result = export(tmp_path / "calls.jsonl", whole_calls=True)
        assert emulator.count(status=429) == 0
        assert emulator.count("get-call") == 250
    written = rows(tmp_path / "calls.jsonl")
    assert result["requests"] == 251
    assert len({row["call_id"] for row in written}) == 250
    assert all(row["transcript"] for row in written)


def test_calls_that_are_deleted_during_the_export_are_written_as_listed(
    emulator: Emulator, tmp_path: Path
) -> None:
    for number, name in enumerate("abc"):
        add(emulator, name, END + number)
    gone = {"status": "error", "message": "Item not found"}
    for name in "ac":
        emulator.faults.add(Fault.status(422, body=gone), route="get-call", call_id=name)
    result = export(tmp_path / "calls.jsonl", whole_calls=True)
    assert (result["calls"], result["vanished"]) == (3, 2)
    assert [("transcript" in row) for row in rows(tmp_path / "calls.jsonl")] == [False, True, False]


# -- calls that do not match the documentation


def test_half_of_a_surrogate_pair_is_replaced(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_calls(["a", "c"], call_status="ended")
    emulator.add_call(
        call_id="b", call_status="ended", metadata={"note": "half \ud83d", "\ude00": "\U0001f600"}
    )
    path = tmp_path / "calls.jsonl"
    for whole in (False, True):
        result = export(path, whole_calls=whole)
        assert (result["calls"], result["malformed"]) == (3, 0)
        calls = {row["call_id"]: row for row in rows(path)}
        assert calls["b"]["metadata"] == {"note": "half \ufffd", "\ufffd": "\U0001f600"}
        ti = tasks.Ti()
        read_back = BulkUpdateCallOperator(task_id="b_task", rows=FileRows(str(path)), metadata_columns=[])
        tasks.run_task(read_back, ti=ti)
        assert ti.xcom["manifest"]["unchanged"] == 3


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
@pytest.mark.usefixtures("whole_log")
def test_a_malformed_call_is_exported_unchanged(
    emulator: Emulator,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    whole: bool,
    suffix: str,
) -> None:
    emulator.add_calls(["a", "b", "c", "d"], call_status="ended", duration_ms=1_000)
    emulator.calls["b"] |= {"call_cost": {"combined_cost": NOTE}, "access_token": "secret"}
    emulator.calls["c"] |= {"metadata": [NOTE], "duration_ms": "long"}
    path = tmp_path / f"calls.{suffix}"
    result = export(path, whole_calls=whole)
    assert (result["calls"], result["malformed"]) == (4, 2)
    assert (
        "Call b is exported unchanged: call_cost.combined_cost is not as the API documents it" in caplog.text
    )
    assert NOTE not in caplog.text
    if suffix == "parquet":
        calls = pytest.importorskip("pyarrow.parquet").read_table(path).to_pylist()
        values = [json.loads(calls[1]["call_cost"]), json.loads(calls[2]["metadata"])]
        assert [call["duration_ms"] for call in calls] == [1_000, 1_000, None, 1_000]
    else:
        calls = rows(path)
        values = [calls[1]["call_cost"], calls[2]["metadata"]]
        assert [call["duration_ms"] for call in calls] == [1_000, 1_000, "long", 1_000]
    assert [call["call_id"] for call in calls] == ["a", "b", "c", "d"]
    assert values == [{"combined_cost": NOTE}, [NOTE]]
    assert b"secret" not in path.read_bytes()


@pytest.mark.parametrize(
    ("number", "exported"),
    [(2**60 + 1, 2.0**60), (10**400, None), (1.5, 1.5), (True, 1.0)],
    ids=["large", "huge", "float", "true"],
)
def test_any_number_of_a_call_can_be_exported_to_parquet(
    emulator: Emulator, tmp_path: Path, number: Any, exported: float | None
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    add(emulator, "a", call_cost={"combined_cost": number})
    emulator.calls["a"]["end_timestamp"] = number
    path = tmp_path / "calls.parquet"
    result = export(path)
    assert (result["calls"], parquet.read_table(path).to_pylist()[0]["end_timestamp"]) == (1, exported)


# -- atomicity


@pytest.mark.parametrize("before", [None, "old\n"])
@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_an_error_in_the_middle_leaves_the_old_file(
    connect: Any, tmp_path: Path, before: str | None, suffix: str
) -> None:
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"calls.{suffix}"
    if before:
        path.write_text(before)
    with Emulator() as emulator:
        connect(emulator)
        emulator.add_calls([f"call_{n:04}" for n in range(1500)], call_status="ended")
        emulator.faults.add(Fault.status(400), route="list-calls", after=1)
        with pytest.raises(AirflowFailException, match="400"):
            export(path)
        assert emulator.count("list-calls") == 2
        assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == (
            [(path.name, before)] if before else []
        )
        export(path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.stat().st_size > 10_000


def test_the_error_of_a_full_disk_is_not_hidden_by_closing_the_file(
    emulator: Emulator, tmp_path: Path, mocker: Any
) -> None:
    add(emulator, "a")
    mocker.patch.object(formats.JsonLines, "write", side_effect=OSError(28, "No space left on device"))
    mocker.patch.object(formats.JsonLines, "close", side_effect=ValueError("closed"))
    path = tmp_path / "calls.jsonl"
    with pytest.raises(RetellError) as error:
        export(path)
    assert str(error.value) == (
        f"The file could not be written: {path} (No space left on device). Free space in {tmp_path}, or raise "
        "its quota, and run the task again"
    )
    assert not error.value.permanent
    assert not list(tmp_path.iterdir())


KILLED = """
import os, signal, sys
from airflow_provider_retell.export import formats
from airflow_provider_retell.operators import ListCallsOperator

real = formats.JsonLines.write

def write_and_die(*arguments):
    real(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

formats.JsonLines.write = write_and_die
ListCallsOperator(task_id="a_task", path=sys.argv[1], by=None).execute({})
"""


@pytest.mark.slow
def test_a_killed_worker_leaves_the_old_file(emulator: Emulator, tmp_path: Path) -> None:
    add(emulator, "a")
    path = tmp_path / "calls.jsonl"
    path.write_text("old\n")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path)], capture_output=True, check=False, timeout=120
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert path.read_text() == "old\n"
    assert {file.name[:8] for file in tmp_path.iterdir()} == {"calls.js", ".retell-"}


@pytest.mark.slow
def test_memory_holds_one_page_of_calls_and_the_page_before_it(
    connect: Any, tmp_path: Path, mocker: Any
) -> None:
    write = formats.JsonLines.write

    def count() -> int:
        gc.collect()
        return sum(type(thing) is Call for thing in gc.get_objects())

    before, alive = count(), []

    def counting(self: formats.JsonLines, calls: Sequence[Call]) -> None:
        alive.append(count() - before)
        write(self, calls)

    mocker.patch.object(formats.JsonLines, "write", counting)
    with Emulator() as emulator, no_waiting(emulator.clock.advance):
        connect(emulator)
        emulator.add_calls([f"call_{n:04}" for n in range(3000)], call_status="ended")
        result = export(tmp_path / "calls.jsonl")
    assert (result["calls"], result["requests"]) == (3000, 3)
    assert len({row["call_id"] for row in rows(tmp_path / "calls.jsonl")}) == 3000
    assert len(alive) == 3
    assert max(alive) <= 2000


def test_manifest_has_the_sum_of_the_costs(emulator: Emulator, tmp_path: Path) -> None:
    for name, cents in (("a", 11.25), ("b", 0.5), ("c", "a lot")):
        add(emulator, name, call_cost={"combined_cost": cents})
    add(emulator, "d", call_cost=None)
    result = export(tmp_path / "calls.jsonl")
    assert (result["cost_cents"], result["calls_without_cost"]) == (11.75, 2)
