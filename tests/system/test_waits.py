"""Waits survive the end of their triggerer, which tests without a complete Airflow cannot show."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from stack import moment

from airflow_provider_retell.emulator import Emulator
from sandbox import AIRFLOW_VERSION, ROOT, connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from stack import Stack

pytestmark = pytest.mark.skipif(
    AIRFLOW_VERSION.startswith("2."), reason="the executor of Airflow 2 for SQLite runs one task at a time"
)

WAITS = [f"call_{kind}_{number}" for kind in ("sensor", "update") for number in range(4)]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        for call_id in (*WAITS, "call_never"):
            emulator.add_call(call_id=call_id, call_status="ongoing", metadata={"kept": 1})
        yield emulator


@pytest.fixture
def stack(airflow: Callable[..., AbstractContextManager[Stack]], emulator: Emulator) -> Iterator[Stack]:
    retell = connection(emulator.url, emulator.api_key)
    with airflow([ROOT / "tests/system/wait_dags"], AIRFLOW_CONN_RETELL_DEFAULT=retell) as stack:
        stack.start_all()
        stack.run("waits", "waits_1")
        yield stack


def states(stack: Stack) -> dict[tuple[str, int], str]:
    rows = stack.rows("select task_id, map_index, state from task_instance")
    return {(task, index): state for task, index, state in rows}


def ends(stack: Stack) -> dict[tuple[str, int], float]:
    rows = stack.rows("select task_id, map_index, end_date from task_instance where end_date is not null")
    return {(task, index): moment(end) for task, index, end in rows}


def test_waits_survive_a_killed_triggerer(stack: Stack, emulator: Emulator) -> None:
    def polls() -> Counter[str | None]:
        return Counter(request.call_id for request in emulator.requests if request.route == "get-call")

    def all_polled(seen: Counter[str | None], calls: list[str]) -> bool:
        return all(polls()[call_id] >= seen[call_id] + 2 for call_id in calls)

    # The worker polls first; the second and third poll are the triggerer's.
    stack.wait("nine deferred waits", lambda: all_polled(Counter(WAITS), [*WAITS, "call_never"]))
    assert set(states(stack).values()) == {"deferred"}

    stack.kill("triggerer")
    seen = polls()
    while_down, after = WAITS[::2], WAITS[1::2]
    for call_id in while_down:
        emulator.calls[call_id]["call_status"] = "ended"
    time.sleep(3)  # longer than any poll interval, to be sure that the triggerer has ended
    assert polls() == seen
    stack.start("triggerer")

    stack.wait("the others are polled again", lambda: all_polled(seen, after))
    assert {states(stack)[task_of(call_id)] for call_id in after} == {"deferred"}
    ended_at = time.time()
    for call_id in after:
        emulator.calls[call_id]["call_status"] = "ended"
    running = {None, "deferred", "scheduled", "queued", "running"}
    stack.wait("all tasks end", lambda: not running & set(states(stack).values()))

    ended = ends(stack)
    assert {states(stack)[task_of(call_id)] for call_id in WAITS} == {"success"}
    assert all(ended_at < ended[task_of(call_id)] < ended_at + 150 for call_id in after)
    assert states(stack)["never", -1] == "failed"
    first, *_, last = (request.at for request in emulator.requests if request.call_id == "call_never")
    # The wait started before the worker imported the HTTP library, which can take seconds on a busy machine.
    # If the new triggerer had started the 90 seconds again, the last poll would be at least ten seconds later.
    assert 90 - 25 < last - first < 90 + 8
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
