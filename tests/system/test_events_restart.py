"""Each call has exactly one event although the triggerer of a watcher is killed."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from stack import NEWEST, VERSION, parsed

from airflow_provider_retell.emulator import Emulator
from sandbox import ROOT, connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from stack import Stack

pytestmark = pytest.mark.skipif(VERSION < (3, 0), reason="Airflow 2 has no asset watchers")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def stack(airflow: Callable[..., AbstractContextManager[Stack]], emulator: Emulator) -> Iterator[Stack]:
    retell = connection(emulator.url, emulator.api_key)
    with airflow([ROOT / "tests/system/restart_dags"], AIRFLOW_CONN_RETELL_DEFAULT=retell) as stack:
        stack.prepare("db-migrate", "db", "migrate")
        stack.start_all()
        stack.connect_itself("this_airflow")
        yield stack


def polled(stack: Stack, emulator: Emulator, times: int = 1) -> None:
    """Wait until the watcher has polled *times* more."""
    seen = emulator.count("list-calls")
    stack.wait(f"{times} more polls", lambda: emulator.count("list-calls") >= seen + times, 240)


def noted(stack: Stack) -> int:
    """Return the number of calls that are recorded as fired."""
    if not NEWEST:
        return 0
    standings = stack.rows("select value from asset_state_store")
    return sum(len(text) // 8 for (value,) in standings for text in parsed(value)["fired"].values())


def test_each_call_has_one_event_whenever_the_triggerer_is_killed(stack: Stack, emulator: Emulator) -> None:
    ended: list[str] = []

    def end() -> str:
        moment = int(time.time() * 1000)
        ended.append(f"call_{len(ended)}")
        emulator.add_call(call_id=ended[-1], start_timestamp=moment - 60_000, end_timestamp=moment)
        return ended[-1]

    def has_event(call_id: str) -> Callable[[], Any]:
        return lambda: stack.events()[call_id]

    # Its first event contains its position.
    polled(stack, emulator)
    stack.wait("the first event", has_event(end()), 240)
    if NEWEST:
        stack.wait("the call is recorded as fired", lambda: noted(stack) == 1, 240)

    # Kill the triggerer after the event and before the record.
    stack.wait("the second event", has_event(end()), 240)
    stack.kill("triggerer")
    assert noted(stack) == (1 if NEWEST else 0)
    end()
    time.sleep(2)  # longer than the lookback
    stack.start("triggerer")
    stack.wait("the events of the calls that ended without a triggerer", has_event(ended[-1]), 240)
    polled(stack, emulator, 2)
    assert stack.events() == Counter(ended)

    # Kill the triggerer at several times after a poll that found calls.
    chance = random.Random(1)
    for _ in range(3):
        end()
        polled(stack, emulator)
        time.sleep(chance.uniform(0, 2))
        stack.kill("triggerer")
        end()
        stack.start("triggerer")
    end()
    stack.wait("all calls have events", lambda: len(stack.events()) == len(ended), 240)
    polled(stack, emulator, 2)
    assert stack.events() == Counter(ended)
    assert emulator.api_key not in stack.log("triggerer").read_text(errors="replace")
