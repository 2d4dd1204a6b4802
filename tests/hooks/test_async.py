"""What only the async hook has: a loop that must not block, tasks that may be cancelled, sessions that must close."""

from __future__ import annotations

import asyncio
import gc
import time
import warnings
from typing import Any

import pytest
from airflow.exceptions import AirflowNotFoundException
from packaging.version import Version

from airflow_provider_retell import _compat
from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.errors import RetellConfigError, RetellTimeoutError
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.hooks.retell import RetellAsyncHook


def test_a_hook_that_is_not_open_says_how_to_open_it(emulator: Emulator) -> None:
    async def go() -> None:
        hook = RetellAsyncHook()
        with pytest.raises(RuntimeError, match="use it as 'async with RetellAsyncHook"):
            await hook.get_call("call_1")
        async with hook:
            await hook.get_call("call_1")
        with pytest.raises(RuntimeError, match="use it as 'async with RetellAsyncHook"):
            await hook.get_call("call_1")
        await hook.__aexit__(None, None, None)  # twice does no harm

    asyncio.run(go())
    assert emulator.count() == 1


def test_the_session_is_closed_at_exit_even_after_an_error(emulator: Emulator) -> None:
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


def test_a_cancelled_request_gives_its_place_in_the_quota_back(connect: Any) -> None:
    with Emulator() as emulator:
        connect(emulator.url, password=emulator.api_key, quota="1/0.2")
        emulator.add_call(call_id="call_1")
        emulator.faults.add(Fault.hang())

        async def go() -> None:
            async with RetellAsyncHook() as hook:
                task = asyncio.ensure_future(hook.get_call("call_1"))
                while emulator.count() == 0:  # noqa: ASYNC110 - counted in another thread
                    await asyncio.sleep(0.01)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                call = await asyncio.wait_for(hook.get_call("call_1"), 5)
                assert call.call_id == "call_1"

        asyncio.run(go())


def test_a_request_cancelled_while_it_waits_takes_no_place(connect: Any) -> None:
    with Emulator() as emulator:
        connect(emulator.url, password=emulator.api_key, quota="1/0.6")
        emulator.add_call(call_id="call_1")

        async def go() -> None:
            async with RetellAsyncHook() as hook:
                await hook.get_call("call_1")
                waiting = asyncio.ensure_future(hook.get_call("call_1"))
                await asyncio.sleep(0)  # it runs up to its wait
                waiting.cancel()
                start = time.monotonic()
                await asyncio.wait_for(hook.get_call("call_1"), 5)
                assert time.monotonic() - start < 1.1

        asyncio.run(go())
        assert emulator.count() == 2


class Ticker:
    """Measures the longest time for which the event loop did not get round."""

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


def test_a_slow_look_up_does_not_block_the_loop(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets back ends take their time; the look-up that this Airflow has is made slow in the way it would be."""
    real = RetellAsyncHook.get_connection
    real_async = getattr(RetellAsyncHook, "aget_connection", None)
    ways = []

    def slow(conn_id: str) -> Any:
        ways.append("thread")
        time.sleep(0.8)
        return real(conn_id)

    async def slow_async(conn_id: str) -> Any:
        ways.append("async")
        await asyncio.sleep(0.8)
        return await real_async(conn_id)

    monkeypatch.setattr(RetellAsyncHook, "get_connection", staticmethod(slow))
    if real_async is not None:
        monkeypatch.setattr(RetellAsyncHook, "aget_connection", staticmethod(slow_async))

    async def go() -> float:
        async with RetellAsyncHook():
            pass  # the HTTP library is loaded
        ways.clear()
        async with Ticker() as ticker, RetellAsyncHook() as hook:
            await hook.get_call("call_1")
        return ticker.longest

    assert asyncio.run(go()) < 0.6
    assert len(ways) == 1


def test_the_look_up_is_the_one_that_is_safe_on_this_airflow() -> None:
    asked = []

    class Hook:
        @staticmethod
        def get_connection(conn_id: str) -> str:
            asked.append("get_connection")
            return conn_id

        @staticmethod
        async def aget_connection(conn_id: str) -> str:
            asked.append("aget_connection")
            return conn_id

    assert asyncio.run(_compat.aget_connection(Hook, "x")) == "x"
    from airflow import __version__

    release = Version(__version__).release
    assert asked == ["aget_connection" if release >= (3, 3, 2) else "get_connection"]


def test_look_ups_at_the_same_time_all_succeed(emulator: Emulator) -> None:
    async def one() -> str:
        async with RetellAsyncHook() as hook:
            return (await hook.get_call("call_1")).call_id

    async def go() -> list[str]:
        return await asyncio.wait_for(asyncio.gather(*(one() for _ in range(8))), 20)

    assert asyncio.run(go()) == ["call_1"] * 8


def test_a_connection_that_is_missing_or_unusable_is_an_error_at_entry(connect: Any) -> None:
    async def go(conn_id: str) -> None:
        async with RetellAsyncHook(conn_id):
            pass

    connect(password=None)
    with pytest.raises(RetellConfigError, match="'retell_default' has no API key"):
        asyncio.run(go("retell_default"))
    with pytest.raises(AirflowNotFoundException):
        asyncio.run(go("no_such_connection"))


def test_no_more_connections_are_open_than_asked_for(emulator: Emulator) -> None:
    emulator.faults.add(Fault.slow(0.05), times=0)

    async def go() -> int:
        most = 0
        async with RetellAsyncHook(connections=3) as hook:
            tasks = [asyncio.ensure_future(hook.get_call("call_1")) for _ in range(9)]
            while not all(task.done() for task in tasks):
                await asyncio.sleep(0.005)
                unanswered = sum(1 for request in emulator.requests if request.status is None)
                most = max(most, unanswered)
            await asyncio.gather(*tasks)
        return most

    assert 2 <= asyncio.run(go()) <= 3


def test_waiting_for_a_free_connection_is_not_a_timeout(connect: Any) -> None:
    with Emulator() as emulator:
        connect(emulator.url, password=emulator.api_key, timeout=0.4, connect_timeout=0.4)
        emulator.faults.add(Fault.slow(0.15), times=0)

        async def go() -> None:
            async with RetellAsyncHook(connections=1, retry=RetryLimits(attempts=1)) as hook:
                await asyncio.gather(*(hook.get_concurrency() for _ in range(6)))

        asyncio.run(go())
        assert emulator.count(status=200) == 6


def test_a_procedure_runs_and_may_catch_errors(client: Any, emulator: Emulator) -> None:
    from airflow_provider_retell.api.errors import NotFoundError

    def procedure(fallback: bool) -> Any:
        try:
            yield endpoints.get_call("call_9")
        except NotFoundError:
            if not fallback:
                raise
        call = yield endpoints.get_call("call_1")
        return call.call_id

    assert client.run(procedure(True)) == "call_1"
    with pytest.raises(NotFoundError):
        client.run(procedure(False))


def test_a_timeout_of_the_caller_is_the_callers(emulator: Emulator) -> None:
    emulator.faults.add(Fault.hang(), times=0)

    async def go() -> None:
        async with RetellAsyncHook() as hook:
            await asyncio.wait_for(hook.get_call("call_1"), 0.2)

    with pytest.raises(asyncio.TimeoutError) as caught:
        asyncio.run(go())
    assert not isinstance(caught.value, RetellTimeoutError)
    assert emulator.count() == 1
