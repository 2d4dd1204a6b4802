"""ListCallsOperator: which calls it takes, what it writes, and what it leaves behind when it fails."""

from __future__ import annotations

import gc
import json
import logging
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.calls.fields import TRANSCRIPTS
from airflow_provider_retell.api.calls.models import Call
from airflow_provider_retell.bulk import FileRows
from airflow_provider_retell.emulator import Clock, Emulator, Fault, Lifecycle
from airflow_provider_retell.export import formats
from airflow_provider_retell.operators.bulk import BulkUpdateCallOperator
from airflow_provider_retell.operators.list_calls import ListCallsOperator

try:
    from airflow.sdk.io import attach
except ImportError:
    from airflow.io.store import attach

START = datetime(2026, 11, 21, 10, tzinfo=timezone.utc)
END = START + timedelta(hours=1)
INTERVAL = {"data_interval_start": START, "data_interval_end": END}
NOTE = "Ada's private note"


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def listing(path: Any, **arguments: Any) -> ListCallsOperator:
    return ListCallsOperator(task_id="a_task", path=str(path), **arguments)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def ids(path: Path) -> list[str]:
    return [row["call_id"] for row in rows(path)]


def add(emulator: Emulator, call_id: str, end: int, **fields: Any) -> None:
    emulator.add_call(
        call_id=call_id, call_status="ended", start_timestamp=end - 60_000, end_timestamp=end, **fields
    )


# -- which calls


def test_the_window_is_the_interval_and_the_overlap_before_it(
    emulator: Emulator, run_try: Any, tmp_path: Path
) -> None:
    for name, end in {
        "too_early": ms(START) - 30 * 60_000 - 1,
        "overlap": ms(START) - 30 * 60_000,
        "first": ms(START),
        "last": ms(END) - 1,
        "next": ms(END),
    }.items():
        add(emulator, name, end)
    emulator.add_call(call_id="ongoing", call_status="ongoing", start_timestamp=ms(START))
    result = run_try(listing(tmp_path / "calls.jsonl"), **INTERVAL)
    assert ids(tmp_path / "calls.jsonl") == ["overlap", "first", "last"]
    assert result["window"] == [ms(START) - 30 * 60_000, ms(END) - 1]
    run_try(listing(tmp_path / "exact.jsonl", overlap=timedelta(0)), **INTERVAL)
    assert ids(tmp_path / "exact.jsonl") == ["first", "last"]


def test_one_file_per_hour_without_overlap_has_every_call_once(
    emulator: Emulator, run_try: Any, tmp_path: Path
) -> None:
    for minute in range(0, 180, 10):
        add(emulator, f"call_{minute:03}", ms(START) + minute * 60_000)
    found = []
    for hour in range(3):
        interval = {name: moment + timedelta(hours=hour) for name, moment in INTERVAL.items()}
        run_try(listing(tmp_path / f"{hour}.jsonl", overlap=timedelta(0)), **interval)
        found += ids(tmp_path / f"{hour}.jsonl")
    assert sorted(found) == sorted(emulator.calls)


def test_a_call_by_its_start_is_seen_again_after_its_end(
    emulator: Emulator, run_try: Any, tmp_path: Path
) -> None:
    add(emulator, "two_hours", ms(START) + 60_000)
    emulator.calls["two_hours"]["start_timestamp"] = ms(START) - 2 * 3_600_000
    path = tmp_path / "calls.jsonl"
    run_try(listing(path, by="start_timestamp"), **INTERVAL)
    assert ids(path) == ["two_hours"]


def test_by_start(emulator: Emulator, run_try: Any, tmp_path: Path) -> None:
    add(emulator, "started_before", ms(START) + 59_999)
    add(emulator, "started_within", ms(START) + 60_000)
    emulator.add_call(call_id="ongoing", call_status="ongoing", start_timestamp=ms(START) + 1)
    path = tmp_path / "calls.jsonl"
    run_try(listing(path, by="start_timestamp", overlap=timedelta(0)), **INTERVAL)
    assert ids(path) == ["started_within", "ongoing"]


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("form", ["dict", "text"])
def test_a_filter_of_ones_own(
    emulator: Emulator, run_try: Any, tmp_path: Path, native: bool, form: str
) -> None:
    for name, agent in (("a", "agent_1"), ("b", "agent_2")):
        add(emulator, name, ms(START), agent_id=agent)
        add(emulator, f"{name}_long_ago", ms(START) - 10**9, agent_id=agent)
    criteria: Any = {"agent": [{"agent_id": "{{ agent }}"}]}
    if form == "text":
        criteria = "{{ {'agent': [{'agent_id': agent}]} | tojson }}"
    path = tmp_path / "calls.jsonl"
    operator = listing(path, filter_criteria=criteria, by=None)
    result = run_try(operator, native=native, agent="agent_1")
    assert str(operator.filter_criteria) == '{"agent": "***"}'  # what "Rendered Templates" shows
    assert (ids(path), result["window"]) == (["a_long_ago", "a"], None)
    run_try(listing(path, filter_criteria=criteria), native=native, agent="agent_1", **INTERVAL)
    assert ids(path) == ["a"]


def test_calls_that_lack_a_key_are_what_a_bulk_update_is_still_to_do(
    emulator: Emulator, run_try: Any, tmp_path: Path
) -> None:
    add(emulator, "new", ms(START), metadata={"customer": "C-1"})
    add(emulator, "done", ms(START), metadata={"customer": "C-2", "tier": "gold"})
    add(emulator, "other", ms(START), metadata={"customer": "C-3", "internal": True})
    path = tmp_path / "todo.jsonl"
    criteria = {"metadata": [{"type": "present", "op": "np", "key": "internal"}]}
    operator = listing(path, without_metadata_key="tier", fields=(), filter_criteria=criteria)
    assert run_try(operator, **INTERVAL)["calls"] == 1
    assert rows(path) == [{"call_id": "new"}]

    class Ti:
        def xcom_push(self, **_: Any) -> None:
            pass

    bulk = BulkUpdateCallOperator(
        task_id="b_task", rows=FileRows(str(path)), data_storage_setting="everything_except_pii"
    )
    manifest = bulk.execute({"ti": Ti()})
    assert (manifest["rows"], manifest["updated"]) == (1, 1)
    assert emulator.calls["new"]["data_storage_setting"] == "everything_except_pii"


@pytest.mark.parametrize(
    "interval",
    [{}, {"data_interval_start": None, "data_interval_end": None}, {**INTERVAL, "data_interval_end": START}],
)
def test_a_run_without_an_interval_says_what_to_do(
    emulator: Emulator, run_try: Any, tmp_path: Path, interval: Any
) -> None:
    with pytest.raises(AirflowFailException, match=r"no data interval.*CronDataIntervalTimetable.*by=None"):
        run_try(listing(tmp_path / "calls.jsonl"), **interval)
    assert not emulator.requests
    run_try(listing(tmp_path / "calls.jsonl", by=None), **interval)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"by": "duration_ms"}, "by is"),
        ({"fields": "call_id"}, "fields is a list"),
        ({"whole_calls": "False"}, "whole_calls is True or False"),
        ({"fields": ["metadata", "durationms"]}, "no call has durationms"),
        ({"fields": ["access_token"]}, "no call has access_token"),
        ({"fields": ["transcript"]}, "leave transcript out: set whole_calls=True"),
        ({"overlap": timedelta(-1)}, "overlap is"),
    ],
)
def test_wrong_choices_fail_when_the_dag_is_read(arguments: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        listing("calls.jsonl", **arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"filter_criteria": {"end_timestamp": {"type": "number", "op": "gt", "value": 0}}}, "set by=None"),
        ({"filter_criteria": {"nothing": 1}}, "nothing"),
        ({"filter_criteria": "all of them"}, "filter_criteria rendered to text"),
        ({"path": "calls.csv"}, "must end in"),
        ({"filter_criteria": {"metadata": {"tier": "gold"}}}, "filter_criteria.metadata must be"),
        (
            {"filter_criteria": {"metadata": {"tier": "gold"}}, "without_metadata_key": "n"},
            "filter_criteria.metadata must be",
        ),
    ],
)
def test_what_cannot_work_is_refused_and_leaves_nothing(
    emulator: Emulator, run_try: Any, tmp_path: Path, arguments: Any, says: str
) -> None:
    arguments = {"path": "calls.jsonl", **arguments}
    with pytest.raises(AirflowFailException, match=says):
        run_try(listing(tmp_path / arguments.pop("path"), **arguments), **INTERVAL)
    assert not list(tmp_path.iterdir())
    assert not emulator.requests


# -- what is written


def test_the_manifest_and_the_log_tell_nothing_private(
    emulator: Emulator, run_try: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name, analysis in (("a", None), ("b", {"call_summary": NOTE})):
        fields = {} if analysis is None else {"call_analysis": analysis}
        add(emulator, name, ms(START), call_type="web_call", metadata={"note": NOTE}, **fields)
    emulator.calls["a"].pop("call_analysis", None)
    path = tmp_path / "calls.jsonl"
    result = run_try(listing(path), **INTERVAL)
    times = {name: result.pop(name) for name in ("seconds", "waited_seconds")}
    assert result == {
        "schema_version": 1,
        "path": str(path),
        "calls": 2,
        "not_analyzed": 1,
        "vanished": 0,
        "malformed": 0,
        "requests": 1,
        "window": [ms(START) - 30 * 60_000, ms(END) - 1],
    }
    assert all(isinstance(seconds, float) for seconds in times.values())
    assert NOTE not in f"{result} {caplog.text}"
    assert NOTE in path.read_text()
    for call in emulator.calls.values():
        assert call["access_token"] not in path.read_text()


def test_chosen_fields(emulator: Emulator, run_try: Any, tmp_path: Path) -> None:
    add(emulator, "a", ms(START), from_number="+14155550123", custom_attributes={"x": 1})
    path = tmp_path / "calls.jsonl"
    run_try(listing(path, fields=["end_timestamp", "metadata"]), **INTERVAL)
    assert rows(path) == [
        {"call_id": "a", "end_timestamp": ms(START), "metadata": emulator.calls["a"]["metadata"]}
    ]


def test_every_field_of_a_call_can_be_chosen(emulator: Emulator, run_try: Any, tmp_path: Path) -> None:
    add(emulator, "a", ms(START), call_type="phone_call", metadata={"n": 1})
    path = tmp_path / "calls.jsonl"
    run_try(listing(path, whole_calls=True), **INTERVAL)
    (whole,) = rows(path)
    run_try(listing(path, fields=list(whole), whole_calls=True), **INTERVAL)
    assert rows(path) == [whole]
    run_try(listing(path), **INTERVAL)
    assert set(rows(path)[0]) == set(whole) - TRANSCRIPTS
    assert len(set(whole) & TRANSCRIPTS) >= 3


@pytest.mark.parametrize("whole", [False, True])
def test_parquet(emulator: Emulator, run_try: Any, tmp_path: Path, whole: bool) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    add(emulator, "a", ms(START), metadata={"note": NOTE, "n": 1}, latency={"e2e": {"p50": 1}})
    add(emulator, "b", ms(START) + 1, agent_version=3)
    path = tmp_path / "calls.parquet"
    run_try(listing(path, whole_calls=whole), **INTERVAL)
    table = parquet.read_table(path)
    first, second = table.to_pylist()
    assert json.loads(first["metadata"]) == {"note": NOTE, "n": 1}
    assert (first["call_id"], first["end_timestamp"], second["call_id"]) == ("a", ms(START), "b")
    assert json.loads(first["other"])["latency"] == {"e2e": {"p50": 1}}
    assert (first["transcript"] is not None) == whole
    assert "access_token" not in table.column_names

    some = tmp_path / "some.parquet"
    run_try(listing(some, fields=["metadata", "duration_ms", "call_id"]), **INTERVAL)
    assert parquet.read_table(some).column_names == ["call_id", "metadata", "duration_ms"]
    empty = tmp_path / "empty.parquet"
    run_try(
        listing(empty, filter_criteria={"call_id": {"type": "string", "op": "eq", "value": "none"}}),
        **INTERVAL,
    )
    assert parquet.read_table(empty).schema == parquet.read_table(path).schema
    assert next(iter(FileRows(str(some)).read()))["call_id"] == "a"


def test_another_storage(emulator: Emulator, run_try: Any) -> None:
    files = MemoryFileSystem()
    files.store.clear()
    attach(protocol="memory", fs=files)
    add(emulator, "a", ms(START))
    run_try(listing("memory://bucket/retell/{{ ds }}.jsonl"), ds="2026-11-21", **INTERVAL)
    assert json.loads(files.cat_file("/bucket/retell/2026-11-21.jsonl"))["call_id"] == "a"


def test_whole_calls_keep_within_the_quota(connect: Any, run_try: Any, tmp_path: Path) -> None:
    with Emulator(quotas={"general": (100, 1)}) as emulator:
        connect(emulator, quota="100/1")
        emulator.add_calls([f"call_{n:03}" for n in range(250)], minimal=False, call_status="ended")
        result = run_try(listing(tmp_path / "calls.jsonl", by=None, whole_calls=True))
        assert emulator.count(status=429) == 0
        assert emulator.count("get-call") == 250
    written = rows(tmp_path / "calls.jsonl")
    assert result["requests"] == 251
    assert len({row["call_id"] for row in written}) == 250
    assert all(row["transcript"] for row in written)


def test_a_call_that_vanishes_while_it_is_read(emulator: Emulator, run_try: Any, tmp_path: Path) -> None:
    add(emulator, "a", ms(START))
    add(emulator, "b", ms(START) + 1)
    gone = {"status": "error", "message": "Item a not found"}
    emulator.faults.add(Fault.status(422, body=gone), route="get-call", call_id="a")
    result = run_try(listing(tmp_path / "calls.jsonl", whole_calls=True), **INTERVAL)
    assert (result["calls"], result["vanished"]) == (2, 1)
    assert [("transcript" in row) for row in rows(tmp_path / "calls.jsonl")] == [False, True]


def test_a_late_analysis_stands_in_the_next_file(connect: Any, run_try: Any, tmp_path: Path) -> None:
    clock = Clock(frozen=True, start=END.timestamp() - 40)
    with Emulator(clock=clock, lifecycle=Lifecycle(talk=5, analyze=600)) as emulator:
        connect(emulator)
        emulator.add_call(call_id="late", call_status="registered", progress=True)
        clock.advance(30)
        first = run_try(listing(tmp_path / "10.jsonl"), **INTERVAL)
        assert (first["calls"], first["not_analyzed"]) == (1, 1)
        clock.advance(3600)
        after = {"data_interval_start": END, "data_interval_end": END + timedelta(hours=1)}
        second = run_try(listing(tmp_path / "11.jsonl"), **after)
        assert (second["calls"], second["not_analyzed"]) == (1, 0)
    calls = {row["call_id"]: row for name in ("10", "11") for row in rows(tmp_path / f"{name}.jsonl")}
    assert calls["late"]["call_analysis"]["call_summary"]


# -- what is not as documented


def test_half_an_emoji_is_written_as_the_mark_for_it(
    emulator: Emulator, run_try: Any, tmp_path: Path
) -> None:
    emulator.add_calls(["a", "c"], call_status="ended")
    emulator.add_call(
        call_id="b", call_status="ended", metadata={"note": "half \ud83d", "\ude00": "\U0001f600"}
    )
    path = tmp_path / "calls.jsonl"
    for whole in (False, True):
        result = run_try(listing(path, by=None, whole_calls=whole))
        assert (result["calls"], result["malformed"]) == (3, 0)
        calls = {row["call_id"]: row for row in rows(path)}
        assert calls["b"]["metadata"] == {"note": "half \ufffd", "\ufffd": "\U0001f600"}
        calls_read = BulkUpdateCallOperator(task_id="a_task", rows=FileRows(str(path)), metadata_columns=[])
        assert run_try(calls_read)["unchanged"] == 3


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_call_that_is_not_as_documented_is_written_as_it_came(
    emulator: Emulator,
    run_try: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    whole: bool,
    ending: str,
) -> None:
    emulator.add_calls(["a", "b", "c", "d"], call_status="ended", duration_ms=1_000)
    emulator.calls["b"] |= {"call_cost": {"combined_cost": NOTE}, "access_token": "secret"}
    emulator.calls["c"] |= {"metadata": [NOTE], "duration_ms": "long"}
    path = tmp_path / f"calls.{ending}"
    result = run_try(listing(path, by=None, whole_calls=whole))
    assert (result["calls"], result["malformed"]) == (4, 2)
    assert "Call b is written as it came: call_cost.combined_cost is not as its API documents" in caplog.text
    assert NOTE not in caplog.text
    if ending == "parquet":
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


# -- at once or not at all


@pytest.mark.parametrize("before", [None, "old\n"])
@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_an_error_in_the_middle_leaves_all_as_it_was(
    connect: Any, run_try: Any, tmp_path: Path, before: str | None, ending: str
) -> None:
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"calls.{ending}"
    if before:
        path.write_text(before)
    with Emulator() as emulator:
        connect(emulator)
        emulator.add_calls([f"call_{n:04}" for n in range(1500)], call_status="ended")
        emulator.faults.add(Fault.status(400), route="list-calls", after=1)
        with pytest.raises(AirflowFailException, match="400"):
            run_try(listing(path, by=None))
        assert emulator.count("list-calls") == 2
        assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == (
            [(path.name, before)] if before else []
        )
        run_try(listing(path, by=None), try_number=2)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.stat().st_size > 10_000


KILLED = """
import os, signal, sys
from airflow_provider_retell.export import formats
from airflow_provider_retell.operators.list_calls import ListCallsOperator

real = formats.JsonLines.write

def write_and_die(*arguments):
    real(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

formats.JsonLines.write = write_and_die
ListCallsOperator(task_id="a_task", path=sys.argv[1], by=None).execute({})
"""


@pytest.mark.slow
def test_a_killed_worker_leaves_the_old_file(emulator: Emulator, tmp_path: Path) -> None:
    add(emulator, "a", ms(START))
    path = tmp_path / "calls.jsonl"
    path.write_text("old\n")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path)], capture_output=True, check=False, timeout=120
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert path.read_text() == "old\n"
    assert {file.name[:8] for file in tmp_path.iterdir()} == {"calls.js", ".retell-"}


@pytest.mark.slow
def test_five_thousand_calls_are_never_all_in_memory(
    connect: Any, run_try: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = formats.JsonLines.write

    def count() -> int:
        gc.collect()
        return sum(type(thing) is Call for thing in gc.get_objects())

    before, alive = count(), []

    def counting(self: formats.JsonLines, calls: Sequence[Call]) -> None:
        alive.append(count() - before)
        write(self, calls)

    monkeypatch.setattr(formats.JsonLines, "write", counting)
    with Emulator() as emulator:
        connect(emulator)
        emulator.add_calls([f"call_{n:04}" for n in range(5000)], call_status="ended")
        result = run_try(listing(tmp_path / "calls.jsonl", by=None))
    assert (result["calls"], result["requests"]) == (5000, 5)
    assert len(set(ids(tmp_path / "calls.jsonl"))) == 5000
    assert len(alive) == 5
    assert max(alive) <= 2000  # a page, and the one before it
