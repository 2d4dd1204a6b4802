"""Base class of the event triggers for asset watchers, which start DAGs when calls or chats end."""

from __future__ import annotations

import hashlib
import logging
import random
from collections.abc import AsyncIterator, Collection
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.triggers.base import TriggerEvent

from airflow_provider_retell._compat.triggers import asset_state_store

try:
    from airflow_provider_retell._compat import BaseEventTrigger
except ImportError as error:
    raise ImportError("Event triggers need Airflow 3: earlier versions have no asset watchers") from error

from airflow_provider_retell.clock import clock
from airflow_provider_retell.common.wording import counted
from airflow_provider_retell.params import checks
from airflow_provider_retell.triggers.record_events.ended_records import EndedRecord, shared_poll
from airflow_provider_retell.triggers.record_events.fired_log import FiredLog, WatchError, step
from airflow_provider_retell.triggers.record_events.watch_state import MAX_FIRED, WatchState
from airflow_provider_retell.waiting.poll_failures import OutageLog

if TYPE_CHECKING:
    from airflow_provider_retell.api.choices import Until
    from airflow_provider_retell.api.records.nouns import Noun

log = logging.getLogger(__name__)

_MAX_RECORDS_PER_EVENT = 500


class RecordEventTrigger(BaseEventTrigger):
    """Fire an asset event when calls or chats end, or when their analyses arrive.

    The subclasses describe the parameters and the guarantees.

    :cvar noun: ``"call"`` or ``"chat"``.
    :cvar filters: the attributes that filter the records. Each is the name of a field in the summary of a record.
    """

    noun: ClassVar[Noun]
    filters: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        *,
        event: Until,
        agent_ids: Collection[str] | None,
        poll_interval: float | timedelta,
        overlap: float | timedelta,
        lookback: float | timedelta,
        airflow_conn_id: str | None,
        asset_name: str | None,
        retell_conn_id: str,
        **airflow: Any,
    ) -> None:
        # Airflow's base class accepts any argument, so a misspelled filter would let all records through.
        if unknown := airflow.keys() - {"queue"}:
            raise TypeError(f"{type(self).__name__} has no argument {', '.join(sorted(unknown))}")
        super().__init__(**airflow)  # type: ignore[no-untyped-call, unused-ignore]
        checks.together(airflow_conn_id=airflow_conn_id, asset_name=asset_name)
        self.retell_conn_id = retell_conn_id
        self.event: Until = event
        self.agent_ids = (
            None if agent_ids is None else sorted(set(checks.text_list("agent_ids", agent_ids, empty=False)))
        )
        self.poll_interval = checks.in_seconds("poll_interval", poll_interval, positive=True)
        self.overlap = checks.in_seconds("overlap", overlap)
        self.lookback = checks.in_seconds("lookback", lookback)
        self.airflow_conn_id = airflow_conn_id
        self.asset_name = asset_name
        self._failed = False
        self._outage = OutageLog()

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
            "Watching %ss of connection %r for %s, since %s; polling every %g s",
            self.noun,
            self.retell_conn_id,
            self._event_name,
            datetime.fromtimestamp(state.since / 1000, timezone.utc).isoformat(sep=" ", timespec="seconds"),
            self.poll_interval,
        )
        while True:
            try:
                with step(f"{self.noun.capitalize()}s could not be listed"):
                    records = await shared_poll(
                        self.noun, self.retell_conn_id, state.since, self.poll_interval * 0.8
                    )
                if state.pending or self._new(records, state):
                    await fired_log.sync(state)
                if new := self._new(records, state)[:_MAX_RECORDS_PER_EVENT]:
                    payload: dict[str, Any] = {
                        "event": self._event_name,
                        f"{self.noun}s": [record.summary for record in new],
                    }
                    payload |= fired_log.add(state, new)
                    log.info("Reporting %s in an event: %s", counted(len(new), self.noun), self._event_name)
                    yield TriggerEvent(payload)  # type: ignore[no-untyped-call, unused-ignore]
                self._advance(state, records)
                await fired_log.save(state)
            except WatchError as error:
                self._warn(error)
            else:
                if self._failed:
                    log.info("Connection %r: the watcher works again", self.retell_conn_id)
                self._failed = False
                self._outage.reset()
            await clock().sleep_async(self.poll_interval * random.uniform(0.9, 1.1))  # noqa: S311

    def _fired_log(self) -> FiredLog:
        store = asset_state_store(self)
        conn_id, asset = self.airflow_conn_id, self.asset_name
        if conn_id is None or asset is None:
            return FiredLog(store, self._key)
        # The module imports HTTP libraries.
        from airflow_provider_retell.triggers.record_events.asset_events_log import AssetEventsLog

        return AssetEventsLog(conn_id, asset, self._event_name, self._key, store)

    async def _load(self, fired_log: FiredLog) -> WatchState:
        # A start without the stored state could miss records or fire twice.
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
        # The text up to the colon is the step that failed.
        message = str(error).removesuffix(".")
        if self._outage.is_due(message.partition(":")[0]):
            log.warning(
                "Connection %r: %s. Trying again in about %g s; no %s is lost",
                self.retell_conn_id,
                message,
                self.poll_interval,
                self.noun,
            )

    def _new(self, records: list[EndedRecord], state: WatchState) -> list[EndedRecord]:
        return [
            record
            for record in records
            if self._wants(record) and self.event in record.reached and state.is_new(record)
        ]

    def _advance(self, state: WatchState, records: list[EndedRecord]) -> None:
        if not records:
            return
        # Records beyond the limit of one event are still new. The next poll must list them again.
        left = self._new(records, state)
        newest = left[0] if left else records[-1]
        waiting = [record.ended_at for record in records if self._wants(record) and state.is_new(record)]
        if passed := state.advance(newest.ended_at, waiting, self.overlap):
            log.warning(
                "Connection %r: %s that had yet to fire will not, because more than %s others have ended and fired "
                "since. Watch fewer %ss per trigger, for example with agent_ids",
                self.retell_conn_id,
                counted(passed, self.noun),
                f"{MAX_FIRED:,}",
                self.noun,
            )

    def _wants(self, record: EndedRecord) -> bool:
        return (self.agent_ids is None or record.summary["agent_id"] in self.agent_ids) and all(
            getattr(self, name) in (None, record.summary[name]) for name in self.filters
        )

    @property
    def _event_name(self) -> str:
        return f"{self.noun}_{self.event}"

    @property
    def _watched(self) -> dict[str, Any]:
        return {
            "retell_conn_id": self.retell_conn_id,
            "event": self.event,
            "agent_ids": self.agent_ids,
            **{name: getattr(self, name) for name in self.filters},
        }

    @property
    def _key(self) -> str:
        # Without the intervals: a watcher with another poll_interval continues from the same state.
        return "retell-" + hashlib.sha256(repr(self._watched).encode()).hexdigest()[:24]
