"""The receiver: nothing but a fresh event that Retell has signed gets through."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from airflow_provider_retell._compat import BaseHook, aget_connection
from airflow_provider_retell.api.event_payload import event_name, event_payload
from airflow_provider_retell.api.parsing import describe
from airflow_provider_retell.api.webhook import is_signed, signed_at
from airflow_provider_retell.hooks.connection import read_connection
from airflow_provider_retell.hooks.reason import safe_reason

if TYPE_CHECKING:
    from airflow_provider_retell.webhook.events import AirflowEvents

log = logging.getLogger(__name__)

MAX_BYTES = 8 * 1024 * 1024
"""Of one body. An analyzed call of two hours with the time of every word is some megabytes."""

MAX_BYTES_AT_ONCE = 4 * MAX_BYTES
"""Of all bodies that are arriving: until one is complete, nobody knows whether it is signed."""

_BODY_SECONDS = 10.0
_KEY_SECONDS = 60.0
_LOG_SECONDS = 60.0


class WebhookApp:
    """An ASGI app that takes ``POST .../webhook``.

    The app stands outside Airflow's own login, so the signature is its only door: whatever is not signed, too old,
    too large or too slow, or not even a POST, gets 401 and nothing else, and adds to a count that is logged once a
    minute. An event gets 204 only when Airflow has its asset event; with anything else Retell tries again.

    :param events: where events go.
    :param retell_conn_id: the connection whose API key signs.
    :param wanted: the names of Retell's events that count; others are answered and dropped.
    :param body_seconds: how long a body may take to arrive.
    """

    def __init__(
        self,
        events: AirflowEvents,
        retell_conn_id: str,
        wanted: frozenset[str],
        body_seconds: float = _BODY_SECONDS,
    ) -> None:
        self._events = events
        self._conn_id = retell_conn_id
        self._wanted = wanted
        self._body_seconds = body_seconds
        self._arriving = 0
        self._key: tuple[float, str | None] = (float("-inf"), None)
        self._refused = 0
        self._counted_at = float("-inf")

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """Answer one request, as ASGI servers ask for it."""
        if scope["type"] != "http":
            self._refuse()
            await send({"type": "websocket.close"})
            return
        status = await self._status(scope, receive)
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def _status(self, scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]]) -> int:
        # Whether the path still has the mount's prefix depends on the server's version and on proxies.
        if scope["method"] != "POST" or not scope["path"].rstrip("/").endswith("/webhook"):
            return self._refuse()
        signatures = [value for name, value in scope["headers"] if name == b"x-retell-signature"]
        signature = signatures[0].decode("latin-1") if len(signatures) == 1 else ""
        if signed_at(signature, time.time()) is None:
            return self._refuse()
        body = await self._body(receive)
        if body is None:
            return self._refuse()
        api_key = await self._api_key()
        if api_key is None:
            return 503
        if not is_signed(body, signature, api_key, time.time()):
            return self._refuse()
        return await self._accept(body)

    async def _accept(self, body: bytes) -> int:
        name = event_name(body)
        if name is not None and name not in self._wanted:
            return 204
        try:
            event = event_payload(body)
        except ValidationError as fault:
            log.error("Webhook: Retell has signed a body that is not an event of a call: %s", describe(fault))
            return 400
        call_id = event["calls"][0]["call_id"]
        try:
            made = await self._events.send(event)
        except Exception as error:
            log.error("Webhook: %s of call %s: no asset event: %s", name, call_id, safe_reason(error))
            return 503
        log.info("Webhook: %s of call %s%s", name, call_id, "" if made else " came again, dropped")
        return 204

    async def _body(self, receive: Callable[[], Awaitable[dict[str, Any]]]) -> bytes | None:
        body = bytearray()

        async def read() -> bool:
            while True:
                message = await receive()
                if message["type"] != "http.request":  # the client has left
                    return False
                part = message.get("body", b"")
                self._arriving += len(part)
                body.extend(part)
                if len(body) > MAX_BYTES or self._arriving > MAX_BYTES_AT_ONCE:
                    return False
                if not message.get("more_body"):
                    return True

        try:
            return bytes(body) if await asyncio.wait_for(read(), self._body_seconds) else None
        except asyncio.TimeoutError:
            return None
        finally:
            self._arriving -= len(body)

    async def _api_key(self) -> str | None:
        read_at, key = self._key
        if time.monotonic() - read_at > _KEY_SECONDS:
            try:
                key = read_connection(await aget_connection(BaseHook, self._conn_id)).api_key
            except Exception as error:
                key = None
                log.error("Webhook: no API key to check signatures with: %s", safe_reason(error))
            # A failure is kept as well: whoever knocks must not make Airflow look again each time.
            self._key = time.monotonic(), key
        return key

    def _refuse(self) -> int:
        self._refused += 1
        if time.monotonic() - self._counted_at > _LOG_SECONDS:
            self._counted_at = time.monotonic()
            log.warning("Webhook: %d requests without a valid signature so far", self._refused)
        return 401
