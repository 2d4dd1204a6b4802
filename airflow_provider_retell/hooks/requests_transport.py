"""Send requests with ``requests``."""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import time
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3 import exceptions as urllib3_exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection

from airflow_provider_retell.api.errors import RetellConnectionError
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


class _TimedReader(io.RawIOBase):
    """Reads from a socket until a deadline. The socket's own timeout starts again with every byte.

    :param deadline: in seconds of ``time.monotonic()``.
    """

    def __init__(self, raw: io.RawIOBase, deadline: float) -> None:
        self._raw = raw
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if time.monotonic() > self._deadline:
            raise SlowResponseError
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        seconds = sock.gettimeout()
        if seconds is not None:
            deadline = time.monotonic() + time_limit(seconds)
            self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), deadline))

    def begin(self) -> None:
        super().begin()
        # urllib3 logs the lines that are not headers. They may be the body.
        self.msg.set_payload("")
        self.msg.defects = []


class _HttpConnection(HTTPConnection):
    response_class = _TimedResponse


class _HttpsConnection(HTTPSConnection):
    response_class = _TimedResponse


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


_POOLS = {"http": _HttpPool, "https": _HttpsPool}


class _Adapter(HTTPAdapter):
    """An adapter whose responses must be complete within a multiple of the timeout."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _Session(requests.Session):
    """A session that ignores redirects. ``requests`` would read their bodies and addresses, even without following."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def open_session(settings: Settings) -> requests.Session:
    """Return a session that uses the proxy and the certificates of the environment."""
    session = _Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter())
    # Ignore .netrc files, which would replace the API key.
    session.trust_env = False
    address = proxy_for(settings.base_url)
    session.proxies = {"http": address, "https": address} if address else {}
    session.verify = ca_bundle() or True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update(authorization(settings) | common_headers())
    return session


def exchange(
    session: requests.Session, settings: Settings, request: Request[Any]
) -> Response | RetellConnectionError:
    """Send *request* once and return the response or the error."""
    body = request.body
    try:
        with (
            _upload(body) if isinstance(body, Multipart) else contextlib.nullcontext(body) as data,
            session.request(
                request.method,
                settings.base_url + request.path,
                data=data,
                headers=form_headers(body) if isinstance(body, Multipart) else None,
                timeout=(settings.connect_timeout, settings.timeout),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            reader = BodyReader(response.status_code, response.headers)
            for chunk in response.raw.stream(CHUNK, decode_content=False):
                if not reader.feed(chunk):
                    break
            content = reader.end()
    except (requests.RequestException, urllib3_exceptions.HTTPError, DamagedBodyError, ValueError) as error:
        # urllib3 raises a ValueError for a chunk of negative size.
        return connection_error(request, settings, _kind(error), error)
    content = mask_key(content, settings, response.status_code)
    return Response(response.status_code, response.headers, content, reader.fault)


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


def _kind(error: Exception) -> str:
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
    if under(requests.Timeout, socket.timeout, urllib3_exceptions.TimeoutError) or is_slow(error):
        return "timeout"
    # A ProxyError does not prove that nothing was sent: with a proxy, urllib3 also raises it if the connection is lost
    # after the request.
    refused = any(str(cause).startswith("Tunnel connection failed") for cause in error_chain(error))
    return "refused" if refused else "dropped"
