"""The list of ended calls, which all watchers of a connection share."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from airflow_provider_retell.api.choices import UNTIL, Until
from airflow_provider_retell.clock import clock

if TYPE_CHECKING:
    from airflow_provider_retell.api.calls.models import Call


@dataclass(frozen=True)
class EndedCall:
    """The parts of a listed call that watchers use, without personal data.

    :ivar summary: the call as event payloads contain it.
    :ivar reached: the states that the call has reached.
    """

    summary: dict[str, Any]
    reached: frozenset[Until]

    @classmethod
    def of(cls, call: Call) -> EndedCall:
        """Return the parts of *call* that watchers use."""
        from airflow_provider_retell.api.event_payload import call_summary

        return cls(call_summary(call), frozenset(state for state in UNTIL if call.has_reached(state)))

    @property
    def call_id(self) -> str:
        """The call's id."""
        return str(self.summary["call_id"])

    @property
    def ended_at(self) -> int:
        """The end of the call, in epoch milliseconds; 0 if unknown."""
        end = self.summary["end_timestamp"]
        return end if isinstance(end, int) else 0

    @property
    def digest(self) -> str:
        """A digest of the call's id, eight characters long."""
        return urlsafe_b64encode(hashlib.sha256(self.call_id.encode()).digest()[:6]).decode()


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
    """Return the calls that ended at or after *since*, oldest first.

    All watchers of a connection share the list, or the error, of one poll. Airflow 3.3 has shared streams for this, but
    older versions need this function anyway, and a shared stream fails a watcher that falls behind.

    :param since: epoch milliseconds.
    :param max_age: seconds after which the list is read again.
    """
    poll = _polls.setdefault(asyncio.get_running_loop(), {}).setdefault(retell_conn_id, _Poll())
    async with poll.lock:
        if clock().monotonic() - poll.at > max_age or since < poll.since:
            # Start at the earliest watermark since the last poll, so that one list serves all watchers.
            oldest = int(min(since, poll.wanted))
            calls: list[EndedCall] = []
            error: Exception | None = None
            try:
                calls = await _list_calls(retell_conn_id, oldest)
            except Exception as failure:
                error = failure
            poll.calls, poll.error = sorted(calls, key=lambda call: call.ended_at), error
            poll.at, poll.since, poll.wanted = clock().monotonic(), oldest, since
        poll.wanted = min(since, poll.wanted)
        if poll.error is not None:
            raise poll.error
        return [call for call in poll.calls if call.ended_at >= since]


async def _list_calls(retell_conn_id: str, since: int) -> list[EndedCall]:
    from airflow_provider_retell.api.calls.endpoints import list_calls
    from airflow_provider_retell.api.paging import Pages
    from airflow_provider_retell.hooks.shared import shared_hook

    criteria = {"end_timestamp": {"type": "number", "op": "ge", "value": since}}
    pages = Pages(list_calls, filter_criteria=criteria, limit=1000)
    calls: list[EndedCall] = []
    async with shared_hook(retell_conn_id) as hook:
        for request in pages:
            # A malformed call must not prevent the events of the others.
            calls += map(EndedCall.of, pages.read(await hook.send(request), malformed=True))
    return calls
