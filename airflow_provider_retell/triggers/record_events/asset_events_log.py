"""The calls or chats that a watcher has fired for, according to the stored events of its asset."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from airflow_provider_retell.api.event_payload import noun_of, parse_event_payload, records_in
from airflow_provider_retell.clock import clock
from airflow_provider_retell.hooks.airflow_api import AssetEvents
from airflow_provider_retell.triggers.record_events.ended_records import EndedRecord
from airflow_provider_retell.triggers.record_events.fired_log import FiredLog, step
from airflow_provider_retell.triggers.record_events.watch_state import WatchState

log = logging.getLogger(__name__)

# Retell sets the end time of a call or chat, Airflow the time of an event. Retell's clock may be ahead by this much.
_CLOCK_DIFFERENCE = timedelta(hours=1)
# Airflow sets the time of an event some time before it stores the event.
_STORING = timedelta(minutes=1)
_SLOW_SECONDS = 60
_MAX_SEARCHED = 5000


class AssetEventsLog(FiredLog):
    """A log that reads the events of an asset through Airflow's REST API.

    Airflow's database either has an event or does not, no matter when the triggerer is killed. A record has fired if an
    event of the asset contains it.

    :param conn_id: the connection to Airflow's REST API.
    :param asset: the name of the asset.
    :param event: the name of the events, such as ``call_ended``.
    :param watcher: the name that the watcher writes into its events.
    :param store: the state store. It has the state too, so that records are found that end before the first event.
    """

    def __init__(self, conn_id: str, asset: str, event: str, watcher: str, store: Any) -> None:
        super().__init__(store, watcher, warn=False)
        self._events = AssetEvents(conn_id, asset)
        self._asset = asset
        self._event = event
        self._read_to: datetime | None = None
        self._failure = f"The events of asset {asset!r} could not be read (connection {conn_id!r})"

    async def load(self) -> WatchState | None:
        """Return the stored state, or else the one in the watcher's newest event."""
        if (state := await super().load()) is not None:
            return state
        with step(self._failure):
            since = await self._last_since()
        return None if since is None else WatchState(since)

    async def sync(self, state: WatchState) -> None:
        """Mark all records that the asset has events of, no matter who created the events."""
        with step(self._failure):
            newest = await self._read_events(state)
        if state.pending:
            # The next call reads from the same time, because Airflow may take long to store the events.
            self._warn_if_slow(state)
        else:
            self._read_to = newest

    def add(self, state: WatchState, records: Sequence[EndedRecord]) -> dict[str, Any]:
        """Mark *records* as pending. Their event contains the watcher's name and its watermark, for :meth:`load`."""
        state.mark_pending(records)
        return {"watcher": self._key, "since": state.since}

    async def save(self, state: WatchState) -> None:
        """Store the state once Airflow shows the events of all records."""
        if not state.pending:
            await super().save(state)

    async def _last_since(self) -> int | None:
        searched = 0
        async for stored in self._events.newest():
            payload = parse_event_payload(stored["extra"])
            if payload.get("watcher") == self._key and isinstance(payload.get("since"), int):
                return int(payload["since"])
            searched += 1
            if searched == _MAX_SEARCHED:
                log.warning(
                    "The newest %d events of asset %r are not of this watcher, so it starts at its lookback. Give "
                    "the watcher its own asset, or an asset with fewer events from others",
                    searched,
                    self._asset,
                )
                break
        return None

    async def _read_events(self, state: WatchState) -> datetime | None:
        """Confirm the records of all events since the last reading, and return the time of the newest event."""
        if self._read_to is None:
            since = datetime.fromtimestamp(state.since / 1000, timezone.utc) - _CLOCK_DIFFERENCE
        else:
            since = self._read_to - _STORING
        newest = self._read_to
        for stored in await self._events.since(since):
            # Python 3.10 does not parse the Z.
            stored_at = datetime.fromisoformat(stored["timestamp"].replace("Z", "+00:00"))
            newest = max(newest or stored_at, stored_at)
            payload = parse_event_payload(stored["extra"])
            for record_id, summary in records_in(payload) if payload["event"] == self._event else ():
                end = summary["end_timestamp"] or int(stored_at.timestamp() * 1000)
                state.confirm(EndedRecord(record_id, {"end_timestamp": end}))
        return newest

    def _warn_if_slow(self, state: WatchState) -> None:
        record_id, fired_at = next(iter(state.pending.items()))
        waited = clock().monotonic() - fired_at
        if waited > _SLOW_SECONDS:
            log.warning(
                "Airflow has no event of asset %r for %d %ss, the first of them %s, %d s after they fired. Check "
                "that the watcher belongs to this asset, and that the user of the connection may read its events",
                self._asset,
                len(state.pending),
                noun_of(self._event),
                record_id,
                waited,
            )
