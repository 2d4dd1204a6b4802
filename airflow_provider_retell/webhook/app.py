"""The receiver: nothing but a fresh event that Retell has signed gets through."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import BaseHook, aget_connection
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.api.webhook import call_event, is_signed, read_event, signed_at
from airflow_provider_retell.hooks.connection import read_connection

if TYPE_CHECKING:
    from airflow_provider_retell.webhook.events import AirflowEvents

log = logging.getLogger(__name__)

MAX_BYTES = 16 * 1024 * 1024
"""An analysed call of an hour with the time of every word is some megabytes."""

_BODY_SECONDS = 10.0
_KEY_SECONDS = 60.0
_COUNT_SECONDS = 60.0


class WebhookApp:
    """An ASGI app with one route, ``POST /webhook``.

    The app stands outside Airflow's own login, so the signature is its only door: whatever is not signed, too old,
    too large or too slow gets 401 and nothing else, and leaves a count in the log, once a minute.

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
        self._key: tuple[float, str] | None = None
        self._refused = 0
        self._counted_at = 0.0

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]
    ) -> None:
        """Answer one request, as ASGI servers ask for it."""
        if scope["type"] != "http":
            return
        status = await self._status(scope, receive)
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def _status(self, scope: dict[str, Any], receive: Callable[[], Any]) -> int:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if scope["method"] != "POST" or path.rstrip("/") != "/webhook":
            return 404
        signature = dict(scope["headers"]).get(b"x-retell-signature", b"").decode("latin-1")
        body = None
        if signed_at(signature, time.time()) is not None:
            body = await self._body(receive)
        if body is None or not is_signed(body, signature, await self._api_key(), time.time()):
            self._count_refusal()
            return 401
        return await self._accept(body)

    async def _accept(self, body: bytes) -> int:
        read = read_event(body)
        if read is None or read[0] not in self._wanted:
            return 204
        event, call = read
        try:
            made = await self._events.send(call_event(event, call))
        except Exception as error:
            log.error("Webhook: %s of call %s made no asset event: %s", event, call.call_id, _brief(error))
            return 503
        log.info("Webhook: %s of call %s%s", event, call.call_id, "" if made else " came again, dropped")
        return 204

    async def _body(self, receive: Callable[[], Any]) -> bytes | None:
        async def read() -> bytes | None:
            body = bytearray()
            while True:
                message = await receive()
                if message["type"] != "http.request":  # the client has left
                    return None
                body += message.get("body", b"")
                if len(body) > MAX_BYTES:
                    return None
                if not message.get("more_body"):
                    return bytes(body)

        try:
            return await asyncio.wait_for(read(), self._body_seconds)
        except asyncio.TimeoutError:
            return None

    async def _api_key(self) -> str:
        now = time.monotonic()
        if self._key is None or now - self._key[0] > _KEY_SECONDS:
            connection = await aget_connection(BaseHook, self._conn_id)
            self._key = now, read_connection(connection).api_key
        return self._key[1]

    def _count_refusal(self) -> None:
        self._refused += 1
        if time.monotonic() - self._counted_at > _COUNT_SECONDS:
            self._counted_at = time.monotonic()
            log.warning("Webhook: %d requests without a valid signature so far", self._refused)


def _brief(error: Exception) -> str:
    status = getattr(error, "status", None)
    text = str(error) if isinstance(error, (RetellError, LookupError)) else type(error).__name__
    return f"{text} ({status})" if status else text
