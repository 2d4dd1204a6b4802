"""One async hook per connection for all triggers in an event loop.

A triggerer runs hundreds of waits at once. They share one hook, and so the quota of their organization, the pause when
Retell is rate limiting, the HTTP connections, and one lookup of the Airflow connection.

A busy triggerer keeps its hook for weeks. To notice a changed Airflow connection, the hook reads it again every few
minutes, and when Retell rejects the API key.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from airflow_provider_retell.api.errors import AuthenticationError, PermissionDeniedError
from airflow_provider_retell.api.quota import Quotas
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.clock import clock
from airflow_provider_retell.hooks.metrics import count_usage
from airflow_provider_retell.hooks.reason import safe_reason
from airflow_provider_retell.hooks.retell import RetellAsyncHook

if TYPE_CHECKING:
    import aiohttp

    from airflow_provider_retell.api.request import Request
    from airflow_provider_retell.hooks.connection import Settings

T = TypeVar("T")

log = logging.getLogger(__name__)

POLL_RETRY = RetryLimits(attempts=2, seconds=30, quiet=True)
"""Few attempts, because a poll that fails is followed by the next poll."""

_REFRESH_SECONDS = 300.0
"""The time between two reads of the Airflow connection."""


class _SharedHook(RetellAsyncHook):
    """A hook that applies changes to its Airflow connection."""

    def __init__(self, retell_conn_id: str) -> None:
        super().__init__(retell_conn_id, retry=POLL_RETRY)
        self._refresh_lock = asyncio.Lock()
        self._refreshed_at = clock().monotonic()
        self._next_refresh = self._refreshed_at + _REFRESH_SECONDS
        self._old_sessions: list[aiohttp.ClientSession] = []

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        while self._old_sessions:
            await self._old_sessions.pop().close()

    async def send(self, request: Request[T]) -> T:
        """Send *request*. If Retell rejects the API key, send it again if the Airflow connection has changed."""
        now = clock().monotonic()
        if now >= self._next_refresh:
            self._next_refresh = now + _REFRESH_SECONDS
            count_usage(self.quotas.usage, self.retell_conn_id)
            try:
                await self._refresh(self._settings, now)
            except Exception as error:
                log.warning(
                    "Connection %r could not be read again, so its last settings remain in use: %s",
                    self.retell_conn_id,
                    safe_reason(error),
                )
        used = self._settings
        try:
            return await super().send(request)
        except (AuthenticationError, PermissionDeniedError):
            await self._refresh(used, clock().monotonic())
            if self._settings == used:
                raise
        # Retell did not process the rejected request, so it is safe to repeat.
        return await super().send(request)

    async def _refresh(self, used: Settings | None, since: float) -> None:
        """Read the Airflow connection and apply its settings.

        Do nothing if another request has replaced the settings *used*, or has read the connection after *since*.
        """
        from airflow_provider_retell.hooks.aiohttp_transport import open_session

        async with self._refresh_lock:
            if self._settings != used or self._refreshed_at >= since:
                return
            now = clock().monotonic()
            fresh = await self._read_settings()
            self._refreshed_at = now
            if used is None or fresh == used:
                return
            session = open_session(fresh, self._connections)
            if self._session is not None:
                # Other requests may still use the old session, so close it at the end.
                self._old_sessions.append(self._session)
            self._session, self._settings = session, fresh
            if (fresh.quota, fresh.list_quota) != (used.quota, used.list_quota):
                count_usage(self.quotas.usage, self.retell_conn_id)
                self.quotas = Quotas(fresh.quota, fresh.list_quota)


@dataclass
class _Shared:
    hook: _SharedHook
    opening: asyncio.Task[RetellAsyncHook]
    users: int = 0


_shared: dict[tuple[asyncio.AbstractEventLoop, str], _Shared] = {}


@asynccontextmanager
async def shared_hook(retell_conn_id: str) -> AsyncIterator[RetellAsyncHook]:
    """Return the event loop's hook for *retell_conn_id*. The first user opens it, and the last one closes it.

    If the hook cannot be opened, all users who are waiting for it get the error. The next user opens a new hook.
    """
    key = (asyncio.get_running_loop(), retell_conn_id)
    shared = _shared.get(key)
    if shared is None:
        hook = _SharedHook(retell_conn_id)
        shared = _shared[key] = _Shared(hook, asyncio.create_task(hook.__aenter__()))
    shared.users += 1
    try:
        # The shield keeps a canceled user from canceling the task that opens the hook for the others.
        yield await asyncio.shield(shared.opening)
    finally:
        shared.users -= 1
        if shared.users == 0:
            del _shared[key]
            shared.opening.cancel()
            await asyncio.gather(shared.opening, return_exceptions=True)
            await shared.hook.__aexit__()
