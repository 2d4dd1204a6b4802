"""Shared parts of both transports: headers, proxies, certificates, and errors for requests without a response."""

from __future__ import annotations

import functools
import os
import platform
import re
import urllib.request
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from airflow_provider_retell import __version__
from airflow_provider_retell.api.errors import (
    RetellConfigError,
    RetellConnectionError,
    RetellError,
    RetellTimeoutError,
)
from airflow_provider_retell.api.multipart import Multipart
from airflow_provider_retell.api.redact import safe_text
from airflow_provider_retell.api.request import Request
from airflow_provider_retell.hooks.connection import Settings
from airflow_provider_retell.hooks.response_body import (
    ACCEPT_ENCODING,
    DamagedBodyError,
    SlowResponseError,
    time_limit,
)

# The rest of the text is the proxy's.
_TUNNEL = re.compile(r"Tunnel connection failed: \d{3}\b")
_NEXT_STEP = {
    "connect": (
        "Nothing answers there: check the host in the Airflow connection, the firewall and the proxy. If the network "
        "is slow, raise connect_timeout in the connection's extra fields"
    ),
    "timeout": (
        "Retell took too long: try again later, or raise timeout (connect_timeout, if a proxy or TLS is slow) in the "
        "extra fields of the Airflow connection"
    ),
    "tls": (
        "The TLS certificate was not accepted: check the host in the Airflow connection. If your network's proxy "
        "issues certificates, set REQUESTS_CA_BUNDLE to its CA certificates"
    ),
    "dns": "The host name does not resolve: check the host in the Airflow connection, and DNS on the worker",
    "refused": "Nothing answers there: check the host in the Airflow connection, the firewall and the proxy",
    "dropped": "The connection broke before the answer was complete: try again",
}


def authorization(settings: Settings) -> dict[str, str]:
    """Return the header with the API key."""
    # A connection always has a key. Without one, a request shows how Retell answers strangers.
    return {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}


def common_headers() -> dict[str, str]:
    """Return the headers of every request, without the API key."""
    return {
        "User-Agent": user_agent(),
        "Accept": "application/json",
        "Accept-Encoding": ACCEPT_ENCODING,
        "Content-Type": "application/json",
    }


@functools.cache
def user_agent() -> str:
    """Return the names and versions of this package, Airflow and Python."""
    try:
        airflow = metadata.version("apache-airflow")
    except metadata.PackageNotFoundError:
        # Only airflow-core, or only the task SDK, is installed.
        airflow = "unknown"
    return (
        f"airflow-provider-retell/{__version__} apache-airflow/{airflow} python/{platform.python_version()}"
    )


def ca_bundle() -> str | None:
    """Return the file or directory of CA certificates in the environment variables that ``requests`` reads, or None.

    :raises RetellConfigError: if it does not exist.
    """
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if path := os.environ.get(name):
            if not Path(path).exists():
                raise RetellConfigError(
                    f"the environment variable {name} names certificates that do not exist: {path}"
                )
            return path
    return None


def proxy_for(url: str) -> str | None:
    """Return the URL of the environment's proxy for *url*, or None.

    An http URL, which is allowed on localhost only, is never proxied: the proxy would get the API key unencrypted,
    and connect to its own localhost.

    :raises RetellConfigError: if the proxy's protocol is neither http nor https.
    """
    parts = urlsplit(url)
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
        raise RetellConfigError(
            f"the environment names a {scheme} proxy: only http and https proxies are supported"
        )
    return address


def form_headers(form: Multipart) -> dict[str, str]:
    """Return the headers of a request that sends *form*."""
    # Without a length, HTTP libraries send a stream in chunks, which some servers reject.
    return {"Content-Type": form.content_type, "Content-Length": str(form.size)}


def mask_key(body: bytes, settings: Settings, status: int) -> bytes:
    """Mask the API key in the body of an error response, because error messages quote the body."""
    if 200 <= status < 300 or not settings.api_key:
        return body
    return body.replace(settings.api_key.encode(), b"***")


def connection_error(
    request: Request[object], settings: Settings, kind: str, cause: BaseException
) -> RetellConnectionError:
    """Return the error for a request without a complete response.

    :param kind: see :class:`RetellConnectionError`.
    :raises RetellError: if the body could not be read, which is not an error of the connection.
    """
    for error in error_chain(cause):
        if isinstance(error, RetellError):
            raise error
    url, connect_timeout = settings.base_url, f"connect_timeout: {settings.connect_timeout:g} s"
    if kind == "connect":
        fault = f"no connection in time to {url} ({connect_timeout})"
    elif is_slow(cause):
        fault = f"the answer from {url} is not complete after {time_limit(settings.timeout):g} s"
    elif kind == "timeout":
        fault = f"no answer within {settings.timeout:g} s from {url} ({connect_timeout})"
    else:
        fault = f"request to {url} failed with {safe_text(_describe(cause), sent=request.body)}"
    kind_of_error = RetellTimeoutError if kind in ("connect", "timeout") else RetellConnectionError
    fault = f"{request}: {fault}"
    return kind_of_error(f"{fault}. {_NEXT_STEP[kind]}", kind=kind, fault=fault)


def _describe(error: BaseException) -> str:
    """Return the class of *error*, and its cause: the text of the operating system, of OpenSSL or of this package.

    HTTP libraries quote the response in their texts. Of their errors, only the class is shown.
    """
    causes = error_chain(error)
    text = type(causes[-1]).__name__
    for cause in causes:
        # Only errors of a system call, or of OpenSSL, have a number.
        if isinstance(cause, DamagedBodyError) or isinstance(getattr(cause, "errno", None), int):
            text = str(cause)
        elif isinstance(cause, OSError) and (tunnel := _TUNNEL.match(str(cause))):
            text = tunnel[0]
    name = type(error).__name__
    return name if text == name else f"{name}: {text}"


def is_slow(error: BaseException) -> bool:
    """Return True if the response was not complete in time, although bytes kept arriving."""
    return any(isinstance(cause, SlowResponseError) for cause in error_chain(error))


def error_chain(error: BaseException) -> list[BaseException]:
    """Return *error* and all errors that it wraps, outermost first. HTTP libraries wrap errors in several ways."""
    found: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        item = todo.pop(0)
        if isinstance(item, BaseException) and item not in found:
            found.append(item)
            todo += [getattr(item, "reason", None), item.__cause__, item.__context__, *item.args]
    return found
