"""One async hook per connection for everything that runs in one event loop.

A triggerer runs hundreds of waits at once. They share a hook, and with it the quota of their organization, its
connections to Retell, its pause when Retell is throttling, and one look-up of the Airflow connection.

A triggerer that is never idle keeps its hook for weeks, and the Airflow connection changes meanwhile: the hook looks at
it again when Retell refuses the key, and every few minutes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from airflow_provider_retell.api.errors import AuthenticationError, PermissionDeniedError
from airflow_provider_retell.api.quota import Quotas
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.hooks.reason import safe_reason
from airflow_provider_retell.hooks.retell import RetellAsyncHook

if TYPE_CHECKING:
    import aiohttp

    from airflow_provider_retell.api.request import Request
    from airflow_provider_retell.hooks.connection import Settings

T = TypeVar("T")

log = logging.getLogger(__name__)

POLL_RETRY = RetryLimits(attempts=2, seconds=30)
"""Few attempts: whoever polls comes again anyway, and counts the polls that failed."""

_FRESH_SECONDS = 300.0
"""How long a hook goes on without another look at its Airflow connection."""


class _SharedHook(RetellAsyncHook):
    """A hook that follows its Airflow connection."""

    def __init__(self, retell_conn_id: str) -> None:
        super().__init__(retell_conn_id, retry=POLL_RETRY)
        self._looking = asyncio.Lock()
        self._looked_at = time.monotonic()
        self._look_again_at = self._looked_at + _FRESH_SECONDS
        self._retired: list[aiohttp.ClientSession] = []

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        while self._retired:
            await self._retired.pop().close()

    async def send(self, request: Request[T]) -> T:
        """Send *request*; once more if the key is refused and the Airflow connection has another by now."""
        now = time.monotonic()
        if now >= self._look_again_at:
            self._look_again_at = now + _FRESH_SECONDS
            try:
                await self._follow(self._settings, now)
            except Exception as error:
                log.warning(
                    "Going on with connection %r as it was: %s", self.retell_conn_id, safe_reason(error)
                )
        used = self._settings
        try:
            return await super().send(request)
        except (AuthenticationError, PermissionDeniedError):  # Retell did nothing
            await self._follow(used, time.monotonic())
            if self._settings == used:
                raise
        return await super().send(request)

    async def _follow(self, used: Settings | None, since: float) -> None:
        """Go on with what the Airflow connection says now, unless somebody has found other than *used*, or looked."""
        from airflow_provider_retell.hooks.aiohttp_transport import open_session

        async with self._looking:
            if self._settings != used or self._looked_at >= since:
                return
            now = time.monotonic()
            fresh = await self._read_settings()
            self._looked_at = now
            if used is None or fresh == used:
                return
            session = open_session(fresh, self._connections)
            if self._session is not None:
                self._retired.append(self._session)  # requests of others may still be under way
            self._session, self._settings = session, fresh
            if (fresh.quota, fresh.list_quota) != (used.quota, used.list_quota):
                self.quotas = Quotas(fresh.quota, fresh.list_quota)


@dataclass
class _Shared:
    hook: _SharedHook
    opening: asyncio.Task[RetellAsyncHook]
    users: int = 0


_shared: dict[tuple[asyncio.AbstractEventLoop, str], _Shared] = {}


@asynccontextmanager
async def shared_hook(retell_conn_id: str) -> AsyncIterator[RetellAsyncHook]:
    """Give the event loop's hook for *retell_conn_id*; the first user opens it, the last one closes it.

    A hook that cannot be opened fails all who wait for it; whoever comes after them tries anew.
    """
    key = (asyncio.get_running_loop(), retell_conn_id)
    shared = _shared.get(key)
    if shared is None:
        hook = _SharedHook(retell_conn_id)
        shared = _shared[key] = _Shared(hook, asyncio.create_task(hook.__aenter__()))
    shared.users += 1
    try:
        yield await asyncio.shield(shared.opening)  # a user that is cancelled takes it from nobody
    finally:
        shared.users -= 1
        if shared.users == 0:
            del _shared[key]
            shared.opening.cancel()
            await asyncio.gather(shared.opening, return_exceptions=True)
            await shared.hook.__aexit__()
