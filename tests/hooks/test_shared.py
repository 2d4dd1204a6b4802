"""One hook for all that runs in one event loop."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.errors import AuthenticationError, PermissionDeniedError, RetellConfigError
from airflow_provider_retell.emulator import Fault
from airflow_provider_retell.hooks import retell, shared
from airflow_provider_retell.hooks.retell import RetellAsyncHook
from airflow_provider_retell.hooks.shared import shared_hook

if TYPE_CHECKING:
    from collections.abc import Callable

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


# -- the Airflow connection changes -------------------------------------------------------------------------------


@pytest.fixture
def rotate(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put another key, and extras, into ``retell_default``."""

    def rotate(key: str, **extra: Any) -> None:
        connection = {"conn_type": "retell", "host": emulator.url, "password": key, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_RETELL_DEFAULT", json.dumps(connection))

    return rotate


@pytest.fixture
def lookups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The look-ups of the Airflow connection."""
    noted: list[str] = []
    look_up = retell.aget_connection

    async def look(hook: Any, conn_id: str) -> Any:
        noted.append(conn_id)
        return await look_up(hook, conn_id)

    monkeypatch.setattr(retell, "aget_connection", look)
    return noted


def test_a_revoked_key_is_replaced_for_old_users_and_new_ones(
    emulator: Emulator, rotate: Any, opened: list[Any], lookups: list[str]
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
    assert (len(opened), len(lookups)) == (1, 2)
    assert emulator.count(status=401) <= 10
    assert emulator.count(status=200) == 12


def test_a_key_that_lacks_a_permission_is_replaced_too(emulator: Emulator, rotate: Any) -> None:
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
def test_a_connection_that_holds_no_good_key_stays_refused(
    emulator: Emulator, rotate: Any, lookups: list[str], new: str
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


def test_requests_under_way_survive_the_change(emulator: Emulator, rotate: Any) -> None:
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
            assert hook.quotas.usage.requests == 3  # nothing was cut off and sent again
            new = hook._session
            assert new is not old
        assert old.closed
        assert new.closed

    asyncio.run(go())


def test_every_few_minutes_a_hook_follows_its_connection(
    emulator: Emulator, rotate: Any, opened: list[Any], lookups: list[str]
) -> None:
    emulator.add_key("key_new")

    async def go() -> None:
        async with shared_hook("retell_default") as hook:
            quotas, session = hook.quotas, hook._session

            async def use(*, later: bool) -> None:
                hook._look_again_at -= shared._FRESH_SECONDS * later
                await asyncio.gather(*(hook.get_call("call_1") for _ in range(5)))

            await use(later=True)
            assert hook._session is session  # it looked, and nothing is different
            rotate("key_new")
            await use(later=False)
            assert hook._session is session  # too soon to look again
            await use(later=True)
            emulator.revoke_key(emulator.api_key)
            await use(later=False)
            assert hook.quotas is quotas
            rotate("key_new", quota="5/1")
            await use(later=True)
            assert hook.quotas.window("get-call").rate.requests == 5

    asyncio.run(go())
    assert (len(opened), len(lookups)) == (1, 4)
    assert emulator.count(status=401) == 0


def test_a_connection_that_cannot_be_read_again_fails_nobody(
    emulator: Emulator, connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def go() -> None:
        async with shared_hook("retell_default") as hook:
            hook._look_again_at = 0
            connect(password=None)
            await hook.get_call("call_1")
            await hook.get_call("call_1")

    asyncio.run(go())
    assert caplog.text.count("Going on with connection 'retell_default' as it was: ") == 1
    assert "has no API key" in caplog.text
