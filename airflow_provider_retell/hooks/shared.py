"""One async hook per connection for everything that runs in one event loop.

A triggerer runs hundreds of waits at once. They share a hook, and with it the quota of their organisation, its
connections to Retell, its pause when Retell is throttling, and one look-up of the Airflow connection.

A triggerer that is never idle keeps its hook for weeks, and the Airflow connection changes meanwhile: the hook takes
the new one when Retell refuses its key, and who comes later gets another hook if the connection is another by then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from airflow_provider_retell._compat import aget_connection
from airflow_provider_retell.api.errors import AuthenticationError, PermissionDeniedError
from airflow_provider_retell.api.quota import Quotas
from airflow_provider_retell.api.retry import Patience
from airflow_provider_retell.hooks.connection import Settings, read_connection
from airflow_provider_retell.hooks.retell import RetellAsyncHook

if TYPE_CHECKING:
    import aiohttp

    from airflow_provider_retell.api.request import Request

T = TypeVar("T")

POLL_PATIENCE = Patience(attempts=2, seconds=30)
"""Few attempts: whoever polls comes again anyway, and counts the polls that failed."""

_FRESH_SECONDS = 300.0
"""How long those who come later take the hook as it is, without another look at the Airflow connection."""


class _SharedHook(RetellAsyncHook):
    """A hook that outlives the Airflow connection which it was opened with.

    :param before: the hook in whose place it comes; they have one quota, as Retell has one for both.
    """

    def __init__(self, retell_conn_id: str, before: _SharedHook | None = None) -> None:
        super().__init__(retell_conn_id, patience=POLL_PATIENCE)
        self._before = before
        self._looking = asyncio.Lock()
        self._looked_at = 0.0
        self._retired: list[aiohttp.ClientSession] = []

    async def __aenter__(self) -> _SharedHook:
        self._looked_at = time.monotonic()
        await super().__aenter__()
        before, self._before = self._before, None
        if before is not None and _rates(before._settings) == _rates(self._settings):
            self.quotas, self._turns = before.quotas, before._turns
        return self

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        while self._retired:
            await self._retired.pop().close()

    async def send(self, request: Request[T]) -> T:
        """Send *request*; once more if the key is refused and the Airflow connection holds other settings by now."""
        used = self._settings
        try:
            return await super().send(request)
        except (AuthenticationError, PermissionDeniedError):  # Retell did nothing
            if not await self._renew(used, time.monotonic()):
                raise
        return await super().send(request)

    async def is_outdated(self) -> bool:
        """Return whether the Airflow connection is another than this hook's; looks every few minutes."""
        async with self._looking:
            now = time.monotonic()
            if now - self._looked_at < _FRESH_SECONDS:
                return False
            if await self._look() != self._settings:
                return True
            self._looked_at = now
            return False

    async def _look(self) -> Settings:
        return read_connection(await aget_connection(type(self), self.retell_conn_id))

    async def _renew(self, used: Settings | None, refused_at: float) -> bool:
        """Go on with what the Airflow connection says now; return False if that is what was refused."""
        from airflow_provider_retell.hooks.aiohttp_transport import open_session

        async with self._looking:
            if self._settings != used:
                return True
            if self._looked_at >= refused_at:  # another one who was refused has looked
                return False
            now = time.monotonic()
            fresh = await self._look()
            self._looked_at = now
            if fresh == used:
                return False
            session = open_session(fresh, self._connections)
            if self._session is not None:
                self._retired.append(self._session)  # requests of others may still be under way
            self._session, self._settings = session, fresh
            if _rates(fresh) != _rates(used):
                self.quotas = Quotas(fresh.quota, fresh.list_quota)
            return True


def _rates(settings: Settings | None) -> object:
    return settings and (settings.quota, settings.list_quota)


@dataclass
class _Shared:
    hook: _SharedHook
    opening: asyncio.Task[_SharedHook]
    users: int = 0


_shared: dict[tuple[asyncio.AbstractEventLoop, str], _Shared] = {}


@asynccontextmanager
async def shared_hook(retell_conn_id: str) -> AsyncIterator[RetellAsyncHook]:
    """Give the event loop's hook for *retell_conn_id*; the first user opens it, the last one closes it.

    A hook that cannot be opened fails all who wait for it; whoever comes after them tries anew. If the Airflow
    connection has changed, whoever comes gets a new hook, and those who have the old one keep it.
    """
    key = (asyncio.get_running_loop(), retell_conn_id)
    shared = _shared.get(key) or _open(key)
    shared.users += 1
    try:
        hook = await asyncio.shield(shared.opening)  # a user that is cancelled takes it from nobody
        if await hook.is_outdated():
            if _shared.get(key) is shared:
                _open(key, hook)
            async with shared_hook(retell_conn_id) as newer:
                yield newer
        else:
            yield hook
    finally:
        shared.users -= 1
        if shared.users == 0:
            if _shared.get(key) is shared:
                del _shared[key]
            shared.opening.cancel()
            await asyncio.gather(shared.opening, return_exceptions=True)
            await shared.hook.__aexit__()


def _open(key: tuple[asyncio.AbstractEventLoop, str], before: _SharedHook | None = None) -> _Shared:
    hook = _SharedHook(key[1], before)
    shared = _shared[key] = _Shared(hook, asyncio.create_task(hook.__aenter__()))
    return shared
