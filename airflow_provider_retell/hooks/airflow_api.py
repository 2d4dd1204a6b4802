"""The events of an asset, through this Airflow's own public REST API: the only way in that all processes share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from airflow_provider_retell._compat import BaseHook, aget_connection
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.hooks.aiohttp_transport import certificates
from airflow_provider_retell.hooks.connection import with_port, with_scheme

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Connection

ASSET_SECONDS = 60.0
"""For so long an asset's id is good. It gets another when its URI changes, and the old one goes on taking events."""

_NOT_FOUND = 0, float("-inf")
_TIMEOUT = aiohttp.ClientTimeout(total=30)
_PAGE = 100  # what [api] maximum_page_limit allows unless it is changed


class AirflowApiError(RetellError):
    """Airflow's REST API did not do as it was asked.

    :ivar status: the HTTP status, or None if the answer was not as asked for.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class AssetEvents:
    """Reads and makes the events of one asset.

    All methods raise :class:`AirflowApiError` if Airflow refuses, does not answer or knows no such asset.

    :param conn_id: the connection to this Airflow's REST API: the URL as host, and a login with password, or a token
        as password alone. The user needs to read assets, and to create asset events for :meth:`add`.
    :param asset: the asset's name.
    """

    def __init__(self, conn_id: str, asset: str) -> None:
        self._conn_id = conn_id
        self._asset = asset
        self._url = ""
        self._token: str | None = None
        self._found = _NOT_FOUND
        self._preparing = asyncio.Lock()

    async def since(self, moment: datetime) -> list[dict[str, Any]]:
        """Return all events that Airflow has stored at or after *moment*, as the API gives them, oldest first."""
        asset_id = await self._find_asset()
        criteria = {"asset_id": asset_id, "timestamp_gte": moment.isoformat(), "order_by": "timestamp"}
        return [event async for event in self._entries("/assets/events", "asset_events", criteria)]

    async def newest(self) -> AsyncGenerator[dict[str, Any], None]:
        """Give the stored events, as the API gives them, newest first."""
        criteria = {"asset_id": await self._find_asset(), "order_by": "-timestamp"}
        async for event in self._entries("/assets/events", "asset_events", criteria):
            yield event

    async def add(self, extra: dict[str, Any]) -> None:
        """Make an event."""
        try:
            await self._add(extra)
        except AirflowApiError as error:
            if error.status != 404:
                raise
            self._found = _NOT_FOUND
            await self._add(extra)

    async def _add(self, extra: dict[str, Any]) -> None:
        await self._call(
            "POST", "/assets/events", json={"asset_id": await self._find_asset(), "extra": extra}
        )

    async def _find_asset(self) -> int:
        asset_id, found_at = self._found
        if time.monotonic() - found_at < ASSET_SECONDS:
            return asset_id
        async for asset in self._entries("/assets", "assets", {"name_pattern": self._asset}):
            if asset["name"] == self._asset:
                self._found = int(asset["id"]), time.monotonic()
                return self._found[0]
        raise AirflowApiError(f"Airflow knows no asset named {self._asset!r}: a DAG must use it")

    async def _entries(
        self, path: str, kind: str, criteria: dict[str, Any]
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Give the entries of all pages."""
        ids: set[int] = set()
        offset, total = 0, 1
        while offset < total:
            params = {name: str(value) for name, value in criteria.items()}
            params |= {"limit": str(_PAGE), "offset": str(offset)}
            page = await self._call("GET", path, params=params)
            for entry in page[kind]:
                ids.add(entry["id"])
                yield entry
            total = page["total_entries"]
            offset += len(page[kind]) or total
        # Airflow 3.0 mixes up the order of requests that it answers at once: entries come twice, and others never.
        if len(ids) < total:
            raise AirflowApiError(f"Airflow's REST API gave {len(ids)} of {total} entries of {path}")

    async def _call(self, method: str, path: str, **arguments: Any) -> Any:
        try:
            return await self._call_logged_in(method, path, **arguments)
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            raise AirflowApiError(
                f"Airflow's REST API cannot be reached at {self._url} ({type(error).__name__}): check the host of "
                f"connection {self._conn_id!r}"
            ) from error

    async def _call_logged_in(self, method: str, path: str, **arguments: Any) -> Any:
        connector = aiohttp.TCPConnector(ssl=certificates())
        async with aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as session:
            token = await self._log_in(session)
            try:
                return await self._request(session, token, method, f"/api/v2{path}", **arguments)
            except AirflowApiError as error:
                if error.status not in (401, 403):
                    raise
            if self._token == token:  # it has run out, and nobody else has noticed
                self._token = None
            token = await self._log_in(session)
            return await self._request(session, token, method, f"/api/v2{path}", **arguments)

    async def _log_in(self, session: aiohttp.ClientSession) -> str:
        async with self._preparing:  # those who come at once need one login
            if self._token is not None:
                return self._token
            connection = await aget_connection(BaseHook, self._conn_id)
            self._url = _url(connection)
            token = connection.password or ""
            if connection.login:
                login = {"username": connection.login, "password": token}
                answer = await self._request(session, "", "POST", "/auth/token", json=login)
                token = str(answer["access_token"])
            self._token = token
            return token

    async def _request(
        self, session: aiohttp.ClientSession, token: str, method: str, path: str, **arguments: Any
    ) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with session.request(
            method, self._url + path, headers=headers, allow_redirects=False, **arguments
        ) as answer:
            if answer.status >= 300:
                path = path.removeprefix("/api/v2")
                hint = f": check the host of connection {self._conn_id!r}" if answer.status < 400 else ""
                raise AirflowApiError(
                    f"Airflow's REST API answered {answer.status} to {method} {path}{hint}", answer.status
                )
            return await answer.json()


def _url(connection: Connection) -> str:
    """Return where the API is; without a scheme, https but for this machine: a password goes there."""
    host = (connection.host or "").strip()
    try:
        if host.count(":") > 1 and host[0] != "[" and "://" not in host:  # Airflow's form of an IPv6 address
            host = f"[{host}]"
        url = with_scheme(host, connection.schema)
        return (url if urlsplit(url).port else with_port(url, connection.port)).rstrip("/")
    except ValueError:
        raise AirflowApiError(f"connection {connection.conn_id!r}: the host is not a URL") from None
