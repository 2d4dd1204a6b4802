"""Make asset events through Airflow's public REST API, each once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import datetime, timedelta, timezone
from typing import Any

from airflow_provider_retell.api.event_payload import parse_event_payload
from airflow_provider_retell.hooks.airflow_api import AssetEvents

_ANSWER_SECONDS = 8.0
"""Retell gives up after 10 s and sends again."""

_REMEMBERED = 10_000
_LOOK_BACK = timedelta(minutes=15)  # a signature is good for ten minutes at most
_LOOK_AGAIN = timedelta(minutes=1)


class AirflowEvents:
    """Sends events to one asset.

    :param asset: its name.
    :param conn_id: the connection to this Airflow's REST API.
    """

    def __init__(self, asset: str, conn_id: str) -> None:
        self._events = AssetEvents(conn_id, asset)
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._seen_until: datetime | None = None
        self._looking = asyncio.Lock()
        self._sending: dict[tuple[str, str], asyncio.Task[bool]] = {}

    async def send(self, event: dict[str, Any]) -> bool:
        """Make an asset event of *event*, about one call, unless there is one already; return whether it was made.

        :raises Exception: if Airflow has not taken it by now. It may still: then the same event, sent again, finds it.
        """
        (key,) = _keys(event)
        if key in self._seen:
            return False
        task = self._sending.get(key)
        came_again = task is not None
        if task is None:
            task = self._sending[key] = asyncio.create_task(self._send(key, event))
            task.add_done_callback(lambda done: self._sent(key, done))
        # Shielded: half-way through is no place to stop.
        return await asyncio.wait_for(asyncio.shield(task), _ANSWER_SECONDS) and not came_again

    def _sent(self, key: tuple[str, str], task: asyncio.Task[bool]) -> None:
        del self._sending[key]
        if not task.cancelled() and task.exception() is None:
            self._remember(key)

    def _remember(self, key: tuple[str, str]) -> None:
        self._seen[key] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    async def _send(self, key: tuple[str, str], event: dict[str, Any]) -> bool:
        async with self._looking:
            await self._look()
        if key in self._seen:
            return False
        await self._events.add(event)
        return True

    async def _look(self) -> None:
        """Learn what other processes have made since the last look: Airflow's events are what all of them can see."""
        now = datetime.now(timezone.utc)
        since = self._seen_until - _LOOK_AGAIN if self._seen_until else now - _LOOK_BACK
        for made in await self._events.since(since):
            for key in _keys(parse_event_payload(made["extra"])):
                self._remember(key)
        self._seen_until = now


def _keys(event: dict[str, Any]) -> list[tuple[str, str]]:
    return [(event["event"], call["call_id"]) for call in event["calls"]]
