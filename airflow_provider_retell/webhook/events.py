"""Make asset events through Airflow's public REST API, each once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from airflow_provider_retell._compat import BaseHook, aget_connection
from airflow_provider_retell.api.errors import RetellError

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Connection

_ANSWER_SECONDS = 8.0
"""Retell gives up after 10 s and sends again."""

_TIMEOUT = aiohttp.ClientTimeout(total=30)
_REMEMBERED = 10_000
_LOOK_BACK = timedelta(minutes=15)  # a signature is good for ten minutes at most
_LOOK_AGAIN = timedelta(minutes=1)
_PAGE = 100


class AirflowApiError(RetellError):
    """Airflow's REST API did not do as it was asked.

    :ivar status: the HTTP status.
    """

    def __init__(self, method: str, path: str, status: int) -> None:
        super().__init__(f"Airflow's REST API answered {status} to {method} {path}")
        self.status = status


class AirflowEvents:
    """Sends events to one asset.

    :param asset: its name.
    :param conn_id: the connection to this Airflow's REST API.
    """

    def __init__(self, asset: str, conn_id: str) -> None:
        self._asset = asset
        self._conn_id = conn_id
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._seen_until: datetime | None = None
        self._looking = asyncio.Lock()
        self._sending: dict[tuple[str, str], asyncio.Task[bool]] = {}
        self._url = ""
        self._token: str | None = None
        self._asset_id: int | None = None

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
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            try:
                return await self._send_once(session, key, event)
            except AirflowApiError as error:
                if error.status not in (401, 403, 404):
                    raise
                # The token has run out, or the asset was made anew.
                self._token = self._asset_id = None
                return await self._send_once(session, key, event)

    async def _send_once(
        self, session: aiohttp.ClientSession, key: tuple[str, str], event: dict[str, Any]
    ) -> bool:
        async with self._looking:
            if self._token is None:
                await self._log_in(session)
            if self._asset_id is None:
                self._asset_id = await self._find_asset(session)
            await self._look(session)
        if key in self._seen:
            return False
        await self._call(session, "POST", "/assets/events", json={"asset_id": self._asset_id, "extra": event})
        return True

    async def _look(self, session: aiohttp.ClientSession) -> None:
        """Learn what other processes have made since the last look: Airflow's events are what all of them can see."""
        now = datetime.now(timezone.utc)
        since = self._seen_until - _LOOK_AGAIN if self._seen_until else now - _LOOK_BACK
        offset, total = 0, 1
        while offset < total:
            page = await self._call(
                session,
                "GET",
                "/assets/events",
                params={
                    "asset_id": str(self._asset_id),
                    "timestamp_gte": since.isoformat(),
                    "order_by": "timestamp",
                    "limit": str(_PAGE),
                    "offset": str(offset),
                },
            )
            for made in page["asset_events"]:
                extra = made["extra"] or {}
                # An event of CallEventTrigger for the same asset is the same event.
                for key in _keys(extra.get("payload") or extra):
                    self._remember(key)
            offset += len(page["asset_events"]) or total
            total = page["total_entries"]
        self._seen_until = now

    async def _log_in(self, session: aiohttp.ClientSession) -> None:
        connection: Connection = await aget_connection(BaseHook, self._conn_id)
        host = connection.host or ""
        url = (host if "://" in host else f"{connection.schema or 'http'}://{host}").rstrip("/")
        self._url = url if urlsplit(url).port or not connection.port else f"{url}:{connection.port}"
        if not connection.login:
            self._token = connection.password or ""
            return
        login = {"username": connection.login, "password": connection.password}
        self._token = (await self._call(session, "POST", "/auth/token", json=login))["access_token"]

    async def _find_asset(self, session: aiohttp.ClientSession) -> int:
        found = await self._call(
            session, "GET", "/assets", params={"name_pattern": self._asset, "limit": str(_PAGE)}
        )
        for asset in found["assets"]:
            if asset["name"] == self._asset:
                return int(asset["id"])
        raise LookupError(
            f"Airflow knows no asset named {self._asset!r}: a DAG must use it, see [retell] webhook_asset"
        )

    async def _call(self, session: aiohttp.ClientSession, method: str, path: str, **arguments: Any) -> Any:
        url = self._url + (path if path.startswith("/auth/") else f"/api/v2{path}")
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        async with session.request(
            method, url, headers=headers, allow_redirects=False, **arguments
        ) as answer:
            if answer.status >= 300:
                raise AirflowApiError(method, path, answer.status)
            return await answer.json()


def _keys(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(str(event.get("event")), str(call.get("call_id"))) for call in event.get("calls") or ()]
