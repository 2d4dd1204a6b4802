"""One poll per connection for the calls that have ended, whoever in the triggerer asks."""

from __future__ import annotations

import asyncio
import hashlib
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from airflow_provider_retell.api.calls.models import Call


@dataclass(frozen=True)
class EndedCall:
    """What is kept of a listed call: nothing that was said on it."""

    facts: dict[str, Any]
    has_ended: bool
    is_analyzed: bool

    @classmethod
    def of(cls, call: Call) -> EndedCall:
        """Return what is kept of *call*."""
        from airflow_provider_retell.api.event_payload import call_summary

        return cls(call_summary(call), call.has_ended, call.is_analyzed)

    @property
    def ended_at(self) -> int:
        """When it ended, epoch milliseconds."""
        end = self.facts["end_timestamp"]
        return end if isinstance(end, int) else 0

    @property
    def digest(self) -> str:
        """Eight characters that stand for its id."""
        return urlsafe_b64encode(hashlib.sha256(self.facts["call_id"].encode()).digest()[:6]).decode()


@dataclass
class _Poll:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    at: float = float("-inf")
    since: int = 0
    wanted: float = float("inf")
    calls: list[EndedCall] = field(default_factory=list)
    error: Exception | None = None


_polls: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Poll]] = WeakKeyDictionary()


async def shared_poll(retell_conn_id: str, since: int, max_age: float) -> list[EndedCall]:
    """Return the calls that ended at or after *since*, oldest first; asked at most once per *max_age* seconds.

    An error is shared for as long. Airflow 3.3 has shared streams for this, but they would be a second way beside the
    one for older versions, fail a watcher that falls behind, and give the same guarantee.
    """
    from airflow_provider_retell.api.calls.endpoints import list_calls
    from airflow_provider_retell.api.paging import Pages
    from airflow_provider_retell.hooks.shared import shared_hook

    poll = _polls.setdefault(asyncio.get_running_loop(), {}).setdefault(retell_conn_id, _Poll())
    async with poll.lock:
        if time.monotonic() - poll.at > max_age or since < poll.since:
            # From where any watcher stood since the last poll, so that the next one need not ask again.
            oldest = int(min(since, poll.wanted))
            criteria = {"end_timestamp": {"type": "number", "op": "ge", "value": oldest}}
            calls: list[EndedCall] = []
            fault: Exception | None = None
            try:
                async with shared_hook(retell_conn_id) as hook:
                    pages = Pages(list_calls, filter_criteria=criteria, limit=1000)
                    for request in pages:
                        # One call that is not as documented must not keep the others from firing.
                        listed = pages.read(await hook.send(request), malformed=True)
                        calls += map(EndedCall.of, listed)
            except Exception as error:
                fault = error
            poll.calls, poll.error = sorted(calls, key=lambda call: call.ended_at), fault
            poll.at, poll.since, poll.wanted = time.monotonic(), oldest, since
        poll.wanted = min(since, poll.wanted)
        if poll.error is not None:
            raise poll.error
        return [call for call in poll.calls if call.ended_at >= since]
