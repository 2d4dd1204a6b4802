"""Start DAGs when calls end: an event trigger for ``AssetWatcher``."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from typing import Any, Literal

from airflow.triggers.base import TriggerEvent

try:
    from airflow_provider_retell._compat import BaseEventTrigger
except ImportError as error:
    raise ImportError("CallEventTrigger needs Airflow 3: there are no asset watchers before") from error

from airflow_provider_retell.triggers.call_events.ended_calls import EndedCall, shared_poll
from airflow_provider_retell.triggers.call_events.fired_calls import FiredCalls
from airflow_provider_retell.triggers.call_events.watch_state import WatchState

__all__ = ["CallEventTrigger"]

Event = Literal["ended", "analyzed"]

log = logging.getLogger(__name__)

SETTLE_SECONDS = 5.0
"""Airflow stores events about a second after they fire; only then may be noted that they have fired."""

_BATCH = 500


class CallEventTrigger(BaseEventTrigger):
    """Tell of each call that ends, or whose analysis arrives, once. Needs Airflow 3.

    ``AssetWatcher(name="ended", trigger=CallEventTrigger())``. One event tells of all calls that are new at a poll,
    500 at most: events that come while Airflow has yet to start a run for the one before them would wait for the run
    after that. The payload has ``event`` (``call_ended`` or ``call_analyzed``) and ``calls``, each with ``call_id``,
    ``call_status``, ``call_type``, ``direction``, ``agent_id``, ``disconnection_reason`` and ``end_timestamp``.
    Airflow may put several events into one DAG run: iterate over ``triggering_asset_events``, and take the payload
    from ``event.extra["payload"]``.

    What happens when the triggerer is restarted, killed, or loses its watcher for a while (a paused DAG):

    - With ``airflow_conn_id`` and ``asset_name``, on every Airflow 3: no call is missed and none fires twice. Airflow
      stores an event or does not; the watcher reads the asset's events before it fires, and takes each call that has
      one as fired. If they cannot be read, it waits. Before Airflow 3.3 this holds from its first event on.
    - Without, on Airflow 3.3 and later: the place where it stands is kept in the asset's state store, so it goes on
      there. A call fires again if the triggerer is killed within about five seconds of its event, before the note of
      it; a call is missed if Airflow takes longer than that to store the event, and is killed before it has.
    - Without, before Airflow 3.3: it looks back by ``lookback``, fires again for the calls of that time, and misses
      those that ended before it.

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
    :param airflow_conn_id: the connection to this Airflow's REST API: the URL as host, and a login with password, or a
        token as password alone. The user needs to read assets. Goes together with ``asset_name``.
    :param asset_name: the name of the asset whose watcher this is.
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
        airflow_conn_id: str | None = None,
        asset_name: str | None = None,
        **airflow: Any,
    ) -> None:
        # Airflow's own base takes any argument, so a misspelled filter would let all calls through.
        if unknown := airflow.keys() - {"queue"}:
            raise TypeError(f"CallEventTrigger has no argument {', '.join(sorted(unknown))}")
        super().__init__(**airflow)  # type: ignore[no-untyped-call, unused-ignore]
        if event not in ("ended", "analyzed"):
            raise ValueError(f"event is 'ended' or 'analyzed', not {event!r}")
        if agent_ids is not None and (isinstance(agent_ids, str) or not agent_ids):
            raise ValueError("agent_ids is a list of at least one id, or None for all agents")
        for name, value, known in (
            ("call_type", call_type, ("phone_call", "web_call")),
            ("direction", direction, ("inbound", "outbound")),
        ):
            if value is not None and value not in known:
                raise ValueError(f"{name} is {known[0]!r}, {known[1]!r} or None for both, not {value!r}")
        if poll_interval <= 0 or overlap < 0 or lookback < 0:
            raise ValueError("poll_interval is more than 0 seconds; overlap and lookback are 0 or more")
        if (airflow_conn_id is None) != (asset_name is None):
            raise ValueError("airflow_conn_id and asset_name go together: give both or neither")
        self.retell_conn_id = retell_conn_id
        self.event = event
        self.agent_ids = sorted(set(agent_ids)) if agent_ids is not None else None
        self.call_type = call_type
        self.direction = direction
        self.poll_interval = poll_interval
        self.overlap = overlap
        self.lookback = lookback
        self.airflow_conn_id = airflow_conn_id
        self.asset_name = asset_name

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments; equal watchers give equal ones, which is how Airflow tells them."""
        arguments = {
            **self._watched,
            "poll_interval": self.poll_interval,
            "overlap": self.overlap,
            "lookback": self.lookback,
        }
        if self.asset_name is not None:  # else the hash of watchers without it would change
            arguments |= {"airflow_conn_id": self.airflow_conn_id, "asset_name": self.asset_name}
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

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
        events = self._airflow_events()
        standing = await self._load(events)
        while True:
            calls = await self._poll(standing, events)
            if calls is not None:
                new = self._new(calls, standing)
                if fired := new[:_BATCH]:
                    facts = [call.facts for call in fired]
                    payload: dict[str, Any] = {"event": f"call_{self.event}", "calls": facts}
                    if events is not None:  # how it knows its own, and where to go on after a restart
                        payload |= {"watcher": self._key, "since": standing.since}
                    for call in fired:
                        (standing.note if events is None else standing.fire)(call)
                    yield TriggerEvent(payload)  # type: ignore[no-untyped-call, unused-ignore]
                    if events is None:
                        await asyncio.sleep(SETTLE_SECONDS)
                if calls:
                    seen_to = (calls if fired == new else fired)[-1]
                    awaited = (c.ended_at for c in calls if self._wants(c) and not self._fires(c))
                    standing.move(seen_to.ended_at, min(awaited, default=None), self.overlap)
                if not (standing.saved or standing.pending):
                    await self._save(standing)
            await asyncio.sleep(self.poll_interval * random.uniform(0.9, 1.1))  # noqa: S311

    def _airflow_events(self) -> FiredCalls | None:
        if self.airflow_conn_id is None or self.asset_name is None:
            return None
        return FiredCalls(self.airflow_conn_id, self.asset_name, f"call_{self.event}", self._key)

    async def _poll(self, standing: WatchState, events: FiredCalls | None) -> list[EndedCall] | None:
        """Return the calls that have ended, once it is known which of them have events; None if that failed."""
        try:
            calls = await shared_poll(self.retell_conn_id, standing.since, self.poll_interval * 0.8)
        except Exception as error:
            self._warn("Calls could not be listed, the next poll makes up for it", error)
            return None
        if events is not None and (standing.pending or self._new(calls, standing)):
            try:
                await events.look(standing)
            except Exception as error:
                self._warn(f"{self._unread}: no call fires, and none is lost, until they can be", error)
                return None
        return calls

    def _new(self, calls: list[EndedCall], standing: WatchState) -> list[EndedCall]:
        return [c for c in calls if self._wants(c) and self._fires(c) and standing.is_new(c)]

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

    async def _load(self, events: FiredCalls | None) -> WatchState:
        stored = await self._insist("The asset's state store could not be read", self._stored)
        if isinstance(stored, Mapping):
            return WatchState.restore(stored)
        since = None if events is None else await self._insist(self._unread, events.last_since)
        standing = WatchState(since=int((time.time() - self.lookback) * 1000) if since is None else since)
        await self._save(standing)  # what ends before its first event is not missed either
        return standing

    async def _stored(self) -> Any:
        store = getattr(self, "asset_state_store", None)
        try:
            return None if store is None else await store.aget(self._key)
        except ValueError:
            if self.airflow_conn_id is None:
                log.warning(
                    "Several assets have equal watchers, so it is not known whose state store to use: where this one "
                    "stands is kept in memory only. Give each asset's watcher a poll_interval of its own"
                )
            self.asset_state_store = None

    async def _insist(self, fault: str, read: Callable[[], Awaitable[Any]]) -> Any:
        """Try until it succeeds: starting without what it holds could miss calls, or fire twice."""
        while True:
            try:
                return await read()
            except Exception as error:
                self._warn(f"{fault}, trying again", error)
                await asyncio.sleep(self.poll_interval)

    @property
    def _unread(self) -> str:
        return (
            f"The events of asset {self.asset_name!r} could not be read (connection {self.airflow_conn_id!r})"
        )

    async def _save(self, standing: WatchState) -> None:
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
        from airflow_provider_retell.hooks.reason import safe_reason

        log.warning("%s: %s", what, safe_reason(error))
