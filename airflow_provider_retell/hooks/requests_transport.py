"""Send requests with ``requests``."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from urllib3 import exceptions as urllib3_exceptions

from airflow_provider_retell.api.errors import RetellConnectionError
from airflow_provider_retell.api.multipart import Multipart
from airflow_provider_retell.api.request import Request, Response
from airflow_provider_retell.hooks.connection import Settings
from airflow_provider_retell.hooks.http import (
    ca_bundle,
    connection_error,
    error_chain,
    form_headers,
    headers,
    mask_key,
    proxy,
)


def open_session(settings: Settings) -> requests.Session:
    """Return a session that uses the proxy and the certificates of the environment."""
    session = requests.Session()
    # Ignore .netrc files, which would replace the API key.
    session.trust_env = False
    address = proxy(settings)
    session.proxies = {"http": address, "https": address} if address else {}
    session.verify = ca_bundle() or True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update(headers(settings))
    return session


def exchange(
    session: requests.Session, settings: Settings, request: Request[Any]
) -> Response | RetellConnectionError:
    """Send *request* once and return the response or the error."""
    body = request.body
    try:
        with _upload(body) if isinstance(body, Multipart) else contextlib.nullcontext(body) as data:
            response = session.request(
                request.method,
                settings.base_url + request.path,
                data=data,
                headers=form_headers(body) if isinstance(body, Multipart) else None,
                timeout=(settings.connect_timeout, settings.timeout),
                allow_redirects=False,
            )
    except requests.RequestException as error:
        return connection_error(request, settings, _kind(error), error)
    content = mask_key(response.content, settings, response.status_code)
    return Response(response.status_code, response.headers, content)


class _Upload:
    """The chunks of a form as a file, which ``requests`` reads while it sends it."""

    def __init__(self, chunks: Iterator[bytes], size: int) -> None:
        self._chunks = chunks
        self._size = size
        self._chunk = b""
        self._position = 0

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = 65536, /) -> bytes:
        """Return up to *size* bytes, and none at the end."""
        while self._position == len(self._chunk):
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._chunk, self._position = chunk, 0
        data = self._chunk[self._position : self._position + size]
        self._position += len(data)
        return data


@contextlib.contextmanager
def _upload(form: Multipart) -> Iterator[_Upload]:
    with contextlib.closing(form.read()) as chunks:
        yield _Upload(chunks, form.size)


def _kind(error: requests.RequestException) -> str:
    def under(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in error_chain(error))

    if isinstance(error, requests.exceptions.SSLError):
        return "tls"
    if under(socket.gaierror):
        return "dns"
    # Check this before the timeouts: in urllib3 a refused connection is a subclass of them.
    if under(ConnectionRefusedError, urllib3_exceptions.NewConnectionError):
        return "refused"
    if under(urllib3_exceptions.ConnectTimeoutError):
        return "connect"
    if under(requests.Timeout, socket.timeout, urllib3_exceptions.TimeoutError):
        return "timeout"
    # A ProxyError does not prove that nothing was sent: with a proxy, urllib3 also raises it if the connection is lost
    # after the request.
    refused = any(str(cause).startswith("Tunnel connection failed") for cause in error_chain(error))
    return "refused" if refused else "dropped"
