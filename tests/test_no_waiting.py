"""``no_waiting``: hooks, waits and triggers jump forward instead of sleeping."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell._compat import AirflowSensorTimeout
from airflow_provider_retell.clock import Clock, clock, no_waiting
from airflow_provider_retell.emulator import Clock as EmulatorClock
from airflow_provider_retell.emulator import Emulator, Fault, run_task
from airflow_provider_retell.hooks import RetellAsyncHook, RetellHook
from airflow_provider_retell.sensors import CallSensor

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


async def test_async_sleep_lets_other_coroutines_run() -> None:
    order: list[str] = []

    async def sleeper(name: str) -> None:
        order.append(f"{name} sleeps")
        await clock().sleep_async(3600)
        order.append(f"{name} wakes")

    with no_waiting() as fast:
        await asyncio.gather(sleeper("a"), sleeper("b"))
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


async def test_wait_of_the_real_clock_ends_with_the_task_or_with_the_time() -> None:
    quick = asyncio.ensure_future(asyncio.sleep(0))
    await clock().wait(quick, 20)
    assert quick.done()
    slow = asyncio.ensure_future(asyncio.sleep(20))
    await clock().wait(slow, 0.01)
    assert not slow.done()
    slow.cancel()


async def test_skipped_time_of_other_coroutines_counts_for_a_wait() -> None:
    async def sleep_often() -> None:
        for _ in range(3600 // 60):
            await clock().sleep_async(60)

    began = time.monotonic()
    with no_waiting():
        forever = asyncio.ensure_future(asyncio.Event().wait())
        started = clock().monotonic()
        sleeps = asyncio.ensure_future(sleep_often())
        await clock().wait(forever, 3600)
        assert not forever.done()
        assert clock().monotonic() - started >= 3600
        await sleeps
        forever.cancel()
    assert time.monotonic() - began < 10


async def test_skipped_time_of_another_thread_counts_for_a_wait() -> None:
    with no_waiting():
        forever = asyncio.ensure_future(asyncio.Event().wait())
        threading.Timer(0.02, lambda: clock().sleep(3600)).start()
        await clock().wait(forever, 3600)
        forever.cancel()


async def test_wait_ends_with_the_task_when_time_is_skipped() -> None:
    with no_waiting():
        task = asyncio.ensure_future(asyncio.sleep(0.02))
        await clock().wait(task, 3600)
        assert task.done()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(options, marks=pytest.mark.retell_emulator(quotas={"get-call": (2, 60)}, **options))
        for options in (
            {},
            {"clock": EmulatorClock(frozen=True)},
            {"throttle_headers": "http-date"},
            {"throttle_headers": "ratelimit-reset"},
        )
    ],
    ids=["running clock", "frozen clock", "date", "reset"],
)
def test_time_that_the_client_skips_frees_the_quota_of_the_emulator(
    retell_emulator: Emulator, retell_connection: str, options: Any
) -> None:
    retell_emulator.add_call(call_id="call_1")
    with no_waiting(retell_emulator.clock.advance) as fast, RetellHook(retell_connection) as hook:
        for _ in range(6):
            hook.get_call("call_1")
    assert 119 < fast.skipped < 150
    assert retell_emulator.count("get-call") == 8


def test_sensor_that_pokes_skips_its_poke_interval(retell_emulator: Emulator, retell_connection: str) -> None:
    retell_emulator.add_call(call_id="call_1", call_status="ongoing", progress=True)
    sensor = CallSensor(task_id="wait", call_id="call_1", until="ended", poke_interval=30, deferrable=False)
    with no_waiting(retell_emulator.clock.advance) as fast:
        result = run_task(sensor)
    assert result["call_status"] == "ended"
    assert fast.skipped % 30 < 1
    assert fast.skipped >= 30


def test_sensor_that_pokes_times_out_by_the_skipped_time(
    retell_emulator: Emulator, retell_connection: str
) -> None:
    retell_emulator.add_call(call_id="call_1", call_status="ongoing")
    sensor = CallSensor(task_id="wait", call_id="call_1", poke_interval=60, timeout=3600, deferrable=False)
    with (
        no_waiting() as fast,
        pytest.raises(AirflowSensorTimeout, match=r"timeout of 3600\.0\. .*Last state: ongoing$"),
    ):
        run_task(sensor)
    assert 3600 <= fast.skipped < 3700
