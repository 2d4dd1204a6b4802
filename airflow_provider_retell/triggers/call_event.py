"""Start DAGs when calls end: an event trigger for ``AssetWatcher``."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

from airflow.triggers.base import TriggerEvent

try:
    from airflow_provider_retell._compat import BaseEventTrigger
except ImportError as error:
    raise ImportError("CallEventTrigger needs Airflow 3: there are no asset watchers before") from error

if TYPE_CHECKING:
    from airflow_provider_retell.api.models import Call

__all__ = ["CallEventTrigger"]

Event = Literal["ended", "analyzed"]

log = logging.getLogger(__name__)

SETTLE_SECONDS = 5.0
"""Airflow stores events about a second after they fire; only then may be noted that they have fired."""

_BATCH = 500
_ANALYSIS_SECONDS = 6 * 3600
_MOST_FIRED = 5000


class CallEventTrigger(BaseEventTrigger):
    """Tell of each call that ends, or whose analysis arrives, once. Needs Airflow 3.

    ``AssetWatcher(name="ended", trigger=CallEventTrigger())``. One event tells of all calls that are new at a poll,
    500 at most: events that come while Airflow has yet to start a run for the one before them would wait for the run
    after that. The payload has ``event`` (``call_ended`` or ``call_analyzed``) and ``calls``, each with ``call_id``,
    ``call_status``, ``call_type``, ``direction``, ``agent_id``, ``disconnection_reason`` and ``end_timestamp``.
    Airflow may put several events into one DAG run: iterate over ``triggering_asset_events``, and take the payload
    from ``event.extra["payload"]``.

    On Airflow 3.3 and later the place where it stands is kept in the asset's state store, so that a restarted
    triggerer goes on there: no call is missed. A call fires again only if the triggerer stops within the seconds
    between its event and the note of it. Before 3.3 there is no such place: a restart looks back by ``lookback``,
    fires again for the calls of that time, and misses what ended before it.

    All watchers of one connection share one poll.

    :param retell_conn_id: the Airflow connection, of type ``retell``.
    :param event: ``"ended"``: whether anybody answered or not; ``"analyzed"``: ``call_analysis`` is there.
    :param agent_ids: only calls of these agents.
    :param call_type: only ``"phone_call"`` or ``"web_call"``.
    :param direction: only ``"inbound"`` or ``"outbound"``.
    :param poll_interval: seconds between two polls.
    :param overlap: seconds that each poll reaches back, for calls that appear late in the list. An analysis is
        waited for up to six hours after the call.
    :param lookback: seconds to look back when it starts and knows of no place where it stood.
    """

    def __init__(
        self,
        retell_conn_id: str = "retell_default",
        event: Event = "ended",
        agent_ids: Collection[str] | None = None,
        call_type: str | None = None,
        direction: str | None = None,
        poll_interval: float = 30,
        overlap: float = 900,
        lookback: float = 600,
        **airflow: Any,
    ) -> None:
        # Airflow's own base takes any argument, so a misspelt filter would let all calls through.
        if unknown := airflow.keys() - {"queue"}:
            raise TypeError(f"CallEventTrigger has no argument {', '.join(sorted(unknown))}")
        super().__init__(**airflow)  # type: ignore[no-untyped-call, unused-ignore]
        if event not in ("ended", "analyzed"):
            raise ValueError(f"event is 'ended' or 'analyzed', not {event!r}")
        if agent_ids is not None and (isinstance(agent_ids, str) or not agent_ids):
            raise ValueError("agent_ids is a list of at least one id, or None for all agents")
        if poll_interval <= 0 or overlap < 0 or lookback < 0:
            raise ValueError("poll_interval is more than 0 seconds; overlap and lookback are 0 or more")
        self.retell_conn_id = retell_conn_id
        self.event = event
        self.agent_ids = sorted(set(agent_ids)) if agent_ids is not None else None
        self.call_type = call_type
        self.direction = direction
        self.poll_interval = poll_interval
        self.overlap = overlap
        self.lookback = lookback

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments; equal watchers give equal ones, which is how Airflow tells them."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            **self._watched,
            "poll_interval": self.poll_interval,
            "overlap": self.overlap,
            "lookback": self.lookback,
        }

    @property
    def _watched(self) -> dict[str, Any]:
        return {
            "retell_conn_id": self.retell_conn_id,
            "event": self.event,
            "agent_ids": self.agent_ids,
            "call_type": self.call_type,
            "direction": self.direction,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll for ever; an error is logged, and the next poll covers what it missed."""
        standing = await self._load()
        while True:
            try:
                calls = await shared_poll(self.retell_conn_id, standing.since, self.poll_interval * 0.8)
            except Exception as error:
                self._warn("Calls could not be listed, the next poll makes up for it", error)
            else:
                wanted = [call for call in calls if self._wants(call)]
                waiting = min((call.ended_at for call in wanted if not self._fires(call)), default=None)
                new = [call for call in wanted if self._fires(call) and standing.is_new(call)]
                if fired := new[:_BATCH]:
                    for call in fired:
                        standing.note(call)
                    facts = [call.facts for call in fired]
                    yield TriggerEvent({"event": f"call_{self.event}", "calls": facts})  # type: ignore[no-untyped-call, unused-ignore]
                    await asyncio.sleep(SETTLE_SECONDS)
                if calls:
                    seen_to = (calls if fired == new else fired)[-1]
                    standing.move(seen_to.ended_at, waiting, self.overlap)
                if not standing.saved:
                    await self._save(standing)
            await asyncio.sleep(self.poll_interval * random.uniform(0.9, 1.1))  # noqa: S311

    def _wants(self, call: EndedCall) -> bool:
        return (
            (self.agent_ids is None or call.facts["agent_id"] in self.agent_ids)
            and self.call_type in (None, call.facts["call_type"])
            and self.direction in (None, call.facts["direction"])
        )

    def _fires(self, call: EndedCall) -> bool:
        return call.has_ended if self.event == "ended" else call.is_analyzed

    @property
    def _key(self) -> str:
        # Not the intervals: a watcher that is told to poll more often goes on where it stood.
        return "retell-" + hashlib.sha256(repr(self._watched).encode()).hexdigest()[:24]

    async def _load(self) -> Standing:
        stored: Any = None
        while (store := getattr(self, "asset_state_store", None)) is not None:
            try:
                stored = await store.aget(self._key)
                break
            except ValueError:
                log.warning(
                    "Several assets have equal watchers, so it is not known whose state store to use: where this one "
                    "stands is kept in memory only. Give each asset's watcher a poll_interval of its own"
                )
                self.asset_state_store = None
            except Exception as error:  # starting without what it holds could miss calls
                self._warn("The asset's state store could not be read, trying again", error)
                await asyncio.sleep(self.poll_interval)
        if isinstance(stored, Mapping):
            return Standing.restore(stored)
        return Standing(since=int((time.time() - self.lookback) * 1000))

    async def _save(self, standing: Standing) -> None:
        store = getattr(self, "asset_state_store", None)
        try:
            if store is not None:
                await store.aset(self._key, standing.dump())
            standing.saved = True
        except Exception as error:
            standing.saved = False
            self._warn(
                "The asset's state store could not be written, trying again after the next poll", error
            )

    def _warn(self, what: str, error: Exception) -> None:
        from airflow_provider_retell.api.errors import RetellError

        # Only our own errors are known to hold nothing private.
        log.warning("%s: %s", what, error if isinstance(error, RetellError) else type(error).__name__)


@dataclass(frozen=True)
class EndedCall:
    """What is kept of a listed call: nothing that was said on it."""

    facts: dict[str, Any]
    has_ended: bool
    is_analyzed: bool

    @classmethod
    def of(cls, call: Call) -> EndedCall:
        """Return what is kept of *call*."""
        from airflow_provider_retell.api.webhook import call_facts

        return cls(call_facts(call), call.has_ended, call.is_analyzed)

    @property
    def ended_at(self) -> int:
        """When it ended, epoch milliseconds."""
        return int(self.facts["end_timestamp"] or 0)

    @property
    def digest(self) -> str:
        """Eight characters that stand for its id."""
        return urlsafe_b64encode(hashlib.sha256(self.facts["call_id"].encode()).digest()[:6]).decode()


@dataclass
class Standing:
    """Where a watcher stands.

    :ivar since: it knows all about calls that ended before this (epoch milliseconds).
    :ivar fired: the minute (of the epoch) in which each call ended that it has fired for since then, by digest.
    :ivar saved: whether the state store holds all this.
    """

    since: int
    fired: dict[str, int] = field(default_factory=dict)
    saved: bool = True

    def is_new(self, call: EndedCall) -> bool:
        """Return whether it has not fired for this call."""
        return call.digest not in self.fired

    def note(self, call: EndedCall) -> None:
        """Take note that it fires for this call."""
        self.fired[call.digest] = call.ended_at // 60_000
        self.saved = False

    def move(self, newest: int, waiting: int | None, overlap: float) -> None:
        """Move on, but not past a call that it waits for.

        It moves by the ends of calls, which are of Retell's clock: this machine's may differ.

        :param newest: when the newest call ended that it has seen to.
        :param waiting: when the oldest call ended that has yet to fire.
        """
        newest = min(newest, int(time.time() * 1000))  # whatever a single call says
        limit = newest - int(overlap * 1000)
        if waiting is not None:
            limit = max(min(limit, waiting), newest - _ANALYSIS_SECONDS * 1000)
        if len(self.fired) > _MOST_FIRED:
            limit = max(limit, sorted(self.fired.values())[-_MOST_FIRED] * 60_000)
        if limit > self.since:
            self.since, self.saved = limit, False
            self.fired = {digest: at for digest, at in self.fired.items() if at >= limit // 60_000}

    def dump(self) -> dict[str, Any]:
        """Return it as JSON, the digests of each minute as one text: Airflow wants no more than 64 kB."""
        minutes: dict[str, list[str]] = {}
        for digest, minute in self.fired.items():
            minutes.setdefault(str(minute), []).append(digest)
        return {"since": self.since, "fired": {minute: "".join(all_) for minute, all_ in minutes.items()}}

    @classmethod
    def restore(cls, stored: Mapping[str, Any]) -> Standing:
        """Return what :meth:`dump` gave."""
        return cls(
            int(stored["since"]),
            {
                text[at : at + 8]: int(minute)
                for minute, text in stored["fired"].items()
                for at in range(0, len(text), 8)
            },
        )


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
                    calls = [EndedCall.of(call) async for call in hook.list_calls(filter_criteria=criteria)]
            except Exception as error:
                fault = error
            poll.calls, poll.error = sorted(calls, key=lambda call: call.ended_at), fault
            poll.at, poll.since, poll.wanted = time.monotonic(), oldest, since
        poll.wanted = min(since, poll.wanted)
        if poll.error is not None:
            raise poll.error
        return [call for call in poll.calls if call.ended_at >= since]
