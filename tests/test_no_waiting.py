"""``no_waiting``: hooks, waits and triggers jump forward instead of sleeping."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.clock import Clock, clock, no_waiting
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.hooks import RetellAsyncHook, RetellHook

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def no_real_sleep() -> Iterator[None]:
    """Fail if a test sleeps for real."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < 5


def test_sleep_moves_both_times_without_sleeping() -> None:
    with no_waiting() as fast:
        assert clock() is fast
        before = clock().time(), clock().monotonic()
        clock().sleep(3600)
        passed = clock().time() - before[0], clock().monotonic() - before[1]
    assert passed == (pytest.approx(3600, abs=1), pytest.approx(3600, abs=1))
    assert fast.skipped == 3600


def test_async_sleep_lets_other_coroutines_run() -> None:
    order: list[str] = []

    async def sleeper(name: str) -> None:
        order.append(f"{name} sleeps")
        await clock().sleep_async(3600)
        order.append(f"{name} wakes")

    async def go() -> None:
        await asyncio.gather(sleeper("a"), sleeper("b"))

    with no_waiting() as fast:
        asyncio.run(go())
    assert order == ["a sleeps", "b sleeps", "a wakes", "b wakes"]
    assert fast.skipped == 7200


def test_on_sleep_gets_the_seconds_of_every_sleep() -> None:
    seconds: list[float] = []
    with no_waiting(seconds.append):
        clock().sleep(1.5)
        asyncio.run(clock().sleep_async(2))
        clock().sleep(-1)
    assert seconds == [1.5, 2, 0]


def test_nested_blocks_share_one_time() -> None:
    outer_seconds: list[float] = []
    inner_seconds: list[float] = []
    with no_waiting(outer_seconds.append) as outer:
        start = clock().monotonic()
        clock().sleep(100)
        with no_waiting(inner_seconds.append) as inner:
            assert clock() is inner
            assert clock().monotonic() - start >= 100  # the time does not jump back
            clock().sleep(50)
            assert inner.skipped == 50
        assert clock() is outer
        assert outer.skipped == 150
        assert 150 <= clock().monotonic() - start < 155
        assert clock().time() - time.time() == pytest.approx(150, abs=1)
    assert (outer_seconds, inner_seconds) == ([100, 50], [50])


def test_real_clock_is_back_after_the_block_even_after_an_error() -> None:
    before = clock()
    with pytest.raises(ZeroDivisionError), no_waiting():
        clock().sleep(100)
        raise ZeroDivisionError
    assert clock() is before
    assert type(clock()) is Clock
    assert abs(clock().time() - time.time()) < 1


def test_real_clock_sleeps() -> None:
    start = time.monotonic()
    clock().sleep(0.02)
    asyncio.run(clock().sleep_async(0.02))
    assert time.monotonic() - start >= 0.04
    assert abs(clock().monotonic() - time.monotonic()) < 1


@pytest.mark.parametrize("kind", ["blocking", "async"])
def test_hook_retries_without_sleeping(retell_emulator: Emulator, retell_connection: str, kind: str) -> None:
    retell_emulator.add_call(call_id="call_1")
    retell_emulator.faults.add(Fault.status(429, headers={"Retry-After": "100"}))
    emulated = retell_emulator.clock.now()

    async def go() -> Any:
        async with RetellAsyncHook() as hook:
            return await hook.get_call("call_1")

    with no_waiting(retell_emulator.clock.advance) as fast:
        call = RetellHook().get_call("call_1") if kind == "blocking" else asyncio.run(go())
    assert call.call_id == "call_1"
    assert 100 <= fast.skipped <= 101
    assert retell_emulator.clock.now() - emulated >= 100
