"""Send requests with ``aiohttp``."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import math
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from airflow_provider_retell.api.errors import RetellConfigError, RetellConnectionError
from airflow_provider_retell.api.multipart import Multipart
from airflow_provider_retell.api.request import Request, Response
from airflow_provider_retell.hooks.connection import Settings
from airflow_provider_retell.hooks.http import (
    authorization,
    ca_bundle,
    common_headers,
    connection_error,
    error_chain,
    form_headers,
    is_slow,
    mask_key,
    proxy_for,
)
from airflow_provider_retell.hooks.response_body import (
    CHUNK,
    BodyReader,
    DamagedBodyError,
    SlowResponseError,
    time_limit,
)

if sys.version_info >= (3, 11):
    from asyncio import timeout
else:
    # aiohttp requires this package on older versions of Python.
    from async_timeout import timeout


# A larger body waits until the server reads it. aiohttp does not limit that time.
_BUFFERED = 32 * 1024


class _Protocol(ResponseHandler):
    """A connection whose responses must be complete within *seconds*.

    aiohttp's own timeout starts again with every byte. This limit needs no timer, which would cost noticeable CPU in
    every request: bytes that arrive too late break it, and aiohttp's timeout ends a response without further bytes.
    """

    def __init__(self, seconds: float, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._seconds = seconds
        self._deadline = math.inf

    def set_response_params(self, **parameters: Any) -> None:
        # The next request begins.
        self._deadline = math.inf
        super().set_response_params(**parameters)

    def start_timeout(self) -> None:
        # The request has been sent.
        self._deadline = time.monotonic() + self._seconds
        super().start_timeout()

    def data_received(self, data: bytes) -> None:
        if time.monotonic() < self._deadline:
            super().data_received(data)
            return
        error = SlowResponseError()
        self.set_exception(error)
        if self._payload is not None:
            self._payload.set_exception(error)


class _Connector(aiohttp.TCPConnector):
    """A connector with limits for the time to open a connection, and for the time of a response.

    aiohttp's own limits do not fit: ``sock_connect`` and ``sock_read`` exclude a proxy's response to CONNECT, and
    ``connect`` includes the time that a request waits for a free connection.
    """

    def __init__(self, connect_seconds: float, response_seconds: float, **options: Any) -> None:
        super().__init__(**options)
        self._connect_seconds = connect_seconds
        self._factory = functools.partial(_Protocol, response_seconds, self._loop)  # type: ignore[assignment]

    async def _create_connection(self, *arguments: Any, **options: Any) -> Any:
        # Not asyncio.wait_for, which may swallow a cancellation on Python 3.11.
        async with timeout(self._connect_seconds):
            return await super()._create_connection(*arguments, **options)


def open_session(settings: Settings, connections: int) -> aiohttp.ClientSession:
    """Return a session with at most *connections* open connections. Call it inside an event loop."""
    session = aiohttp.ClientSession(
        connector=_Connector(
            settings.connect_timeout + settings.timeout,
            time_limit(settings.timeout),
            limit=connections,
            ssl=certificates(),
        ),
        timeout=aiohttp.ClientTimeout(
            total=None, sock_connect=settings.connect_timeout, sock_read=settings.timeout
        ),
        headers=common_headers(),
        cookie_jar=aiohttp.DummyCookieJar(),
        # BodyReader decompresses, up to its limit.
        auto_decompress=False,
        # Ignore .netrc files, which would replace the API key.
        trust_env=False,
        proxy=proxy_for(settings.base_url),
    )
    # Otherwise aiohttp repeats a GET, PUT or DELETE when a kept connection breaks. That could start a second paid
    # analysis, and the quota would not count the request.
    session._retry_connection = False
    return session


def certificates() -> ssl.SSLContext | bool:
    """Return the environment's CA certificates, or True for the default ones."""
    path = ca_bundle()
    if path is None:
        return True
    try:
        if Path(path).is_dir():
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise RetellConfigError(
            f"the environment names certificates that cannot be read: {path} must be a PEM file or a directory of them"
        ) from None


async def exchange(
    session: aiohttp.ClientSession, settings: Settings, request: Request[Any]
) -> Response | RetellConnectionError:
    """Send *request* once and return the response or the error."""
    body = request.body
    size = body.size if isinstance(body, Multipart) else len(body or b"")
    started = time.monotonic()
    try:
        if size <= _BUFFERED:
            return await _exchange(session, settings, request)
        async with timeout(time_limit(settings.timeout)):
            return await _exchange(session, settings, request)
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError, DamagedBodyError) as error:
        is_late = size > _BUFFERED and time.monotonic() - started >= time_limit(settings.timeout)
        cause = SlowResponseError() if is_late else error
        kind = _kind(cause)
        if isinstance(cause, aiohttp.ClientHttpProxyError):
            cause = OSError(f"Tunnel connection failed: {cause.status}")
        return connection_error(request, settings, kind, cause)


async def _exchange(session: aiohttp.ClientSession, settings: Settings, request: Request[Any]) -> Response:
    form = request.body if isinstance(request.body, Multipart) else None
    async with session.request(
        request.method,
        URL(settings.base_url + request.path, encoded=True),
        data=request.body if form is None else _upload(form),
        # Not in the session's headers, which aiohttp sends to a proxy as well.
        headers=authorization(settings) if form is None else authorization(settings) | form_headers(form),
        allow_redirects=False,
    ) as response:
        reader = BodyReader(response.status, response.headers)
        content = response.content
        while not content.at_eof() and reader.feed(await content.read(CHUNK)):
            pass
    body = mask_key(reader.end(), settings, response.status)
    return Response(response.status, response.headers, body, reader.fault)


async def _upload(form: Multipart) -> AsyncIterator[bytes]:
    """Yield the chunks of *form*. Files are read in threads, because they can be on remote storage."""
    chunks = form.read()
    try:
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            yield chunk
    finally:
        # A thread that is reading still finishes its chunk after the request was cancelled.
        with contextlib.suppress(ValueError):
            chunks.close()


def _kind(error: Exception) -> str:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "connect"
    if isinstance(error, (asyncio.TimeoutError, TimeoutError)) or is_slow(error):
        return "timeout"
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return "tls"
    if any(isinstance(cause, socket.gaierror) for cause in error_chain(error)):
        return "dns"
    return "refused" if isinstance(error, aiohttp.ClientConnectorError) else "dropped"
