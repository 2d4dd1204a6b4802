"""Send requests with ``requests``."""

from __future__ import annotations

import socket
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from urllib3 import exceptions as urllib3_exceptions

from airflow_provider_retell.api.errors import RetellConnectionError
from airflow_provider_retell.api.request import Request, Response
from airflow_provider_retell.hooks.connection import Settings
from airflow_provider_retell.hooks.http import ca_bundle, causes, headers, no_answer, proxy, without_key


def open_session(settings: Settings) -> requests.Session:
    """Return a session that follows the environment's proxies and certificates, and nothing else of it."""
    session = requests.Session()
    session.trust_env = False  # requests would let a .netrc file replace the API key
    address = proxy(settings)
    session.proxies = {"http": address, "https": address} if address else {}
    session.verify = ca_bundle() or True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update(headers(settings))
    return session


def exchange(
    session: requests.Session, settings: Settings, request: Request[Any]
) -> Response | RetellConnectionError:
    """Send *request* once and return what comes of it."""
    try:
        answer = session.request(
            request.method,
            settings.base_url + request.path,
            data=request.body,
            timeout=(settings.connect_timeout, settings.timeout),
            allow_redirects=False,
        )
    except requests.RequestException as error:
        return no_answer(request, settings, _kind(error), error)
    body = without_key(answer.content, settings, answer.status_code)
    return Response(answer.status_code, answer.headers, body)


def _kind(error: requests.RequestException) -> str:
    def under(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes(error))

    if isinstance(error, requests.exceptions.SSLError):
        return "tls"
    if under(socket.gaierror):
        return "dns"
    # Before the timeouts: urllib3 counts a refused connection among them.
    if under(ConnectionRefusedError, urllib3_exceptions.NewConnectionError):
        return "refused"
    if under(urllib3_exceptions.ConnectTimeoutError):
        return "connect"
    if under(requests.Timeout, socket.timeout, urllib3_exceptions.TimeoutError):
        return "timeout"
    # A ProxyError alone does not say that nothing was sent: urllib3 also makes one of a connection that was lost after
    # the request, whenever there is a proxy.
    refused = any(str(cause).startswith("Tunnel connection failed") for cause in causes(error))
    return "refused" if refused else "dropped"
