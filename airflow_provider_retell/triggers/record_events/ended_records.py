"""The list of ended calls or chats, which all watchers of a connection share."""

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
    from airflow_provider_retell.api.records.models import RecordSummary
    from airflow_provider_retell.api.records.nouns import Noun


@dataclass(frozen=True)
class EndedRecord:
    """The parts of a listed call or chat that watchers use, without personal data.

    :ivar record_id: its id.
    :ivar summary: the record as event payloads contain it.
    :ivar reached: the states that the record has reached.
    """

    record_id: str
    summary: dict[str, Any]
    reached: frozenset[Until] = frozenset()

    @classmethod
    def of(cls, record: RecordSummary) -> EndedRecord:
        """Return the parts of *record* that watchers use."""
        from airflow_provider_retell.api.event_payload import record_summary

        reached = frozenset(state for state in UNTIL if record.has_reached(state))
        return cls(record.record_id, record_summary(record.kind, record), reached)

    @property
    def ended_at(self) -> int:
        """The end of the record, in epoch milliseconds; 0 if unknown."""
        end = self.summary["end_timestamp"]
        return end if isinstance(end, int) else 0

    @property
    def digest(self) -> str:
        """A digest of the record's id, eight characters long."""
        return urlsafe_b64encode(hashlib.sha256(self.record_id.encode()).digest()[:6]).decode()


@dataclass
class _Poll:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    at: float = float("-inf")
    since: int = 0
    wanted: float = float("inf")
    records: list[EndedRecord] = field(default_factory=list)
    error: Exception | None = None


_polls: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[Noun, str], _Poll]] = WeakKeyDictionary()


async def shared_poll(noun: Noun, retell_conn_id: str, since: int, max_age: float) -> list[EndedRecord]:
    """Return the calls or chats that ended at or after *since*, oldest first.

    All watchers of calls of a connection share the list, or the error, of one poll, and so do all watchers of chats.
    Airflow 3.3 has shared streams for this, but older versions need this function anyway, and a shared stream fails a
    watcher that falls behind.

    :param since: epoch milliseconds.
    :param max_age: seconds after which the list is read again.
    """
    polls = _polls.setdefault(asyncio.get_running_loop(), {})
    poll = polls.setdefault((noun, retell_conn_id), _Poll())
    async with poll.lock:
        if clock().monotonic() - poll.at > max_age or since < poll.since:
            # Start at the earliest watermark since the last poll, so that one list serves all watchers.
            oldest = int(min(since, poll.wanted))
            records: list[EndedRecord] = []
            error: Exception | None = None
            try:
                records = await _list_ended(noun, retell_conn_id, oldest)
            except Exception as failure:
                error = failure
            poll.records, poll.error = sorted(records, key=lambda record: record.ended_at), error
            poll.at, poll.since, poll.wanted = clock().monotonic(), oldest, since
        poll.wanted = min(since, poll.wanted)
        if poll.error is not None:
            raise poll.error
        return [record for record in poll.records if record.ended_at >= since]


async def _list_ended(noun: Noun, retell_conn_id: str, since: int) -> list[EndedRecord]:
    from airflow_provider_retell.api.kinds import kind_of
    from airflow_provider_retell.api.paging import Pages
    from airflow_provider_retell.hooks.shared import shared_hook

    criteria = {"end_timestamp": {"type": "number", "op": "ge", "value": since}}
    pages = Pages(kind_of(noun).listing, filter_criteria=criteria, limit=1000)
    records: list[EndedRecord] = []
    async with shared_hook(retell_conn_id) as hook:
        for request in pages:
            # A malformed record must not prevent the events of the others.
            records += map(EndedRecord.of, pages.read(await hook.send(request), malformed=True))
    return records
