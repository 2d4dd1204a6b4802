"""Each call and chat has exactly one event although the triggerer of the watchers is killed."""

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
        stack.start_all()
        stack.connect_itself("this_airflow")
        yield stack


def polled(stack: Stack, emulator: Emulator, times: int = 1) -> None:
    """Wait until both watchers have polled *times* more."""
    wanted = {route: emulator.count(route) + times for route in ("list-calls", "list-chats")}
    stack.wait(
        f"{times} more polls",
        lambda: all(emulator.count(route) >= count for route, count in wanted.items()),
    )


def noted(stack: Stack) -> int:
    """Return the number of calls and chats that are recorded as fired."""
    if not NEWEST:
        return 0
    standings = stack.rows("select value from asset_state_store")
    return sum(len(text) // 8 for (value,) in standings for text in parsed(value)["fired"].values())


def test_each_call_and_chat_has_one_event_whenever_the_triggerer_is_killed(
    stack: Stack, emulator: Emulator
) -> None:
    ended: list[str] = []

    def end() -> list[str]:
        now = int(time.time() * 1000)
        times = {"start_timestamp": now - 60_000, "end_timestamp": now}
        number = len(ended)
        emulator.add_call(call_id=f"call_{number}", **times)
        emulator.add_chat(chat_id=f"chat_{number}", **times)
        ended.extend([f"call_{number}", f"chat_{number}"])
        return ended[-2:]

    def have_events(ids: list[str]) -> Callable[[], Any]:
        return lambda: stack.events().keys() >= set(ids)

    # Their first events contain their positions.
    polled(stack, emulator)
    stack.wait("the first events", have_events(end()))
    if NEWEST:
        stack.wait("the records are stored as fired", lambda: noted(stack) == 2)

    # Kill the triggerer after the events and before the states are stored. A busy machine may need several attempts.
    for _ in range(5):
        stack.wait("the next events", have_events(end()))
        stack.kill("triggerer")
        if noted(stack) < len(ended):
            break
        stack.start("triggerer")
    else:
        pytest.fail("the states were stored before each kill")
    end()
    time.sleep(2)  # longer than the lookback
    stack.start("triggerer")
    stack.wait("the events of the records that ended without a triggerer", have_events(ended[-2:]))
    polled(stack, emulator, 2)
    assert stack.events() == Counter(ended)

    # Kill the triggerer at several times after a poll that found records.
    chance = random.Random(1)
    for _ in range(3):
        end()
        polled(stack, emulator)
        time.sleep(chance.uniform(0, 2))
        stack.kill("triggerer")
        end()
        stack.start("triggerer")
    end()
    stack.wait("all records have events", lambda: len(stack.events()) == len(ended))
    polled(stack, emulator, 2)
    assert stack.events() == Counter(ended)
    assert emulator.api_key not in stack.log("triggerer").read_text(errors="replace")
