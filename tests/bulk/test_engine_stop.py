"""Runs that are killed, stopped or timed out: the next run completes the work and repeats next to nothing."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kills import KILLS
from task_forker import Forker
from task_signals import AirflowTaskTimeout, calls_on_kill, raises_timeout, sigterm_after
from tasks import Ti, eventually

from airflow_provider_retell.bulk.errors import BulkStoppedError
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators import BulkUpdateCallOperator

pytestmark = pytest.mark.slow

CONCURRENCY = 4
ROWS = 120


def add_slow_calls(emulator: Emulator, count: int = ROWS) -> list[dict[str, Any]]:
    """Add calls and return their rows.

    Updates take some time, so that a stop comes in the middle even if a busy machine delays it.
    """
    emulator.add_calls([f"call_{n}" for n in range(count)])
    emulator.faults.add(Fault.slow(0.02), route="update-call", times=0)
    return [{"call_id": f"call_{n}", "n": n} for n in range(count)]


def operator(rows: Any, **arguments: Any) -> BulkUpdateCallOperator:
    return BulkUpdateCallOperator(
        task_id="update", rows=rows, concurrency=CONCURRENCY, quota="100000/1", **arguments
    )


def all_written(emulator: Emulator, count: int = ROWS) -> bool:
    return all(emulator.calls[f"call_{n}"]["metadata"] == {"n": n} for n in range(count))


def check_report(path: Path, manifest: dict[str, Any], emulator: Emulator) -> None:
    """Check that the report has each row with a result once, and that the result is true."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len({line["row"] for line in lines}) == len(lines) == manifest["rows"]
    written = {line["call_id"] for line in lines if line["outcome"] == "updated"}
    assert len(written) == manifest["updated"]
    for call_id in written:
        assert emulator.calls[call_id]["metadata"] == {"n": int(call_id.removeprefix("call_"))}
    in_flight = [line for line in lines if line["outcome"] == "failed"]
    assert len(in_flight) == manifest["failed"] <= CONCURRENCY
    assert all("It is unknown whether Retell processed it" in line["reason"] for line in in_flight)
    # A timeout can interrupt the start of the thread, which then ends by itself.
    eventually(lambda: not [t for t in threading.enumerate() if t.name.startswith("retell-loop")])


@pytest.fixture
def forker(emulator: Emulator) -> Iterator[Forker]:
    with Forker("tests.bulk.killed_update") as forker:
        yield forker


def test_the_next_run_completes_the_work_of_a_killed_task(
    emulator: Emulator, forker: Forker, tmp_path: Path
) -> None:
    """SIGKILL, many times, at random times."""
    seed = random.randrange(1_000_000)
    times = random.Random(seed)
    arguments = {
        "count": ROWS,
        "concurrency": CONCURRENCY,
        "quota": "100000/1",
        "report_path": str(tmp_path / "report.jsonl"),
    }
    midway, repeated = 0, []
    for round_ in range(KILLS):
        emulator.reset()
        add_slow_calls(emulator)
        task = forker.start(**arguments)
        # Four of five are killed in the middle of the updates, the others at any time after their start.
        if round_ % 5:
            sent, deadline = times.randrange(1, ROWS * 3 // 4), time.monotonic() + 60
            while emulator.count("update-call") < sent and time.monotonic() < deadline:
                time.sleep(0.001)
        time.sleep(times.uniform(0, 0.005 if round_ % 5 else 0.5))
        # The task may have ended.
        with contextlib.suppress(ProcessLookupError):
            os.kill(task, signal.SIGKILL)
        status = forker.status()
        midway += os.WIFSIGNALED(status) and 0 < emulator.count("update-call") < ROWS
        # Wait for the requests in flight.
        while sum(emulator.count("update-call", status=code) for code in (200, None)) < emulator.count(
            "update-call"
        ):
            time.sleep(0.001)
        emulator.faults.clear()
        forker.start(**arguments)
        assert forker.status() == 0, f"seed {seed}, round {round_}"
        assert all_written(emulator), f"seed {seed}, round {round_}"
        # Only updates that were in flight are sent twice.
        repeated.append(emulator.count("update-call") - ROWS)
        assert 0 <= repeated[-1] <= CONCURRENCY, f"seed {seed}, round {round_}"
    print(  # noqa: T201
        f"seed {seed}: {midway} of {KILLS} killed midway, {sum(repeated)} updates repeated, at most {max(repeated)}"
    )
    assert midway >= KILLS // 2


def test_on_kill_stops_the_run_cleanly(emulator: Emulator, tmp_path: Path) -> None:
    times = random.Random(7)
    for round_ in range(10):
        emulator.reset()
        # A try keeps the lines of earlier ones.
        report = tmp_path / f"report_{round_}.jsonl"
        task, ti = operator(add_slow_calls(emulator), report_path=str(report)), Ti()
        with (
            calls_on_kill(task),
            sigterm_after(times.uniform(0.0, 0.15)),
            pytest.raises(BulkStoppedError, match="Stopped on request after") as error,
        ):
            task.work({"ti": ti})
        assert not error.value.permanent
        assert not ti.xcom.get("manifest", {}).get("complete")
        sent = emulator.count("update-call")
        assert sent < ROWS
        if ti.xcom.get("manifest", {}).get("rows"):
            check_report(report, ti.xcom["manifest"], emulator)
        emulator.faults.clear()
        again = Ti()
        operator([{"call_id": f"call_{n}", "n": n} for n in range(ROWS)]).work({"ti": again})
        assert again.xcom["manifest"]["failed"] == 0
        assert all_written(emulator)
        assert emulator.count("update-call") <= ROWS + CONCURRENCY


def test_a_timeout_is_never_lost_and_stops_the_run_cleanly(emulator: Emulator, tmp_path: Path) -> None:
    times = random.Random(11)
    with raises_timeout() as raise_timeout_in:
        for round_ in range(25):
            emulator.reset()
            report = tmp_path / f"report_{round_}.jsonl"
            task, ti = (
                operator(add_slow_calls(emulator, 400), report_path=str(report)),
                Ti(),
            )
            raise_timeout_in(times.uniform(0.02, 0.2))
            with pytest.raises(AirflowTaskTimeout):
                task.work({"ti": ti})
            if ti.xcom.get("manifest", {}).get("rows"):
                check_report(report, ti.xcom["manifest"], emulator)


def test_a_stop_does_not_wait_for_a_query(emulator: Emulator, tmp_path: Path, mocker: Any) -> None:
    mocker.patch("airflow_provider_retell.bulk.engine._CLOSE_SECONDS", 0.1)
    emulator.add_calls([f"call_{n}" for n in range(1000)])
    query_ends = threading.Event()

    def rows() -> Any:
        yield from ({"call_id": f"call_{n}", "n": n} for n in range(1000))
        query_ends.wait(30)

    def stop_after_the_updates() -> None:
        while emulator.count("update-call", status=200) < 1000:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGALRM)

    ti, stopper = Ti(), threading.Thread(target=stop_after_the_updates)
    started = time.monotonic()
    try:
        with raises_timeout(), pytest.raises(AirflowTaskTimeout):
            stopper.start()
            operator(rows, report_path=str(tmp_path / "report.jsonl")).work({"ti": ti})
        assert time.monotonic() - started < 15
    finally:
        query_ends.set()
        stopper.join()
    # The last responses may arrive after the stop.
    assert 1000 - CONCURRENCY <= ti.xcom["manifest"]["updated"] <= 1000
    check_report(tmp_path / "report.jsonl", ti.xcom["manifest"], emulator)
