"""Send requests with ``aiohttp``."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

import aiohttp
from yarl import URL

from airflow_provider_retell.api.errors import RetellConnectionError
from airflow_provider_retell.api.request import Request, Response
from airflow_provider_retell.hooks.connection import Settings
from airflow_provider_retell.hooks.http import ca_bundle, causes, headers, no_answer, without_key


def open_session(settings: Settings, connections: int) -> aiohttp.ClientSession:
    """Return a session with at most *connections* open at once; must be called inside an event loop."""
    certificates = ca_bundle()
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=connections, ssl=ssl.create_default_context(cafile=certificates) if certificates else True
        ),
        timeout=aiohttp.ClientTimeout(
            total=None, sock_connect=settings.connect_timeout, sock_read=settings.timeout
        ),
        headers=headers(settings),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=True,  # proxies; a .netrc file is not asked, since the Authorization header is given
    )


async def exchange(
    session: aiohttp.ClientSession, settings: Settings, request: Request[Any]
) -> Response | RetellConnectionError:
    """Send *request* once and return what comes of it."""
    try:
        async with session.request(
            request.method,
            URL(settings.base_url + request.path, encoded=True),
            data=request.body,
            allow_redirects=False,
        ) as answer:
            body = await answer.read()
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
        return no_answer(request, settings, _kind(error), error)
    return Response(answer.status, answer.headers, body if answer.ok else without_key(body, settings))


def _kind(error: Exception) -> str:
    if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
        return "timeout"
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return "tls"
    if any(isinstance(cause, socket.gaierror) for cause in causes(error)):
        return "dns"
    return "refused" if isinstance(error, aiohttp.ClientConnectorError) else "dropped"
