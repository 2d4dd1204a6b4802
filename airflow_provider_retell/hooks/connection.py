"""Read an Airflow connection of type ``retell``."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider_retell.api.errors import RetellConfigError
from airflow_provider_retell.api.quota import GENERAL, LISTS, Rate
from airflow_provider_retell.api.retry import RetryLimits

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Connection

log = logging.getLogger(__name__)

RETELL_URL = "https://api.retellai.com"
_EXTRAS = frozenset({"timeout", "connect_timeout", "quota", "list_quota"})


@dataclass(frozen=True)
class Settings:
    """What a hook needs to talk to Retell.

    :ivar api_key: sent as a bearer token; never printed.
    :ivar base_url: without a slash at its end.
    :ivar timeout: seconds without a byte from the server before a request fails.
    :ivar connect_timeout: seconds to reach the server.
    :ivar quota: requests per seconds on each general route.
    :ivar list_quota: the same for lists.
    """

    api_key: str = field(repr=False)
    base_url: str = RETELL_URL
    timeout: float = 60.0
    connect_timeout: float = 10.0
    quota: Rate = GENERAL
    list_quota: Rate = LISTS

    def within(self, patience: RetryLimits) -> Settings:
        """Return the same settings with no timeout longer than *patience* has it."""
        return dataclasses.replace(
            self,
            timeout=min(self.timeout, patience.timeout),
            connect_timeout=min(self.connect_timeout, patience.connect_timeout),
        )


def read_connection(connection: Connection) -> Settings:
    """Return the settings in *connection*; raise :class:`RetellConfigError` saying what to mend where."""
    where = f"connection {connection.conn_id!r}"
    # Not connection.extra_dejson: it talks to Airflow, which an event loop must not wait for.
    try:
        extra = json.loads(connection.extra or "{}")
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise RetellConfigError(f"{where}: the extra fields are not a JSON object")
    unknown = sorted(set(extra) - _EXTRAS)
    if unknown:
        log.warning("%s: ignoring unknown extra fields: %s", where, ", ".join(unknown))
    given: dict[str, Any] = {
        name: value for name, value in extra.items() if name in _EXTRAS and value not in (None, "")
    }
    for name, value in given.items():
        given[name] = (_rate if name.endswith("quota") else _seconds)(value, f"{where}: {name}")
    return Settings(
        api_key=_api_key(connection.password, where),
        base_url=_base_url(connection.host, connection.port, where),
        **given,
    )


def _api_key(value: str | None, where: str) -> str:
    key = (value or "").strip()
    if not key:
        raise RetellConfigError(
            f"{where} has no API key: put the key from Retell's dashboard into the password field"
        )
    if set(key) == {"*"}:
        raise RetellConfigError(
            f"{where}: the API key is the mask '***' that Airflow shows in place of a password, not a key: type the "
            "key from Retell's dashboard in again"
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise RetellConfigError(
            f"{where}: the API key has characters that no key has (a space or a line break, say)"
        )
    return key


def _base_url(host: str | None, port: int | None, where: str) -> str:
    host = (host or "").strip()
    if not host:
        return RETELL_URL
    try:
        host = with_scheme(host)
        parts = urlsplit(host)
        given_port = parts.port
        (parts.hostname or "").encode("idna")
    except ValueError:
        raise RetellConfigError(
            f"{where}: the host is not a URL such as {RETELL_URL} (a port may be up to 65535)"
        ) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RetellConfigError(f"{where}: the host must be a URL such as {RETELL_URL}")
    if any(mark in host for mark in "@?#"):
        raise RetellConfigError(f"{where}: the host must be a plain URL, without a user, a '?' or a '#'")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise RetellConfigError(
            f"{where}: the host uses http, which would send the API key in clear: use https (http is for localhost)"
        )
    return (host if given_port else with_port(host, port)).rstrip("/")


def with_scheme(host: str, scheme: str | None = None) -> str:
    """Return *host* as a URL: https, unless it has a scheme, *scheme* is another, or it is this machine."""
    if "://" in host:
        return host
    return f"{scheme or ('http' if _is_loopback(urlsplit(f'//{host}').hostname) else 'https')}://{host}"


def with_port(url: str, port: int | None) -> str:
    """Return *url*, which has no port, with one."""
    parts = urlsplit(url)
    if not port or parts.hostname is None:
        return url
    netloc = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{netloc}:{port}{parts.path}"


def _is_loopback(hostname: str | None) -> bool:
    if hostname is None:
        return False
    if hostname == "localhost" or hostname.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(hostname).is_loopback
    except ValueError:
        return False


def _rate(value: Any, where: str) -> Rate:
    try:
        return Rate.parse(str(value))
    except RetellConfigError as error:
        raise RetellConfigError(f"{where}: {error}") from None


def _seconds(value: Any, where: str) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if isinstance(value, bool) or not 0 < seconds <= 3600:
        raise RetellConfigError(f"{where} must be seconds, more than 0 and at most 3600")
    return seconds
