"""Crash, kill, time out, clear: at whatever moment, the next try finds everything and repeats next to nothing."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_retell.bulk.errors import BulkStoppedError
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators.bulk import BulkUpdateCallOperator

try:
    from airflow.sdk.exceptions import AirflowTaskTimeout
except ImportError:  # before 3.2
    from airflow.exceptions import AirflowTaskTimeout

pytestmark = pytest.mark.slow

CONCURRENCY = 4
KILLS = 50
ROWS = 120


class Ti:
    def __init__(self) -> None:
        self.xcom: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcom[key] = value


def slowly(emulator: Emulator, count: int = ROWS) -> list[dict[str, Any]]:
    """Add calls to a server that takes its time, so that stops come in the midst; return their rows."""
    emulator.add_calls([f"call_{n}" for n in range(count)])
    emulator.faults.add(Fault.slow(0.004), route="update-call", times=0)
    return [{"call_id": f"call_{n}", "n": n} for n in range(count)]


def operator(rows: Any, **arguments: Any) -> BulkUpdateCallOperator:
    return BulkUpdateCallOperator(
        task_id="update", rows=rows, concurrency=CONCURRENCY, quota="100000/1", **arguments
    )


def all_written(emulator: Emulator, count: int = ROWS) -> bool:
    return all(emulator.calls[f"call_{n}"]["metadata"] == {"n": n} for n in range(count))


def check_report(path: Path, manifest: dict[str, Any], emulator: Emulator) -> None:
    """The report is whole: every row that ended stands in it once, and it says what is true."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len({line["row"] for line in lines}) == len(lines) == manifest["rows"]
    written = {line["call_id"] for line in lines if line["outcome"] == "updated"}
    assert len(written) == manifest["updated"]
    for call_id in written:
        assert emulator.calls[call_id]["metadata"] == {"n": int(call_id.removeprefix("call_"))}
    flying = [line for line in lines if line["outcome"] == "failed"]
    assert len(flying) == manifest["failed"] <= CONCURRENCY
    assert all("may or may not have it" in line["reason"] for line in flying)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("retell-loop")]


class Forker:
    """``task_forker.py``."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.bulk.task_forker"]
        root, pipe = Path(__file__).parents[2], subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, text=True)

    def start(self, **arguments: Any) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(arguments) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())


@pytest.fixture
def forker(emulator: Emulator) -> Any:
    forker = Forker()
    with forker.process as process:
        yield forker
        process.kill()


def test_a_task_that_is_killed_goes_on_where_it_was(
    emulator: Emulator, forker: Forker, tmp_path: Path
) -> None:
    """SIGKILL, fifty times, at random moments of the time that a task takes."""
    seed = random.randrange(1_000_000)
    moments = random.Random(seed)
    arguments = {
        "count": ROWS,
        "concurrency": CONCURRENCY,
        "quota": "100000/1",
        "report_path": str(tmp_path / "report.jsonl"),
    }
    midway, repeated = 0, []
    for round_ in range(KILLS):
        emulator.reset()
        slowly(emulator)
        task = forker.start(**arguments)
        if round_ % 5:  # in the midst of the updates, else at any moment from the very start
            sent, deadline = moments.randrange(1, ROWS * 3 // 4), time.monotonic() + 60
            while emulator.count("update-call") < sent and time.monotonic() < deadline:
                time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.005 if round_ % 5 else 0.5))
        with contextlib.suppress(ProcessLookupError):  # it was faster
            os.kill(task, signal.SIGKILL)
        status = forker.answer()
        midway += os.WIFSIGNALED(status) and 0 < emulator.count("update-call") < ROWS
        while sum(emulator.count("update-call", status=code) for code in (200, None)) < emulator.count(
            "update-call"
        ):
            time.sleep(0.001)  # what was in flight comes to its end
        forker.start(**arguments)
        assert forker.answer() == 0, f"seed {seed}, round {round_}"
        assert all_written(emulator), f"seed {seed}, round {round_}"
        # Updates that were sent twice: never more than were under way when the task was killed.
        repeated.append(emulator.count("update-call") - ROWS)
        assert 0 <= repeated[-1] <= CONCURRENCY, f"seed {seed}, round {round_}"
    print(  # noqa: T201
        f"seed {seed}: {midway} of {KILLS} killed midway, {sum(repeated)} updates repeated, at most {max(repeated)}"
    )
    assert midway >= KILLS // 2


def test_on_kill_stops_cleanly(emulator: Emulator, tmp_path: Path) -> None:
    """As on Airflow 3: SIGTERM calls on_kill on the main thread, which then goes on."""
    moments = random.Random(7)
    for _ in range(10):
        emulator.reset()
        task, ti = operator(slowly(emulator), report_path=str(tmp_path / "report.jsonl")), Ti()
        previous = signal.signal(signal.SIGTERM, lambda *_, task=task: task.on_kill())
        timer = threading.Timer(moments.uniform(0.0, 0.15), os.kill, (os.getpid(), signal.SIGTERM))
        try:
            timer.start()
            with pytest.raises(BulkStoppedError, match="Stopped on request") as error:
                task.work({"ti": ti})
        finally:
            timer.join()
            signal.signal(signal.SIGTERM, previous)
        assert not error.value.permanent
        sent = emulator.count("update-call")
        assert sent < ROWS
        if "manifest" in ti.xcom:
            check_report(tmp_path / "report.jsonl", ti.xcom["manifest"], emulator)
        emulator.faults.clear()
        assert (
            operator([{"call_id": f"call_{n}", "n": n} for n in range(ROWS)]).work({"ti": Ti()})["failed"]
            == 0
        )
        assert all_written(emulator)
        assert emulator.count("update-call") <= ROWS + CONCURRENCY


@pytest.fixture
def timeout() -> Any:
    """Raise on the main thread after so many seconds, as Airflow's execution_timeout does."""

    def raises(*_: Any) -> None:
        raise AirflowTaskTimeout("Timeout")

    previous = signal.signal(signal.SIGALRM, raises)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)


def test_a_timeout_is_never_lost_and_stops_cleanly(
    emulator: Emulator, tmp_path: Path, timeout: Callable[[float], None]
) -> None:
    moments = random.Random(11)
    for _ in range(25):
        emulator.reset()
        task, ti = operator(slowly(emulator, 400), report_path=str(tmp_path / "report.jsonl")), Ti()
        timeout(moments.uniform(0.02, 0.2))
        with pytest.raises(AirflowTaskTimeout):
            task.work({"ti": ti})
        if "manifest" in ti.xcom:
            check_report(tmp_path / "report.jsonl", ti.xcom["manifest"], emulator)


def test_a_stop_does_not_wait_for_a_query(
    emulator: Emulator, tmp_path: Path, timeout: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_retell.bulk.engine._CLOSE_SECONDS", 0.1)
    emulator.add_calls([f"call_{n}" for n in range(1000)])
    answered = threading.Event()

    def rows() -> Any:
        yield from ({"call_id": f"call_{n}", "n": n} for n in range(1000))
        answered.wait(30)  # the database thinks

    ti = Ti()
    timeout(8)
    started = time.monotonic()
    try:
        with pytest.raises(AirflowTaskTimeout):
            operator(rows, report_path=str(tmp_path / "report.jsonl")).work({"ti": ti})
        assert time.monotonic() - started < 16
    finally:
        answered.set()
    assert ti.xcom["manifest"]["updated"] == 1000
    check_report(tmp_path / "report.jsonl", ti.xcom["manifest"], emulator)
