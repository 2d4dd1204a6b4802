"""An event trigger for asset watchers that starts DAGs when calls end."""

from __future__ import annotations

import hashlib
import logging
import random
from collections.abc import AsyncIterator, Collection
from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.triggers.base import TriggerEvent

from airflow_provider_retell._compat import asset_state_store

try:
    from airflow_provider_retell._compat import BaseEventTrigger
except ImportError as error:
    raise ImportError("CallEventTrigger needs Airflow 3: earlier versions have no asset watchers") from error

from airflow_provider_retell.api.choices import UNTIL, Until
from airflow_provider_retell.clock import clock
from airflow_provider_retell.common.wording import counted
from airflow_provider_retell.params import checks
from airflow_provider_retell.triggers.call_events.ended_calls import EndedCall, shared_poll
from airflow_provider_retell.triggers.call_events.fired_log import FiredLog, MemoryLog, WatchError, step
from airflow_provider_retell.triggers.call_events.state_store_log import StateStoreLog
from airflow_provider_retell.triggers.call_events.watch_state import WatchState

log = logging.getLogger(__name__)

_MAX_CALLS_PER_EVENT = 500

_REPORTED: dict[Until, str] = {
    "ended": "calls that ended",
    "analyzed": "calls that were analyzed",
    "transfer_ended": "calls that ended with their transfers",
}


class CallEventTrigger(BaseEventTrigger):
    """Fire an asset event when calls end, or when their analyses arrive. Needs Airflow 3.

    ::

        ended = AssetWatcher(name="ended", trigger=CallEventTrigger(event="ended"))

        with DAG("after_calls", schedule=Asset("calls", watchers=[ended])):
            ...

    One event contains all new calls of a poll, up to 500. Its payload has ``event`` (``call_ended`` or
    ``call_analyzed``) and ``calls``, each with ``call_id``, ``call_status``, ``call_type``, ``direction``,
    ``agent_id``, ``disconnection_reason`` and ``end_timestamp``. Airflow may start one DAG run for several events:
    iterate over ``triggering_asset_events``, and read the payload from ``event.extra["payload"]``.

    Guarantees if the triggerer is restarted or killed, or if the DAG is paused for a while:

    - With ``airflow_conn_id`` and ``asset_name``, on every Airflow 3: each call fires exactly once. The watcher reads
      the asset's stored events before it fires, and skips the calls that have one. While the events cannot be read, it
      does not fire. Before Airflow 3.3, the guarantee starts with the watcher's first event.
    - Without them, on Airflow 3.3 and later: the watcher stores its state in the asset's state store and continues from
      there. A call fires twice if the triggerer is killed in the five seconds between its event and the stored state. A
      call is missed if Airflow takes longer than that to store the event, and is killed before it does.
    - Without them, before Airflow 3.3: the watcher looks back by ``lookback``. Calls that ended since then fire again.
      Calls that ended earlier and have not fired are missed.

    All watchers of a connection share one poll.

    Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/events.html

    Retell: https://docs.retellai.com/api-references/list-calls

    :param retell_conn_id: the Airflow connection of type ``retell``. Default: ``retell_default``.
    :param event: ``"ended"`` (default) fires when a call ends, answered or not; ``"analyzed"`` fires when its
        ``call_analysis`` is available, up to six hours after the call.
    :param agent_ids: only calls of these agents. Default: all.
    :param call_type: only ``"phone_call"`` or only ``"web_call"``. Default: both.
    :param direction: only ``"inbound"`` or only ``"outbound"``. Default: both.
    :param poll_interval: seconds between two polls, or a timedelta. Default: 30 seconds.
    :param overlap: seconds, or a timedelta, that each poll reaches back, for calls that appear late in Retell's list.
        Default: 900 seconds.
    :param lookback: seconds, or a timedelta, that the first poll reaches back if there is no stored state. Default: 600
        seconds.
    :param airflow_conn_id: the connection to this Airflow's REST API: the URL as host, and a login with password, or a
        token as the password alone. The user needs permission to read assets. Requires ``asset_name``.
    :param asset_name: the name of the watcher's asset. Requires ``airflow_conn_id``.
    :raises ValueError: if an argument is invalid.
    """

    def __init__(
        self,
        retell_conn_id: str = "retell_default",
        event: Until = "ended",
        agent_ids: Collection[str] | None = None,
        call_type: str | None = None,
        direction: str | None = None,
        poll_interval: float | timedelta = 30,
        overlap: float | timedelta = 900,
        lookback: float | timedelta = 600,
        airflow_conn_id: str | None = None,
        asset_name: str | None = None,
        **airflow: Any,
    ) -> None:
        # Airflow's base class accepts any argument, so a misspelled filter would let all calls through.
        if unknown := airflow.keys() - {"queue"}:
            raise TypeError(f"CallEventTrigger has no argument {', '.join(sorted(unknown))}")
        super().__init__(**airflow)  # type: ignore[no-untyped-call, unused-ignore]
        checks.one_of("event", event, UNTIL)
        checks.one_of("call_type", call_type, ("phone_call", "web_call", None))
        checks.one_of("direction", direction, ("inbound", "outbound", None))
        checks.together(airflow_conn_id=airflow_conn_id, asset_name=asset_name)
        self.retell_conn_id = retell_conn_id
        self.event = event
        self.agent_ids = (
            None if agent_ids is None else sorted(set(checks.text_list("agent_ids", agent_ids, empty=False)))
        )
        self.call_type = call_type
        self.direction = direction
        self.poll_interval = checks.in_seconds("poll_interval", poll_interval, positive=True)
        self.overlap = checks.in_seconds("overlap", overlap)
        self.lookback = checks.in_seconds("lookback", lookback)
        self.airflow_conn_id = airflow_conn_id
        self.asset_name = asset_name
        self._failed = False

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments. Airflow runs watchers with equal arguments as one trigger."""
        arguments = {
            **self._watched,
            "poll_interval": self.poll_interval,
            "overlap": self.overlap,
            "lookback": self.lookback,
        }
        # Without the option, the arguments and their hash stay the same as before the option existed.
        if self.asset_name is not None:
            arguments |= {"airflow_conn_id": self.airflow_conn_id, "asset_name": self.asset_name}
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until cancelled. If a step fails, log it and try again at the next poll."""
        fired_log = self._fired_log()
        state = await self._load(fired_log)
        log.info(
            "Watching the calls of connection %r: %s since %s, polled every %g s",
            self.retell_conn_id,
            _REPORTED[self.event],
            datetime.fromtimestamp(state.since / 1000, timezone.utc).isoformat(sep=" ", timespec="seconds"),
            self.poll_interval,
        )
        while True:
            try:
                with step("Calls could not be listed"):
                    calls = await shared_poll(self.retell_conn_id, state.since, self.poll_interval * 0.8)
                if state.pending or self._new(calls, state):
                    await fired_log.sync(state)
                if new := self._new(calls, state)[:_MAX_CALLS_PER_EVENT]:
                    payload: dict[str, Any] = {"event": self._event_name, "calls": [c.summary for c in new]}
                    payload |= fired_log.record(state, new)
                    log.info("Reporting %s in an event: %s", counted(len(new), "call"), _REPORTED[self.event])
                    yield TriggerEvent(payload)  # type: ignore[no-untyped-call, unused-ignore]
                self._advance(state, calls)
                await fired_log.save(state)
            except WatchError as error:
                self._warn(error)
            else:
                if self._failed:
                    log.info("The watcher works again")
                self._failed = False
            await clock().sleep_async(self.poll_interval * random.uniform(0.9, 1.1))  # noqa: S311

    def _fired_log(self) -> FiredLog:
        store = asset_state_store(self)
        conn_id, asset = self.airflow_conn_id, self.asset_name
        states = MemoryLog() if store is None else StateStoreLog(store, self._key, warn=asset is None)
        if conn_id is None or asset is None:
            return states
        # The module imports HTTP libraries.
        from airflow_provider_retell.triggers.call_events.asset_events_log import AssetEventsLog

        return AssetEventsLog(conn_id, asset, self._event_name, self._key, states)

    async def _load(self, fired_log: FiredLog) -> WatchState:
        # A start without the stored state could miss calls or fire twice.
        while True:
            try:
                return await fired_log.load() or await self._first_state(fired_log)
            except WatchError as error:
                self._warn(error)
                await clock().sleep_async(self.poll_interval)

    async def _first_state(self, fired_log: FiredLog) -> WatchState:
        state = WatchState(since=int((clock().time() - self.lookback) * 1000))
        try:
            # If the triggerer restarts before the first event, the watcher continues from here.
            await fired_log.save(state)
        except WatchError as error:
            self._warn(error)
        return state

    def _warn(self, error: WatchError) -> None:
        self._failed = True
        message = str(error).removesuffix(".")
        log.warning("%s. Trying again in about %g s; no call is lost", message, self.poll_interval)

    def _new(self, calls: list[EndedCall], state: WatchState) -> list[EndedCall]:
        return [call for call in calls if self._wants(call) and self._fires(call) and state.is_new(call)]

    def _advance(self, state: WatchState, calls: list[EndedCall]) -> None:
        if not calls:
            return
        # Calls beyond the limit of one event are still new. The next poll must list them again.
        left = self._new(calls, state)
        newest = left[0] if left else calls[-1]
        waiting = (call.ended_at for call in calls if self._wants(call) and not self._fires(call))
        state.advance(newest.ended_at, min(waiting, default=None), self.overlap)

    def _wants(self, call: EndedCall) -> bool:
        return (
            (self.agent_ids is None or call.summary["agent_id"] in self.agent_ids)
            and self.call_type in (None, call.summary["call_type"])
            and self.direction in (None, call.summary["direction"])
        )

    def _fires(self, call: EndedCall) -> bool:
        return self.event in call.reached

    @property
    def _event_name(self) -> str:
        return f"call_{self.event}"

    @property
    def _watched(self) -> dict[str, Any]:
        return {
            "retell_conn_id": self.retell_conn_id,
            "event": self.event,
            "agent_ids": self.agent_ids,
            "call_type": self.call_type,
            "direction": self.direction,
        }

    @property
    def _key(self) -> str:
        # Without the intervals: a watcher with another poll_interval continues from the same state.
        return "retell-" + hashlib.sha256(repr(self._watched).encode()).hexdigest()[:24]
