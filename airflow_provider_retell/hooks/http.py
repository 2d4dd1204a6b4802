"""What both transports share: headers, and the message for a request that got no answer."""

from __future__ import annotations

import functools
import os
import platform
import urllib.request
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from airflow_provider_retell import __version__
from airflow_provider_retell.api.errors import RetellConfigError, RetellConnectionError, RetellTimeoutError
from airflow_provider_retell.api.redact import safe_text
from airflow_provider_retell.api.request import Request
from airflow_provider_retell.hooks.connection import Settings

_NEXT_STEP = {
    "connect": (
        "Nothing answers there: check the host in the Airflow connection, the firewall and the proxy; if it is only "
        "slow, raise connect_timeout in the extra fields"
    ),
    "timeout": (
        "Retell took too long: try again later, or raise timeout in the Airflow connection's extra fields "
        "(connect_timeout, if a proxy or TLS is slow)"
    ),
    "tls": (
        "The TLS certificate was not accepted: check the host in the Airflow connection, and REQUESTS_CA_BUNDLE if a "
        "proxy signs certificates here"
    ),
    "dns": "The host name does not resolve: check the host in the Airflow connection, and DNS on the worker",
    "refused": "Nothing answers there: check the host in the Airflow connection, the firewall and the proxy",
    "dropped": "The connection broke before the answer was complete: try again",
}


def headers(settings: Settings) -> dict[str, str]:
    """Return the headers of every request."""
    # A connection always has a key. Without one, a request shows how Retell answers strangers.
    authorization = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
    return {
        **authorization,
        "User-Agent": user_agent(),
        "Accept": "application/json",
        "Content-Type": "application/json",
    }


@functools.cache
def user_agent() -> str:
    """Return what names this package, Airflow and Python to Retell."""
    try:
        airflow = metadata.version("apache-airflow")
    except metadata.PackageNotFoundError:  # only airflow-core, or only the task SDK, is installed
        airflow = "unknown"
    return (
        f"airflow-provider-retell/{__version__} apache-airflow/{airflow} python/{platform.python_version()}"
    )


def ca_bundle() -> str | None:
    """Return the certificates, a file or a directory, that the environment names as ``requests`` reads it."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if path := os.environ.get(name):
            if not Path(path).exists():
                raise RetellConfigError(
                    f"the environment variable {name} names certificates that do not exist: {path}"
                )
            return path
    return None


def proxy(settings: Settings) -> str | None:
    """Return the proxy that the environment names for Retell's address; none for http, which is for this machine only.

    A proxy would get the API key in clear, and look for the server on its own machine.

    :raises RetellConfigError: if it is one that is not spoken to by http or https.
    """
    parts = urlsplit(settings.base_url)
    if parts.scheme == "http":
        return None
    if any(urllib.request.proxy_bypass(host) for host in (parts.hostname or "", parts.netloc)):
        return None
    proxies = urllib.request.getproxies()
    address = proxies.get(parts.scheme) or proxies.get("all")
    if not address:
        return None
    address = address if "://" in address else f"http://{address}"
    scheme = urlsplit(address).scheme
    if scheme not in ("http", "https"):
        raise RetellConfigError(f"the environment names a {scheme} proxy: only http and https ones will do")
    return address


def without_key(body: bytes, settings: Settings, status: int) -> bytes:
    """Mask the API key in an answer that is no success: its text may come to stand in a message."""
    if 200 <= status < 300 or not settings.api_key:
        return body
    return body.replace(settings.api_key.encode(), b"***")


def no_answer(
    request: Request[object], settings: Settings, kind: str, cause: BaseException
) -> RetellConnectionError:
    """Return the error for a request to which no complete answer came."""
    if kind == "connect":
        fault = f"no connection in time (connect_timeout: {settings.connect_timeout:g} s)"
    elif kind == "timeout":
        fault = f"no answer within {settings.timeout:g} s (connecting: {settings.connect_timeout:g} s)"
    else:
        fault = safe_text(f"{type(cause).__name__}: {causes(cause)[-1]}", sent=request.body)
    error = RetellTimeoutError if kind in ("connect", "timeout") else RetellConnectionError
    return error(f"{request}: {fault} from {settings.base_url}. {_NEXT_STEP[kind]}", kind=kind)


def causes(error: BaseException) -> list[BaseException]:
    """Return *error* and what lies under it, outermost first; HTTP libraries wrap errors in several ways."""
    found: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        item = todo.pop(0)
        if isinstance(item, BaseException) and item not in found:
            found.append(item)
            todo += [getattr(item, "reason", None), item.__cause__, item.__context__, *item.args]
    return found
