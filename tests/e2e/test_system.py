"""A whole Airflow, each component a process of its own: what neither a loop nor ``dag.test()`` shows.

Not part of a plain run, as it takes minutes: ``make system-test``.
"""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import psutil
import pytest

import ui
from airflow_provider_retell.emulator import Emulator
from sandbox import AIRFLOW_VERSION, ROOT, connection, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(
        AIRFLOW_VERSION.startswith("2."), reason="its executor for SQLite runs one task at a time"
    ),
]

WAITS = [f"call_{kind}_{number}" for kind in ("sensor", "update") for number in range(4)]


class Stack(ui.Airflow):
    """The components of one Airflow, and what its database says."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        env = environment(home) | {
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "tests/e2e/dags"),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            # A triggerer that is gone is noticed after seconds rather than after half a minute.
            "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
            "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "6",
        }
        super().__init__(home, env, port)

    def fail(self, name: str, reason: str) -> Any:
        pytest.fail(f"{self.log(name).read_text(errors='replace')[-8000:]}\n\n{reason}")

    def kill(self, name: str) -> None:
        """End a component and what it started, without a word."""
        process = self.running.pop(name)
        family = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGKILL)
        for child in family:
            child.kill()
        process.wait(10)
        psutil.wait_procs(family, timeout=10)

    def states(self) -> dict[tuple[str, int], tuple[str, float]]:
        """Return the state of each task instance, and when it ended."""
        with sqlite3.connect(f"file:{self.home / 'airflow.db'}?mode=ro", uri=True, timeout=30) as database:
            rows = database.execute(
                "select task_id, map_index, state, (julianday(end_date) - 2440587.5) * 86400 from task_instance"
            ).fetchall()
        return {(task, index): (state, ended) for task, index, state, ended in rows}

    def wait(self, what: str, condition: Callable[[], bool], seconds: float) -> None:
        """Wait for *condition*; fail if it takes longer than *seconds* or a component stops."""
        limit = time.monotonic() + seconds
        while not condition():
            self.check()
            if time.monotonic() > limit:
                states = Counter((task, state) for (task, _), (state, _) in self.states().items())
                self.fail("triggerer", f"not within {seconds} s: {what}; the tasks: {dict(states)}")
            time.sleep(0.3)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        for call_id in (*WAITS, "call_never"):
            emulator.add_call(call_id=call_id, call_status="ongoing", metadata={"kept": 1})
        yield emulator


@pytest.fixture
def stack(tmp_path: Path, emulator: Emulator) -> Iterator[Stack]:
    stack = Stack(tmp_path)
    stack.env["AIRFLOW_CONN_RETELL_DEFAULT"] = connection(emulator.url, emulator.api_key)
    stack.prepare("db-migrate", "db", "migrate")
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


def test_waits_outlive_a_killed_triggerer(stack: Stack, emulator: Emulator) -> None:
    def polls() -> Counter[str | None]:
        return Counter(request.call_id for request in emulator.requests if request.route == "get-call")

    def all_polled(seen: Counter[str | None], calls: list[str]) -> bool:
        return all(polls()[call_id] >= seen[call_id] + 2 for call_id in calls)

    # The first look is the worker's: a second and third are the triggerer's.
    stack.wait("nine deferred waits", lambda: all_polled(Counter(WAITS), [*WAITS, "call_never"]), 120)
    assert {state for state, _ in stack.states().values()} == {"deferred"}

    stack.kill("triggerer")
    seen = polls()
    while_down, after = WAITS[::2], WAITS[1::2]
    for call_id in while_down:
        emulator.calls[call_id]["call_status"] = "ended"
    time.sleep(3)  # longer than any poll interval: it is really gone
    assert polls() == seen
    stack.start("triggerer")

    stack.wait("the others are polled again", lambda: all_polled(seen, after), 60)
    assert {stack.states()[task_of(call_id)][0] for call_id in after} == {"deferred"}
    ended_at = time.time()
    for call_id in after:
        emulator.calls[call_id]["call_status"] = "ended"
    running = {None, "deferred", "scheduled", "queued", "running"}
    stack.wait("all tasks end", lambda: not running & {state for state, _ in stack.states().values()}, 120)

    states = stack.states()
    assert {states[task_of(call_id)][0] for call_id in WAITS} == {"success"}
    assert all(ended_at < states[task_of(call_id)][1] < ended_at + 45 for call_id in after)
    assert states["never", -1][0] == "failed"
    first_look = next(request.at for request in emulator.requests if request.call_id == "call_never")
    deadline = time.time() - time.monotonic() + first_look + 60
    # It was set before the worker loaded the HTTP library for that look, which a busy machine takes seconds for.
    assert deadline - 10 < states["never", -1][1] < deadline + 30
    updates = [request.call_id for request in emulator.requests if request.route == "update-call"]
    assert sorted(updates) == [call_id for call_id in WAITS if "update" in call_id]  # once each
    for call_id in updates:
        assert emulator.calls[call_id]["metadata"] == {"kept": 1, "tier": call_id}
    assert emulator.count(status=429) == 0
    log = stack.log("triggerer").read_text(errors="replace")
    assert "Traceback" not in log, log[-8000:]


def task_of(call_id: str) -> tuple[str, int]:
    _, task, index = call_id.split("_")
    return task, int(index)
