"""One hook for all that runs in one event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.errors import RetellConfigError
from airflow_provider_retell.hooks import shared
from airflow_provider_retell.hooks.retell import RetellAsyncHook
from airflow_provider_retell.hooks.shared import shared_hook

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator


@pytest.fixture(autouse=True)
def nothing_is_left() -> Any:
    yield
    assert shared._shared == {}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[RetellAsyncHook]:
    """The hooks that were opened."""
    hooks: list[RetellAsyncHook] = []
    enter = RetellAsyncHook.__aenter__

    async def noted(hook: RetellAsyncHook) -> RetellAsyncHook:
        hooks.append(hook)
        return await enter(hook)

    monkeypatch.setattr(RetellAsyncHook, "__aenter__", noted)
    return hooks


def test_users_at_the_same_time_share_a_hook(emulator: Emulator, opened: list[Any]) -> None:
    async def use() -> str:
        async with shared_hook("retell_default") as hook:
            return (await hook.get_call("call_1")).call_id

    async def go() -> None:
        assert await asyncio.gather(*(use() for _ in range(10))) == ["call_1"] * 10

    asyncio.run(go())
    assert len(opened) == 1
    assert opened[0]._session is None


def test_it_stays_open_until_the_last_user_has_left(emulator: Emulator, opened: list[Any]) -> None:
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


def test_another_connection_and_another_loop_have_their_own(
    emulator: Emulator, opened: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    monkeypatch.setenv("AIRFLOW_CONN_OTHER", os.environ["AIRFLOW_CONN_RETELL_DEFAULT"])

    async def go() -> None:
        async with shared_hook("retell_default") as one, shared_hook("other") as other:
            assert one is not other

    asyncio.run(go())
    asyncio.run(go())
    assert len(opened) == 4


def test_a_connection_that_cannot_be_used_fails_every_user_and_leaves_nothing(connect: Any) -> None:
    connect(password=None)

    async def use() -> None:
        async with shared_hook("retell_default"):
            pytest.fail("it opened")

    async def go() -> None:
        results = await asyncio.gather(use(), use(), use(), return_exceptions=True)
        assert [type(result) for result in results] == [RetellConfigError] * 3

    asyncio.run(go())


def test_a_user_that_is_cancelled_takes_the_hook_from_nobody(emulator: Emulator) -> None:
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
