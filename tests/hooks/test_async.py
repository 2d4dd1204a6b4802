"""The async hook: it must not block the event loop, must survive canceled tasks, and must close its session."""

from __future__ import annotations

import asyncio
import gc
import time
import warnings
from typing import Any

import pytest
from airflow.exceptions import AirflowNotFoundException

from airflow_provider_retell.api.errors import RetellConfigError, RetellTimeoutError
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.hooks.retell import RetellAsyncHook


def test_hook_that_is_not_open_says_how_to_open_it(emulator: Emulator) -> None:
    async def go() -> None:
        hook = RetellAsyncHook()
        with pytest.raises(RuntimeError, match="use it as 'async with RetellAsyncHook"):
            await hook.get_call("call_1")
        async with hook:
            await hook.get_call("call_1")
        with pytest.raises(RuntimeError, match="use it as 'async with RetellAsyncHook"):
            await hook.get_call("call_1")
        await hook.__aexit__(None, None, None)  # closing it again is harmless

    asyncio.run(go())
    assert emulator.count() == 1


def test_session_is_closed_after_an_error(emulator: Emulator) -> None:
    sessions = []

    async def go() -> None:
        with pytest.raises(ZeroDivisionError):
            async with RetellAsyncHook() as hook:
                sessions.append(hook._session)
                await hook.get_call("call_1")
                raise ZeroDivisionError

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(go())
        gc.collect()
    assert sessions[0].closed
    assert [
        str(w.message) for w in caught if issubclass(w.category, ResourceWarning) and "aiohttp" in str(w)
    ] == []


def test_canceled_request_frees_its_slot_in_the_quota(connect: Any) -> None:
    with Emulator() as emulator:
        connect(emulator.url, password=emulator.api_key, quota="1/0.2")
        emulator.add_call(call_id="call_1")
        emulator.faults.add(Fault.hang())

        async def go() -> None:
            async with RetellAsyncHook() as hook:
                task = asyncio.ensure_future(hook.get_call("call_1"))
                while emulator.count() == 0:  # noqa: ASYNC110 - another thread counts
                    await asyncio.sleep(0.01)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                call = await asyncio.wait_for(hook.get_call("call_1"), 5)
                assert call.call_id == "call_1"

        asyncio.run(go())


def test_request_canceled_while_it_waits_takes_no_slot(connect: Any) -> None:
    with Emulator() as emulator:
        connect(emulator.url, password=emulator.api_key, quota="1/0.6")
        emulator.add_call(call_id="call_1")

        async def go() -> None:
            async with RetellAsyncHook() as hook:
                await hook.get_call("call_1")
                waiting = asyncio.ensure_future(hook.get_call("call_1"))
                await asyncio.sleep(0)  # let it run until it waits
                waiting.cancel()
                start = time.monotonic()
                await asyncio.wait_for(hook.get_call("call_1"), 5)
                assert time.monotonic() - start < 1.1

        asyncio.run(go())
        assert emulator.count() == 2


class Ticker:
    """Measures the longest time for which the event loop was blocked."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def __aenter__(self) -> Ticker:
        self._task = asyncio.ensure_future(self._tick())
        await asyncio.sleep(0.02)
        return self

    async def _tick(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.005)
            now = time.monotonic()
            self.longest = max(self.longest, now - last)
            last = now

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(0.02)
        self._task.cancel()


def test_slow_lookup_of_the_connection_does_not_block_the_loop(emulator: Emulator, mocker: Any) -> None:
    # Secrets backends can be slow. Which of the two lookups is used depends on the version of Airflow.
    real = RetellAsyncHook.get_connection
    real_async = getattr(RetellAsyncHook, "aget_connection", None)
    lookups = []

    def slow(conn_id: str) -> Any:
        lookups.append("thread")
        time.sleep(0.6)
        return real(conn_id)

    async def slow_async(conn_id: str) -> Any:
        lookups.append("async")
        await asyncio.sleep(0.6)
        return await real_async(conn_id)

    mocker.patch.object(RetellAsyncHook, "get_connection", staticmethod(slow))
    if real_async is not None:
        mocker.patch.object(RetellAsyncHook, "aget_connection", staticmethod(slow_async))

    async def go() -> float:
        # The first hook loads the HTTP library.
        async with RetellAsyncHook() as first:
            assert first.settings
        lookups.clear()
        async with Ticker() as ticker, RetellAsyncHook() as hook:
            await hook.get_call("call_1")
        return ticker.longest

    assert asyncio.run(go()) < 0.5
    assert len(lookups) == 1


def test_concurrent_lookups_of_the_connection_succeed(emulator: Emulator) -> None:
    async def one() -> str:
        async with RetellAsyncHook() as hook:
            return (await hook.get_call("call_1")).call_id

    async def go() -> list[str]:
        return await asyncio.wait_for(asyncio.gather(*(one() for _ in range(8))), 20)

    assert asyncio.run(go()) == ["call_1"] * 8


def test_missing_or_invalid_connection_is_an_error_when_the_hook_opens(connect: Any) -> None:
    async def go(conn_id: str) -> None:
        async with RetellAsyncHook(conn_id):
            pass

    connect(password=None)
    with pytest.raises(RetellConfigError, match="'retell_default' has no API key"):
        asyncio.run(go("retell_default"))
    with pytest.raises(AirflowNotFoundException):
        asyncio.run(go("no_such_connection"))


def test_number_of_http_connections_is_limited(emulator: Emulator) -> None:
    emulator.faults.add(Fault.slow(0.05), times=0)

    async def go() -> int:
        most = 0
        async with RetellAsyncHook(connections=3) as hook:
            tasks = [asyncio.ensure_future(hook.get_call("call_1")) for _ in range(9)]
            while not all(task.done() for task in tasks):
                await asyncio.sleep(0.005)
                open_requests = sum(1 for request in emulator.requests if request.status is None)
                most = max(most, open_requests)
            await asyncio.gather(*tasks)
        return most

    assert 2 <= asyncio.run(go()) <= 3


def test_waiting_for_a_free_http_connection_is_not_a_timeout(connect: Any) -> None:
    with Emulator() as emulator:
        connect(emulator.url, password=emulator.api_key, timeout=0.4, connect_timeout=0.4)
        emulator.faults.add(Fault.slow(0.15), times=0)

        async def go() -> None:
            async with RetellAsyncHook(connections=1, retry=RetryLimits(attempts=1)) as hook:
                await asyncio.gather(*(hook.get_concurrency() for _ in range(6)))

        asyncio.run(go())
        assert emulator.count(status=200) == 6


def test_timeout_of_the_caller_is_not_an_error_of_retell(emulator: Emulator) -> None:
    emulator.faults.add(Fault.hang(), times=0)

    async def go() -> None:
        async with RetellAsyncHook() as hook:
            await asyncio.wait_for(hook.get_call("call_1"), 0.2)

    with pytest.raises(asyncio.TimeoutError) as caught:
        asyncio.run(go())
    assert not isinstance(caught.value, RetellTimeoutError)
    assert emulator.count() == 1
