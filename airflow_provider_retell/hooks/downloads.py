"""Download files from links in Retell's responses.

The links lead to another host than Retell's API, so the requests have no API key, and redirects are not followed.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from airflow_provider_retell.api.calls.files import FileKind
from airflow_provider_retell.api.calls.recordings import (
    DownloadError,
    check_headers,
    check_link,
    check_status,
    size_of,
)
from airflow_provider_retell.hooks.aiohttp_transport import certificates
from airflow_provider_retell.hooks.connection import Settings
from airflow_provider_retell.hooks.http import proxy_for, user_agent

CHUNK = 256 * 1024
"""The largest number of bytes that are read at once."""

# A file must be complete within this many times the timeout, which starts again with every byte.
_MAX_TIMEOUTS = 30


class Downloads:
    """Requests to the hosts of files.

    ::

        async with Downloads(settings, connections=16) as downloads:
            async with downloads.open(link, FILES["recording"]) as chunks:
                async for chunk in chunks:
                    ...

    :param settings: the settings of the hook, for the timeouts. The API key is not used.
    :param connections: the maximum number of open connections.
    """

    def __init__(self, settings: Settings, connections: int) -> None:
        self._timeout = aiohttp.ClientTimeout(
            total=settings.timeout * _MAX_TIMEOUTS,
            sock_connect=settings.connect_timeout,
            sock_read=settings.timeout,
        )
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Downloads:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, ssl=certificates()),
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": user_agent(), "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
            read_bufsize=CHUNK,
        )
        # Otherwise aiohttp repeats a request when a kept connection breaks, without counting it as an attempt.
        self._session._retry_connection = False
        return self

    async def __aexit__(self, *_error: object) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def size(self, link: str, kind: FileKind) -> int | None:
        """Return the size of the file behind *link*, or None if the host does not say. Reads one byte at most."""
        async with self._get(link, {"Range": "bytes=0-0"}) as response:
            check_status(response.status)
            check_headers(response.headers, kind)
            if response.status == 206:
                # The connection can then be used again.
                await response.content.read(1)
            return size_of(response.status, response.headers)

    @asynccontextmanager
    async def open(self, link: str, kind: FileKind) -> AsyncIterator[AsyncIterator[bytes]]:
        """Request the file behind *link*, and return its content in chunks.

        :raises DownloadError: if the host does not send the complete file.
        :raises LinkRejectedError: if the host rejects the link.
        :raises BadFileError: if the response is not a file of this kind.
        """
        async with self._get(link, {}) as response:
            check_status(response.status)
            check_headers(response.headers, kind)
            yield response.content.iter_any()

    @asynccontextmanager
    async def _get(self, link: str, headers: dict[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        check_link(link)
        if self._session is None:
            raise RuntimeError("Downloads is not open: use it as 'async with Downloads(...) as downloads'")
        try:
            async with self._session.get(
                URL(link, encoded=True), headers=headers, allow_redirects=False, proxy=proxy_for(link)
            ) as response:
                yield response
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as error:
            # Not "from error", whose message could have the link.
            raise DownloadError(_fault(error, self._timeout)) from None


def _fault(error: Exception, timeout: aiohttp.ClientTimeout) -> str:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return f"the host of the file accepts no connection within {timeout.sock_connect:g} s"
    if isinstance(error, asyncio.TimeoutError) and not isinstance(error, aiohttp.ServerTimeoutError):
        return f"the file is not complete after {timeout.total:g} s"
    if isinstance(error, asyncio.TimeoutError):
        return f"the host of the file sent nothing for {timeout.sock_read:g} s"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the connection to the host of the file broke before the file was complete"
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return "the TLS certificate of the host of the file was not accepted"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "the host of the file cannot be reached"
    return f"the request for the file failed with {type(error).__name__}"
