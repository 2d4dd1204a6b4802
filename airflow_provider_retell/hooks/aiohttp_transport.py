"""Send requests with ``aiohttp``."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from airflow_provider_retell.api.errors import RetellConfigError, RetellConnectionError
from airflow_provider_retell.api.request import Request, Response
from airflow_provider_retell.hooks.connection import Settings
from airflow_provider_retell.hooks.http import ca_bundle, causes, headers, no_answer, proxy, without_key

if sys.version_info >= (3, 11):
    from asyncio import timeout
else:
    from async_timeout import timeout  # which aiohttp needs there too


class _Connector(aiohttp.TCPConnector):
    """A connector whose connections open within *seconds*.

    None of aiohttp's own limits will do: ``sock_connect`` and ``sock_read`` leave out a proxy's answer to CONNECT, and
    ``connect`` counts the time that a request waits for one of the connections to become free.
    """

    def __init__(self, seconds: float, **options: Any) -> None:
        super().__init__(**options)
        self._seconds = seconds

    async def _create_connection(self, *arguments: Any, **options: Any) -> Any:
        async with timeout(self._seconds):  # wait_for of Python 3.11 may swallow a cancellation
            return await super()._create_connection(*arguments, **options)


def open_session(settings: Settings, connections: int) -> aiohttp.ClientSession:
    """Return a session with at most *connections* open at once; must be called inside an event loop."""
    address = proxy(settings)
    session = aiohttp.ClientSession(
        connector=_Connector(
            settings.connect_timeout + settings.timeout, limit=connections, ssl=certificates()
        ),
        timeout=aiohttp.ClientTimeout(
            total=None, sock_connect=settings.connect_timeout, sock_read=settings.timeout
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,  # aiohttp would let a .netrc file replace the API key
        proxy=address,
    )
    # aiohttp itself would send a GET, PUT or DELETE again when a kept connection breaks: a second paid analysis,
    # and requests that the quota does not know of.
    session._retry_connection = False
    return session


def certificates() -> ssl.SSLContext | bool:
    """Return the certificates that the environment names, or True for the usual ones."""
    path = ca_bundle()
    if path is None:
        return True
    try:
        if Path(path).is_dir():
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise RetellConfigError(f"the environment names certificates that cannot be read: {path}") from None


async def exchange(
    session: aiohttp.ClientSession, settings: Settings, request: Request[Any]
) -> Response | RetellConnectionError:
    """Send *request* once and return what comes of it."""
    try:
        async with session.request(
            request.method,
            URL(settings.base_url + request.path, encoded=True),
            data=request.body,
            headers=headers(settings),  # not the session's, which aiohttp would send to a proxy as well
            allow_redirects=False,
        ) as answer:
            body = await answer.read()
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
        return no_answer(request, settings, _kind(error), error)
    return Response(answer.status, answer.headers, without_key(body, settings, answer.status))


def _kind(error: Exception) -> str:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "connect"
    if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
        return "timeout"
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return "tls"
    if any(isinstance(cause, socket.gaierror) for cause in causes(error)):
        return "dns"
    return "refused" if isinstance(error, aiohttp.ClientConnectorError) else "dropped"
