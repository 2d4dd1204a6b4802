"""A client of Airflow's own REST API, and the events of an asset.

The API is the only interface to asset events that all of Airflow's processes can use.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from airflow_provider_retell._compat import BaseHook
from airflow_provider_retell._compat.services import aget_connection
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.clock import clock
from airflow_provider_retell.hooks.aiohttp_transport import certificates
from airflow_provider_retell.hooks.connection import with_port, with_scheme

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Connection

ASSET_SECONDS = 60.0
"""How long to cache the asset's id. An asset whose URI changes gets a new id, but Airflow still accepts the old one."""

_NO_ASSET = 0, float("-inf")
_TIMEOUT = aiohttp.ClientTimeout(total=30)
# Airflow's default of [api] maximum_page_limit.
_PAGE_SIZE = 100


class AirflowApiError(RetellError):
    """A request to Airflow's REST API failed.

    :ivar status: the HTTP status, or None if there is no response or its content is unusable.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class AirflowApi:
    """Airflow's REST API.

    ::

        import asyncio

        from airflow_provider_retell.hooks import AirflowApi

        asyncio.run(AirflowApi("airflow_api").send("GET", "/dags"))

    :param conn_id: the connection to the API: the URL as host, and either a login and a password, or a token as the
        password.
    """

    def __init__(self, conn_id: str) -> None:
        self._conn_id = conn_id
        self._url = ""
        self._token: str | None = None
        self._login_lock = asyncio.Lock()

    async def send(self, method: str, path: str, **arguments: Any) -> Any:
        """Send a request, and return the JSON of the response.

        :param path: the path below ``/api/v2``.
        :param arguments: those of aiohttp, such as ``json`` and ``params``.
        :raises AirflowApiError: if Airflow does not respond, or rejects the request.
        """
        connector = aiohttp.TCPConnector(ssl=certificates())
        try:
            async with aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as session:
                return await self._send_with_token(session, method, f"/api/v2{path}", **arguments)
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            raise AirflowApiError(
                f"Airflow's REST API cannot be reached at {self._url} ({type(error).__name__}): check the "
                f"host of connection {self._conn_id!r}"
            ) from error

    async def _send_with_token(
        self, session: aiohttp.ClientSession, method: str, path: str, **arguments: Any
    ) -> Any:
        token = await self._log_in(session)
        try:
            return await self._request(session, token, method, path, **arguments)
        except AirflowApiError as error:
            if error.status not in (401, 403):
                raise
        # The token has expired. Another request may already have replaced it.
        if self._token == token:
            self._token = None
        token = await self._log_in(session)
        return await self._request(session, token, method, path, **arguments)

    async def _log_in(self, session: aiohttp.ClientSession) -> str:
        # With the lock, concurrent requests log in only once.
        async with self._login_lock:
            if self._token is not None:
                return self._token
            connection = await aget_connection(BaseHook, self._conn_id)
            self._url = _url(connection)
            token = connection.password or ""
            if connection.login:
                login = {"username": connection.login, "password": token}
                response = await self._request(session, "", "POST", "/auth/token", json=login)
                token = str(response["access_token"])
            self._token = token
            return token

    async def _request(
        self, session: aiohttp.ClientSession, token: str, method: str, path: str, **arguments: Any
    ) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with session.request(
            method, self._url + path, headers=headers, allow_redirects=False, **arguments
        ) as response:
            if response.status >= 300:
                path = path.removeprefix("/api/v2")
                hint = f": check the host of connection {self._conn_id!r}" if response.status < 400 else ""
                raise AirflowApiError(
                    f"Airflow's REST API answered {response.status} to {method} {path}{hint}", response.status
                )
            return await response.json()


class AssetEvents(AirflowApi):
    """The events of one asset.

    All methods raise :class:`AirflowApiError` if Airflow does not respond, rejects the request or has no such asset.

    :param conn_id: the connection to this Airflow's REST API: the URL as host, and either a login and a password, or a
        token as the password. The user must be allowed to read assets and, for :meth:`add`, to create asset events.
    :param asset: the name of the asset.
    """

    def __init__(self, conn_id: str, asset: str) -> None:
        super().__init__(conn_id)
        self._asset = asset
        # The id of the asset, and the time at which it was read.
        self._cached_asset = _NO_ASSET

    async def since(self, start: datetime) -> list[dict[str, Any]]:
        """Return all events that Airflow has stored since *start*, as the API returns them, oldest first."""
        asset_id = await self._asset_id()
        criteria = {"asset_id": asset_id, "timestamp_gte": start.isoformat(), "order_by": "timestamp"}
        return [event async for event in self._list("/assets/events", "asset_events", criteria)]

    async def newest(self) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the stored events, as the API returns them, newest first."""
        criteria = {"asset_id": await self._asset_id(), "order_by": "-timestamp"}
        async for event in self._list("/assets/events", "asset_events", criteria):
            yield event

    async def add(self, extra: dict[str, Any]) -> None:
        """Create an event."""
        try:
            await self._add(extra)
        except AirflowApiError as error:
            if error.status != 404:
                raise
            self._cached_asset = _NO_ASSET
            await self._add(extra)

    async def _add(self, extra: dict[str, Any]) -> None:
        await self.send("POST", "/assets/events", json={"asset_id": await self._asset_id(), "extra": extra})

    async def _asset_id(self) -> int:
        asset_id, read_at = self._cached_asset
        if clock().monotonic() - read_at < ASSET_SECONDS:
            return asset_id
        async for asset in self._list("/assets", "assets", {"name_pattern": self._asset}):
            if asset["name"] == self._asset:
                self._cached_asset = int(asset["id"]), clock().monotonic()
                return self._cached_asset[0]
        raise AirflowApiError(f"Airflow has no asset named {self._asset!r}: use the asset in a DAG")

    async def _list(
        self, path: str, kind: str, criteria: dict[str, Any]
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the entries of all pages."""
        ids: set[int] = set()
        offset, total = 0, 1
        while offset < total:
            params = {name: str(value) for name, value in criteria.items()}
            params |= {"limit": str(_PAGE_SIZE), "offset": str(offset)}
            page = await self.send("GET", path, params=params)
            for entry in page[kind]:
                ids.add(entry["id"])
                yield entry
            total = page["total_entries"]
            offset += len(page[kind]) or total
        # Airflow 3.0 confuses the sort order of concurrent requests, which repeats some entries and omits others.
        if len(ids) < total:
            raise AirflowApiError(f"Airflow's REST API returned only {len(ids)} of {total} entries of {path}")


def _url(connection: Connection) -> str:
    """Return the URL of the API. Without a scheme it is https except on localhost, to protect the password."""
    host = (connection.host or "").strip()
    try:
        # Airflow stores the host of a URI with an IPv6 address without its brackets.
        if host.count(":") > 1 and host[0] != "[" and "://" not in host:
            host = f"[{host}]"
        url = with_scheme(host, connection.schema)
        if urlsplit(url).password is not None:
            raise AirflowApiError(
                f"connection {connection.conn_id!r}: the host must not contain a user name and password. Set login and "
                "password instead"
            )
        return (url if urlsplit(url).port else with_port(url, connection.port)).rstrip("/")
    except ValueError:
        raise AirflowApiError(f"connection {connection.conn_id!r}: the host must be a URL") from None
