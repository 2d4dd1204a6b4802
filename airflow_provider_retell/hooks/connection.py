"""Read Airflow connections of type ``retell``."""

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
    """The settings of a hook.

    :ivar api_key: the API key, sent as a bearer token and never printed.
    :ivar base_url: the URL of the API, without a slash at the end.
    :ivar timeout: seconds without data from the server before a request fails.
    :ivar connect_timeout: seconds to connect to the server.
    :ivar quota: the quota of each route that neither lists objects nor places calls.
    :ivar list_quota: the quota of each route that lists objects.
    """

    api_key: str = field(repr=False)
    base_url: str = RETELL_URL
    timeout: float = 60.0
    connect_timeout: float = 10.0
    quota: Rate = GENERAL
    list_quota: Rate = LISTS

    def within(self, limits: RetryLimits) -> Settings:
        """Return the same settings with timeouts no longer than those of *limits*."""
        return dataclasses.replace(
            self,
            timeout=min(self.timeout, limits.timeout),
            connect_timeout=min(self.connect_timeout, limits.connect_timeout),
        )


def read_connection(connection: Connection) -> Settings:
    """Return the settings in *connection*.

    :raises RetellConfigError: if a field is invalid. The message names the field and says how to fix it.
    """
    where = f"connection {connection.conn_id!r}"
    # Not connection.extra_dejson, which sends requests to Airflow and would block an event loop.
    try:
        extra = json.loads(connection.extra or "{}")
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise RetellConfigError(f"{where}: the extra fields must be a JSON object")
    unknown = sorted(set(extra) - _EXTRAS)
    if unknown:
        log.warning(
            "%s: ignoring unknown extra fields: %s. Known fields: %s",
            where,
            ", ".join(unknown),
            ", ".join(sorted(_EXTRAS)),
        )
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
            f"{where} has no API key: copy it from Retell's dashboard (API Keys) into the field 'API key' (the "
            "connection's password)"
        )
    if set(key) == {"*"}:
        raise RetellConfigError(
            f"{where}: the API key is the mask '***' that Airflow shows instead of the stored key: copy the key from "
            "Retell's dashboard (API Keys) again"
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise RetellConfigError(
            f"{where}: the API key must be printable ASCII without spaces or line breaks: copy it again from Retell's "
            "dashboard (API Keys)"
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
            f"{where}: the host must be a URL such as {RETELL_URL}, with a port of at most 65535"
        ) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RetellConfigError(f"{where}: the host must be a URL such as {RETELL_URL}")
    if any(mark in host for mark in "@?#"):
        raise RetellConfigError(f"{where}: the host must be a plain URL, without a user, a '?' or a '#'")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise RetellConfigError(
            f"{where}: the host must use https, except on localhost, because http sends the API key unencrypted"
        )
    return (host if given_port else with_port(host, port)).rstrip("/")


def with_scheme(host: str, scheme: str | None = None) -> str:
    """Return *host* as a URL. Without a scheme, use *scheme*, or http on localhost and https elsewhere."""
    if "://" in host:
        return host
    return f"{scheme or ('http' if _is_loopback(urlsplit(f'//{host}').hostname) else 'https')}://{host}"


def with_port(url: str, port: int | None) -> str:
    """Return *url*, which has no port, with *port*."""
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
        raise RetellConfigError(f"{where} must be a number of seconds, more than 0 and at most 3600")
    return seconds
