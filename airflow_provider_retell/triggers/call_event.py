"""Start DAGs when calls end: an event trigger for ``AssetWatcher``."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from airflow.triggers.base import TriggerEvent

try:
    from airflow_provider_retell._compat import BaseEventTrigger
except ImportError as error:
    raise ImportError("CallEventTrigger needs Airflow 3: there are no asset watchers before") from error

if TYPE_CHECKING:
    from airflow_provider_retell.api.models import Call

Event = Literal["ended", "analyzed"]

_DAY = 24 * 3600
_MOST_FIRED = 5000


class CallEventTrigger(BaseEventTrigger):
    """Fire once for each call that ends, or whose analysis arrives. Needs Airflow 3.

    ``AssetWatcher(name="ended", trigger=CallEventTrigger())``. The payload has ``event`` (``call_ended`` or
    ``call_analyzed``), ``call_id``, ``call_status``, ``call_type``, ``direction``, ``agent_id``,
    ``disconnection_reason`` and ``end_timestamp``. Airflow puts several events into one DAG run: iterate over
    ``triggering_asset_events``, and take the payload from ``event.extra["payload"]``.

    On Airflow 3.3 and later the place where it stands is kept in the asset's state store after each event, so that
    a restarted triggerer goes on there: no call is missed, and none fires twice unless the triggerer dies in the
    moment between the two. Before 3.3 there is no such place: a restart looks back by ``lookback`` and may fire
    again for calls of that time.

    All watchers of one connection share one poll.

    :param retell_conn_id: the Airflow connection, of type ``retell``.
    :param event: ``"ended"``: whether anybody answered or not; ``"analyzed"``: ``call_analysis`` is there.
    :param agent_ids: only calls of these agents.
    :param call_type: only ``"phone_call"`` or ``"web_call"``.
    :param direction: only ``"inbound"`` or ``"outbound"``.
    :param poll_interval: seconds between two polls.
    :param overlap: seconds that each poll reaches back, for calls that appear late in the list. An analysis is
        waited for up to a day after the call.
    :param lookback: seconds to look back when it starts and knows of no place where it stood.
    """

    def __init__(
        self,
        retell_conn_id: str = "retell_default",
        event: Event = "ended",
        agent_ids: Sequence[str] | None = None,
        call_type: str | None = None,
        direction: str | None = None,
        poll_interval: float = 30,
        overlap: float = 900,
        lookback: float = 600,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call, unused-ignore]
        if event not in ("ended", "analyzed"):
            raise ValueError(f"event is 'ended' or 'analyzed', not {event!r}")
        self.retell_conn_id = retell_conn_id
        self.event = event
        self.agent_ids = sorted(agent_ids) if agent_ids is not None else None
        self.call_type = call_type
        self.direction = direction
        self.poll_interval = poll_interval
        self.overlap = overlap
        self.lookback = lookback

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments; equal watchers give equal ones, which is how Airflow tells them."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "retell_conn_id": self.retell_conn_id,
            "event": self.event,
            "agent_ids": self.agent_ids,
            "call_type": self.call_type,
            "direction": self.direction,
            "poll_interval": self.poll_interval,
            "overlap": self.overlap,
            "lookback": self.lookback,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll for ever; an error is logged, and the next poll covers what it missed."""
        from airflow_provider_retell.api.errors import RetellError
        from airflow_provider_retell.api.webhook import call_event

        standing = await self._load()
        while True:
            try:
                calls = await shared_poll(self.retell_conn_id, standing.since, self.poll_interval * 0.8)
            except RetellError as error:
                self.log.warning("Calls could not be listed, the next poll makes up for it: %s", error)
            else:
                for call in calls:
                    if self._fires(call) and standing.is_new(call.call_id):
                        yield TriggerEvent(call_event(f"call_{self.event}", call))  # type: ignore[no-untyped-call, unused-ignore]
                        standing.fired[_digest(call.call_id)] = int(call.end_timestamp or 0)
                        await self._save(standing)
                if standing.move(calls, self.event, self.overlap):
                    await self._save(standing)
            await asyncio.sleep(self.poll_interval * random.uniform(0.9, 1.1))  # noqa: S311

    def _fires(self, call: Call) -> bool:
        return (
            (call.has_ended if self.event == "ended" else call.is_analyzed)
            and (self.agent_ids is None or call.agent_id in self.agent_ids)
            and self.call_type in (None, call.call_type)
            and self.direction in (None, call.direction)
        )

    @property
    def _key(self) -> str:
        return "retell-" + hashlib.sha256(repr(self.serialize()).encode()).hexdigest()[:24]

    async def _load(self) -> Standing:
        store = getattr(self, "asset_state_store", None)
        stored: Any = None
        if store is not None:
            try:
                stored = await store.aget(self._key)
            except (
                ValueError
            ) as error:  # several assets share this trigger, and Airflow cannot tell which is meant
                self.log.warning("Kept in memory only, since there is not one asset's state store: %s", error)
                self.asset_state_store = None
        if isinstance(stored, Mapping):
            return Standing(since=int(stored["since"]), fired=dict(stored["fired"]))
        return Standing(since=int((time.time() - self.lookback) * 1000))

    async def _save(self, standing: Standing) -> None:
        store = getattr(self, "asset_state_store", None)
        if store is not None:
            await store.aset(self._key, {"since": standing.since, "fired": standing.fired})


@dataclass
class Standing:
    """Where a watcher stands.

    :ivar since: it knows all about calls that ended before this (epoch milliseconds).
    :ivar fired: when the calls ended, epoch milliseconds, for which it has fired since then, by digest of their id.
    """

    since: int
    fired: dict[str, int] = field(default_factory=dict)

    def is_new(self, call_id: str) -> bool:
        """Return whether it has not fired for this call."""
        return _digest(call_id) not in self.fired

    def move(self, calls: Sequence[Call], event: Event, overlap: float) -> bool:
        """Move on, but not past a call that is still to be analysed; return whether it moved."""
        now = time.time() * 1000
        limit = now - overlap * 1000
        if event == "analyzed":
            waiting = [call.end_timestamp for call in calls if call.end_timestamp and not call.is_analyzed]
            limit = max(min([limit, *waiting]), now - _DAY * 1000)
        if len(self.fired) > _MOST_FIRED:  # a state store holds some ten thousand bytes
            limit = max(limit, sorted(self.fired.values())[-_MOST_FIRED])
        if limit <= self.since:
            return False
        self.since = int(limit)
        self.fired = {digest: ended for digest, ended in self.fired.items() if ended >= self.since}
        return True


@dataclass
class _Poll:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    at: float = 0.0
    since: int = 0
    asked: list[int] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)


_polls: dict[tuple[asyncio.AbstractEventLoop, str], _Poll] = {}


async def shared_poll(retell_conn_id: str, since: int, max_age: float) -> list[Call]:
    """Return the calls that ended at or after *since*, oldest first; asked at most once per *max_age* seconds."""
    from airflow_provider_retell.hooks.shared import shared_hook

    poll = _polls.setdefault((asyncio.get_running_loop(), retell_conn_id), _Poll())
    async with poll.lock:
        poll.asked.append(since)
        if time.monotonic() - poll.at > max_age or since < poll.since:
            # From where any watcher stood since the last poll, so that the next one need not ask again.
            oldest = min(poll.asked)
            started = time.monotonic()
            criteria = {"end_timestamp": {"type": "number", "op": "ge", "value": oldest}}
            async with shared_hook(retell_conn_id) as hook:
                calls = [call async for call in hook.list_calls(filter_criteria=criteria)]
            poll.calls = sorted(calls, key=lambda call: call.end_timestamp or 0)
            poll.at, poll.since, poll.asked = started, oldest, []
        return [call for call in poll.calls if (call.end_timestamp or 0) >= since]


def _digest(call_id: str) -> str:
    return hashlib.sha256(call_id.encode()).hexdigest()[:12]
