"""One async hook per connection for everything that runs in one event loop.

A triggerer runs hundreds of waits at once. They share a hook, and with it the quota of their organisation, its
connections to Retell, its pause when Retell is throttling, and one look-up of the Airflow connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from airflow_provider_retell.api.retry import Patience
from airflow_provider_retell.hooks.retell import RetellAsyncHook

POLL_PATIENCE = Patience(attempts=2, seconds=30)
"""Few attempts: whoever polls comes again anyway, and counts the polls that failed."""


@dataclass
class _Shared:
    hook: RetellAsyncHook
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
        hook = RetellAsyncHook(retell_conn_id, patience=POLL_PATIENCE)
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
