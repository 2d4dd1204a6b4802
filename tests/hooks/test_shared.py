"""All users in one event loop share a hook, which applies changes to its Airflow connection."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.errors import AuthenticationError, PermissionDeniedError, RetellConfigError
from airflow_provider_retell.clock import clock, no_waiting
from airflow_provider_retell.emulator import Fault
from airflow_provider_retell.hooks import retell, shared
from airflow_provider_retell.hooks.retell import RetellAsyncHook
from airflow_provider_retell.hooks.shared import shared_hook

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_retell.emulator import Emulator


@pytest.fixture(autouse=True)
def no_shared_hook_remains() -> Any:
    yield
    assert shared._shared == {}


@pytest.fixture
def opened(mocker: Any) -> list[RetellAsyncHook]:
    """Collects the hooks that are opened."""
    hooks: list[RetellAsyncHook] = []
    enter = RetellAsyncHook.__aenter__

    async def collect(hook: RetellAsyncHook) -> RetellAsyncHook:
        hooks.append(hook)
        return await enter(hook)

    mocker.patch.object(RetellAsyncHook, "__aenter__", collect)
    return hooks


def test_concurrent_users_share_a_hook(emulator: Emulator, opened: list[Any]) -> None:
    async def use() -> str:
        async with shared_hook("retell_default") as hook:
            return (await hook.get_call("call_1")).call_id

    async def go() -> None:
        assert await asyncio.gather(*(use() for _ in range(10))) == ["call_1"] * 10

    asyncio.run(go())
    assert len(opened) == 1
    assert opened[0]._session is None


def test_hook_is_open_until_its_last_user_leaves(emulator: Emulator, opened: list[Any]) -> None:
    async def go() -> None:
        async with shared_hook("retell_default") as first:
            async with shared_hook("retell_default") as second:
                assert second is first
            await first.get_call("call_1")
        async with shared_hook("retell_default") as third:
            assert third is not first
            await third.get_call("call_1")

    asyncio.run(go())
    assert len(opened) == 2


def test_other_connections_and_other_loops_have_their_own_hook(
    emulator: Emulator, opened: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", os.environ["AIRFLOW_CONN_RETELL_DEFAULT"])

    async def go() -> None:
        async with shared_hook("retell_default") as one, shared_hook("other") as other:
            assert one is not other

    asyncio.run(go())
    asyncio.run(go())
    assert len(opened) == 4


def test_invalid_connection_is_an_error_for_every_user(connect: Any) -> None:
    connect(password=None)

    async def use() -> None:
        async with shared_hook("retell_default"):
            pytest.fail("the hook opened")

    async def go() -> None:
        results = await asyncio.gather(use(), use(), use(), return_exceptions=True)
        assert [type(result) for result in results] == [RetellConfigError] * 3

    asyncio.run(go())


def test_canceled_user_does_not_close_the_hook_of_the_others(emulator: Emulator) -> None:
    async def go() -> None:
        entered = asyncio.Event()

        async def wait() -> None:
            async with shared_hook("retell_default"):
                entered.set()
                await asyncio.Event().wait()

        task = asyncio.ensure_future(wait())
        await entered.wait()
        async with shared_hook("retell_default") as hook:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await hook.get_call("call_1")).call_id == "call_1"

    asyncio.run(go())


# -- changes to the Airflow connection --------------------------------------------------------------------------------


@pytest.fixture
def rotate(emulator: Emulator, connect: Any) -> Callable[..., None]:
    """Change the API key and the extra fields of ``retell_default``."""
    return lambda key, **extra: connect(emulator.url, password=key, **extra)


@pytest.fixture
def lookups(mocker: Any) -> Any:
    """A spy on the lookups of the Airflow connection."""
    return mocker.spy(retell, "aget_connection")


def test_revoked_api_key_is_replaced_for_all_users(
    emulator: Emulator, rotate: Any, opened: list[Any], lookups: Any
) -> None:
    emulator.add_key("key_new")

    async def go() -> None:
        async with shared_hook("retell_default") as hook:
            await hook.get_call("call_1")
            quotas = hook.quotas
            rotate("key_new")
            emulator.revoke_key(emulator.api_key)
            await asyncio.gather(*(hook.get_call("call_1") for _ in range(10)))
            async with shared_hook("retell_default") as newcomer:
                await newcomer.get_call("call_1")
            assert hook.quotas is quotas

    asyncio.run(go())
    assert (len(opened), lookups.call_count) == (1, 2)
    assert emulator.count(status=401) <= 10
    assert emulator.count(status=200) == 12


def test_api_key_that_lacks_a_permission_is_replaced_too(emulator: Emulator, rotate: Any) -> None:
    emulator.add_key("key_restricted", {"call": "edit"})
    good = emulator.api_key
    rotate("key_restricted")

    async def go() -> None:
        async with shared_hook("retell_default") as hook:
            with pytest.raises(PermissionDeniedError):
                await hook.get_call("call_1")
            rotate(good)
            await hook.get_call("call_1")

    asyncio.run(go())


@pytest.mark.parametrize("new", ["the same", "key_bad_too"])
def test_connection_without_a_valid_api_key_is_an_error(
    emulator: Emulator, rotate: Any, lookups: Any, new: str
) -> None:
    async def go() -> None:
        async with shared_hook("retell_default") as hook:
            emulator.revoke_key(emulator.api_key)
            if new != "the same":
                rotate(new)
            results = await asyncio.gather(
                *(hook.get_call("call_1") for _ in range(10)), return_exceptions=True
            )
            assert [type(result) for result in results] == [AuthenticationError] * 10

    asyncio.run(go())
    assert emulator.count() <= 20


def test_requests_in_flight_are_not_interrupted_by_a_change(emulator: Emulator, rotate: Any) -> None:
    emulator.add_key("key_new")
    emulator.faults.add(Fault.slow(0.5), route="get-concurrency")
    emulator.faults.add(Fault.status(401), route="get-call")

    async def go() -> None:
        async with shared_hook("retell_default") as hook:
            old = hook._session
            slow = asyncio.ensure_future(hook.get_concurrency())
            while not old.connector._acquired:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            rotate("key_new")
            await hook.get_call("call_1")
            assert not slow.done()
            await slow
            assert hook.quotas.usage.requests == 3  # no request was interrupted and repeated
            new = hook._session
            assert new is not old
        assert old.closed
        assert new.closed

    asyncio.run(go())


def test_connection_is_read_again_every_few_minutes(
    emulator: Emulator, rotate: Any, opened: list[Any], lookups: Any
) -> None:
    emulator.add_key("key_new")

    async def go() -> None:
        async with shared_hook("retell_default") as hook:
            quotas, session = hook.quotas, hook._session

            async def use(*, after: float) -> None:
                clock().sleep(after)
                await asyncio.gather(*(hook.get_call("call_1") for _ in range(5)))

            await use(after=300)
            assert hook._session is session  # the connection was read, and is the same
            rotate("key_new")
            await use(after=290)
            assert hook._session is session  # the connection was not read yet
            await use(after=10)
            emulator.revoke_key(emulator.api_key)
            await use(after=0)
            assert hook.quotas is quotas
            rotate("key_new", quota="5/1")
            await use(after=300)
            assert hook.quotas.window("get-call").rate.requests == 5

    with no_waiting():
        asyncio.run(go())
    assert (len(opened), lookups.call_count) == (1, 4)
    assert emulator.count(status=401) == 0


def test_connection_that_cannot_be_read_again_keeps_its_last_settings(
    emulator: Emulator, connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def go() -> None:
        async with shared_hook("retell_default") as hook:
            clock().sleep(300)
            connect(password=None)
            await hook.get_call("call_1")
            await hook.get_call("call_1")

    with no_waiting():
        asyncio.run(go())
    assert caplog.text.count("Connection 'retell_default' could not be read again") == 1
    assert "its last settings remain in use" in caplog.text
    assert "has no API key" in caplog.text
