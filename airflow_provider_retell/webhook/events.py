"""Asset events for webhook events, created once each through Airflow's REST API."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import datetime, timedelta, timezone
from typing import Any

from airflow_provider_retell.api.event_payload import parse_event_payload, records_in
from airflow_provider_retell.clock import clock
from airflow_provider_retell.hooks.airflow_api import AssetEvents

# Retell gives up after 10 s and sends the event again.
_RESPONSE_SECONDS = 8.0
_MAX_KNOWN = 10_000
# A signature is valid for at most ten minutes, from five before to five after its timestamp.
_LOOKBACK = timedelta(minutes=15)
# Airflow sets the time of an event some time before it stores the event.
_STORING = timedelta(minutes=1)

_Key = tuple[str, str, str]
"""The name of the event, the id of the call or chat, and the id of the agent."""


class AirflowEvents:
    """Creates the events of one asset.

    :param asset: the name of the asset.
    :param conn_id: the connection to this Airflow's REST API.
    """

    def __init__(self, asset: str, conn_id: str) -> None:
        self._events = AssetEvents(conn_id, asset)
        # The keys of known asset events, oldest first.
        self._known: OrderedDict[_Key, None] = OrderedDict()
        self._read_to: datetime | None = None
        self._reading = asyncio.Lock()
        # The numbers of the last read that has begun, and of the last one that has succeeded.
        self._begun = self._succeeded = 0
        self._sending: dict[_Key, asyncio.Task[bool]] = {}

    async def send(self, event: dict[str, Any]) -> bool:
        """Create an asset event unless Airflow has it, and return True if it was created.

        :param event: the payload of an event of one call or chat.
        :raises Exception: if Airflow did not create the event in time. It may do so later. If Retell sends the event
            again after that, this method finds the created event.
        """
        (key,) = _keys(event)
        if key in self._known:
            return False
        task = self._sending.get(key)
        repeated = task is not None
        if task is None:
            task = self._sending[key] = asyncio.create_task(self._send(key, event))
            task.add_done_callback(lambda done: self._sent(key, done))
        # The shield lets the task finish after the time-out.
        return await asyncio.wait_for(asyncio.shield(task), _RESPONSE_SECONDS) and not repeated

    def _sent(self, key: _Key, task: asyncio.Task[bool]) -> None:
        del self._sending[key]
        if not task.cancelled() and task.exception() is None:
            self._add_known(key)

    def _add_known(self, key: _Key) -> None:
        self._known[key] = None
        if len(self._known) > _MAX_KNOWN:
            self._known.popitem(last=False)

    async def _send(self, key: _Key, event: dict[str, Any]) -> bool:
        await self._read_events()
        if key in self._known:
            return False
        await self._events.add(event)
        return True

    async def _read_events(self) -> None:
        """Read the events that other processes have created until now.

        All calls that wait for a read share the next one. Otherwise the reads would take longer than the events if many
        calls end at the same time.
        """
        begun = self._begun
        async with self._reading:
            if self._succeeded > begun:  # a read that has begun after this call
                return
            self._begun += 1
            now = datetime.fromtimestamp(clock().time(), timezone.utc)
            since = self._read_to - _STORING if self._read_to else now - _LOOKBACK
            for stored in await self._events.since(since):
                for key in _keys(parse_event_payload(stored["extra"])):
                    self._add_known(key)
            self._read_to = now
            self._succeeded = self._begun


def _keys(event: dict[str, Any]) -> list[_Key]:
    """Return what identifies the webhook events of a payload.

    If an agent hands the call over to another agent, Retell can send a set of events for each of them.
    """
    return [
        (event["event"], record_id, _text(summary.get("agent_id")))
        for record_id, summary in records_in(event)
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
