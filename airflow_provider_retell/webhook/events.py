"""Make asset events through Airflow's public REST API, each once."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from airflow_provider_retell._compat import BaseHook, aget_connection

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Connection

log = logging.getLogger(__name__)

_REMEMBERED = 10_000
_LOOK_BACK = timedelta(minutes=15)
_TIMEOUT = aiohttp.ClientTimeout(total=8)  # Retell gives up after 10 s and sends again


class AirflowEvents:
    """Sends events to one asset.

    :param asset: its name.
    :param conn_id: the connection to this Airflow's REST API.
    """

    def __init__(self, asset: str, conn_id: str) -> None:
        self._asset = asset
        self._conn_id = conn_id
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = asyncio.Lock()
        self._url = ""
        self._token: str | None = None
        self._asset_id: int | None = None

    async def send(self, extra: dict[str, Any]) -> bool:
        """Make an event with *extra* unless there is one for the same call already; return whether it was made.

        :raises aiohttp.ClientError: if Airflow does not take it; nothing is remembered then.
        """
        key = (str(extra["event"]), str(extra["call_id"]))
        async with self._lock:
            if key in self._seen:
                return False
            async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
                made = await self._send(session, key, extra)
            self._seen[key] = None
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
            return made

    async def _send(
        self, session: aiohttp.ClientSession, key: tuple[str, str], extra: dict[str, Any]
    ) -> bool:
        try:
            return await self._send_once(session, key, extra)
        except aiohttp.ClientResponseError as error:
            if error.status not in (401, 404):
                raise
            # The token has run out, or the asset was made anew.
            self._token = self._asset_id = None
            return await self._send_once(session, key, extra)

    async def _send_once(
        self, session: aiohttp.ClientSession, key: tuple[str, str], extra: dict[str, Any]
    ) -> bool:
        await self._log_in(session)
        if self._asset_id is None:
            self._asset_id = await self._find_asset(session)
        # Other processes of the API server have a memory of their own; Airflow's events are what all can see.
        since = (datetime.now(timezone.utc) - _LOOK_BACK).isoformat()
        recent = await self._call(
            session,
            "GET",
            "/assets/events",
            params={
                "asset_id": self._asset_id,
                "timestamp_gte": since,
                "limit": 1000,
                "order_by": "-timestamp",
            },
        )
        if any(
            (event["extra"].get("event"), event["extra"].get("call_id")) == key
            for event in recent["asset_events"]
        ):
            return False
        await self._call(session, "POST", "/assets/events", json={"asset_id": self._asset_id, "extra": extra})
        return True

    async def _log_in(self, session: aiohttp.ClientSession) -> None:
        if self._token is not None:
            return
        connection: Connection = await aget_connection(BaseHook, self._conn_id)
        host = connection.host or ""
        url = host if "://" in host else f"{connection.schema or 'http'}://{host}"
        self._url = url if urlsplit(url).port or not connection.port else f"{url}:{connection.port}"
        if not connection.login:
            self._token = connection.password or ""
            return
        login = {"username": connection.login, "password": connection.password}
        async with session.post(f"{self._url}/auth/token", json=login, raise_for_status=True) as answer:
            self._token = str((await answer.json())["access_token"])

    async def _find_asset(self, session: aiohttp.ClientSession) -> int:
        found = await self._call(
            session, "GET", "/assets", params={"name_pattern": self._asset, "limit": 1000}
        )
        for asset in found["assets"]:
            if asset["name"] == self._asset:
                return int(asset["id"])
        raise LookupError(
            f"Airflow knows no asset named {self._asset!r}: a DAG must use it, see [retell] webhook_asset"
        )

    async def _call(self, session: aiohttp.ClientSession, method: str, path: str, **arguments: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with session.request(
            method, f"{self._url}/api/v2{path}", headers=headers, raise_for_status=True, **arguments
        ) as answer:
            return await answer.json()
