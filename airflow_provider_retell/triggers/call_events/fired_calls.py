"""The calls that an asset has events for: what a watcher has fired for, as Airflow itself has it."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.triggers.call_events.ended_calls import EndedCall

if TYPE_CHECKING:
    from airflow_provider_retell.triggers.call_events.watch_state import WatchState

log = logging.getLogger(__name__)

_CLOCKS_DIFFER = timedelta(hours=1)
"""By how much Retell's clock may be ahead of Airflow's: an event's time is Airflow's, a call's end is Retell's."""

_LOOK_AGAIN = timedelta(minutes=1)  # an event has its time before it is stored
_SLOW_SECONDS = 60
_MOST_SEARCHED = 5000


class FiredCalls:
    """Reads an asset's events, in which Airflow keeps what fired in the same moment as it fires: both or neither.

    :param conn_id: the connection to Airflow's REST API.
    :param asset: the name of the asset.
    :param event: ``call_ended`` or ``call_analyzed``.
    :param watcher: the watcher's own mark in its events.
    """

    def __init__(self, conn_id: str, asset: str, event: str, watcher: str) -> None:
        from airflow_provider_retell.hooks.airflow_api import AssetEvents

        self._events = AssetEvents(conn_id, asset)
        self._asset = asset
        self._event = event
        self._watcher = watcher
        self._seen_to: datetime | None = None

    async def last_since(self) -> int | None:
        """Return where the watcher stood when it fired last (epoch milliseconds), or None if there is no such event."""
        from airflow_provider_retell.api.event_payload import parse_event_payload

        searched = 0
        async for stored in self._events.newest():
            said = parse_event_payload(stored["extra"])
            if said.get("watcher") == self._watcher and isinstance(said.get("since"), int):
                return int(said["since"])
            searched += 1
            if searched == _MOST_SEARCHED:
                log.warning(
                    "The newest %d events of asset %r are not of this watcher, so it looks back by its lookback. Give "
                    "it an asset of its own, or one with fewer events of others",
                    searched,
                    self._asset,
                )
                break
        return None

    async def look(self, standing: WatchState) -> None:
        """Have *standing* note all calls that the asset has events for, whoever made them."""
        from airflow_provider_retell.api.event_payload import parse_event_payload

        if self._seen_to is None:
            since = datetime.fromtimestamp(standing.since / 1000, timezone.utc) - _CLOCKS_DIFFER
        else:
            since = self._seen_to - _LOOK_AGAIN
        newest = self._seen_to
        for stored in await self._events.since(since):
            stored_at = datetime.fromisoformat(
                stored["timestamp"].replace("Z", "+00:00")
            )  # Python 3.10 knows no Z
            newest = max(newest or stored_at, stored_at)
            said = parse_event_payload(stored["extra"])
            for facts in said["calls"] if said["event"] == self._event else ():
                standing.confirm(_call(facts, stored_at))
        if not standing.pending:  # else an event that is long in being stored would be passed over
            self._seen_to = newest
            return
        call_id, fired_at = next(iter(standing.pending.items()))
        if (waited := time.monotonic() - fired_at) > _SLOW_SECONDS:
            log.warning(
                "Airflow has no event of asset %r for %d calls, the first of them %s, %d s after they fired. See "
                "whether the watcher is this asset's, and whether the user of the connection may read its events",
                self._asset,
                len(standing.pending),
                call_id,
                waited,
            )


def _call(facts: dict[str, Any], stored_at: datetime) -> EndedCall:
    end = facts["end_timestamp"] or int(stored_at.timestamp() * 1000)
    return EndedCall({**facts, "end_timestamp": end}, has_ended=True, is_analyzed=True)
