"""The ASGI app that receives Retell's webhooks.

Retell: https://docs.retellai.com/features/webhook-overview
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from airflow_provider_retell._compat import AirflowNotFoundException, BaseHook
from airflow_provider_retell._compat.services import aget_connection
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.api.event_payload import event_name, event_payload, noun_of, records_in
from airflow_provider_retell.api.parsing import describe
from airflow_provider_retell.api.webhook import TOLERANCE_SECONDS, clock_offset, is_signed, signed_at
from airflow_provider_retell.clock import clock
from airflow_provider_retell.common.wording import counted, duration
from airflow_provider_retell.hooks.connection import read_connection
from airflow_provider_retell.hooks.reason import safe_reason

if TYPE_CHECKING:
    from airflow_provider_retell.webhook.events import AirflowEvents

log = logging.getLogger(__name__)

MAX_BYTES = 8 * 1024 * 1024
"""The limit for one body. An analyzed call of two hours, with a timestamp for every word, has a few megabytes."""

MAX_BYTES_AT_ONCE = 4 * MAX_BYTES
"""The limit for all bodies that are being received. A signature can be checked only when its body is complete."""

RESULT_HEADER = "X-Retell-Result"
"""Tells the sender of a signed event the result: ``created`` (an asset event), ``duplicate`` (Airflow has one),
``ignored`` (not one of the events to accept), ``invalid`` (not an event of a call or chat) or ``failed`` (see the log).
Other senders get no such header."""

_BODY_SECONDS = 10.0
_KEY_SECONDS = 60.0
_FAILURE_SECONDS = 5.0
_LOG_SECONDS = 60.0

# The reasons complete the phrase "rejected 3 requests so far". They contain nothing of a request but its time.
_OTHER_ADDRESS = "for another address or method than POST .../webhook"
_OTHER_NUMBER_OF_HEADERS = (
    "without exactly one X-Retell-Signature header. If they are from Retell, a proxy may remove the header"
)
_MALFORMED_HEADER = (
    "with a malformed X-Retell-Signature header. If they are from Retell, a proxy may change the header"
)
_CLOCK = (
    "with a time that is too far from the time of this machine. The last was signed {offset}. If they are from Retell, "
    "correct the clock of this machine"
)
_OTHER_KEY = (
    "with a signature that does not match the API key of connection {conn_id!r}. If they are from Retell, use the key "
    "with the webhook badge (Retell dashboard, API Keys); a proxy must not change the body"
)
_BODY = "with a body that is too large, too slow or incomplete"


class WebhookApp:
    """An ASGI app for ``POST .../webhook``.

    Airflow's login does not protect the app; the signature does. A request that is unsigned, too old, too large, too
    slow or not a POST gets 401 and an empty body. The log, not the response, has the reason: the app counts such
    requests by reason, and logs each count once a minute. An event gets 204 when Airflow has its asset event. After any
    other status, Retell sends the event again. Responses to signed events have a header with the result, see
    :data:`RESULT_HEADER`.

    :param events: creates the asset events, by the name of the webhook event. Other events get 204 and are dropped.
    :param retell_conn_id: the Airflow connection whose API key signs the events.
    """

    def __init__(self, events: Mapping[str, AirflowEvents], retell_conn_id: str) -> None:
        self._events = events
        self._conn_id = retell_conn_id
        self._receiving = 0
        self._key: tuple[float, str | None] = (float("-inf"), None)
        self._rejected: Counter[str] = Counter()
        self._logged_at: dict[str, float] = {}

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """Handle one ASGI request."""
        if scope["type"] != "http":
            self._reject("address", _OTHER_ADDRESS)
            await send({"type": "websocket.close"})
            return
        status, result = await self._respond(scope, receive)
        headers = [(b"content-length", b"0")]
        if result:
            headers.append((RESULT_HEADER.lower().encode(), result.encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _respond(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]]
    ) -> tuple[int, str]:
        """Return the status and, for signed events only, the result."""
        # The path may or may not start with the mount's prefix, depending on the server's version and on proxies.
        if scope["method"] != "POST" or not scope["path"].rstrip("/").endswith("/webhook"):
            return self._reject("address", _OTHER_ADDRESS)
        signatures = [value for name, value in scope["headers"] if name == b"x-retell-signature"]
        if len(signatures) != 1:
            return self._reject("number of headers", _OTHER_NUMBER_OF_HEADERS)
        signature = signatures[0].decode("latin-1")
        timestamp = signed_at(signature)
        if timestamp is None:
            return self._reject("header", _MALFORMED_HEADER)
        offset = clock_offset(timestamp, clock().time())
        if abs(offset) > TOLERANCE_SECONDS:
            place = "ago" if offset < 0 else "in the future"
            return self._reject("clock", _CLOCK.format(offset=f"{duration(abs(offset))} {place}"))
        body = await self._body(receive)
        if body is None:
            return self._reject("body", _BODY)
        api_key = await self._api_key()
        if api_key is None:
            return 503, ""
        if not is_signed(body, signature, api_key, clock().time()):
            return self._reject("key", _OTHER_KEY.format(conn_id=self._conn_id))
        return await self._accept(body)

    async def _accept(self, body: bytes) -> tuple[int, str]:
        """Create the asset event of a signed body, and return the status and the result."""
        name = event_name(body) or ""
        if name and name not in self._events:
            return 204, "ignored"
        noun = noun_of(name)
        try:
            event = event_payload(body, noun)
        except ValidationError as error:
            log.error(
                "Webhook: Retell has signed a body that is not an event of a call or chat: %s",
                describe(error),
            )
            return 400, "invalid"
        ((record_id, _),) = records_in(event)
        try:
            created = await self._events[name].send(event)
        except Exception as error:
            log.error(
                "Webhook: %s of %s %s has no asset event yet, and Retell will send it again: %s",
                name,
                noun,
                record_id,
                safe_reason(error),
            )
            return 503, "failed"
        log.info(
            "Webhook: %s of %s %s%s",
            name,
            noun,
            record_id,
            "" if created else " dropped: Airflow has its event",
        )
        return 204, "created" if created else "duplicate"

    async def _body(self, receive: Callable[[], Awaitable[dict[str, Any]]]) -> bytes | None:
        """Return the body, or None if it is too large, too slow or incomplete."""
        body = bytearray()

        async def read() -> bool:
            while True:
                message = await receive()
                if message["type"] != "http.request":  # the client has disconnected
                    return False
                part = message.get("body", b"")
                self._receiving += len(part)
                body.extend(part)
                if len(body) > MAX_BYTES or self._receiving > MAX_BYTES_AT_ONCE:
                    return False
                if not message.get("more_body"):
                    return True

        try:
            return bytes(body) if await asyncio.wait_for(read(), _BODY_SECONDS) else None
        except asyncio.TimeoutError:
            return None
        finally:
            self._receiving -= len(body)

    async def _api_key(self) -> str | None:
        read_again, key = self._key
        if clock().monotonic() >= read_again:
            seconds = _KEY_SECONDS
            try:
                key = read_connection(await aget_connection(BaseHook, self._conn_id)).api_key
            except (AirflowNotFoundException, RetellError) as error:
                key = None
                log.error("Webhook: no API key to check signatures with: %s", safe_reason(error))
            except Exception as error:
                # The database may be down for a short time, so the last key stays. The failure is cached, too.
                # Otherwise each request of an unknown client would cause a lookup.
                seconds = _FAILURE_SECONDS
                log.error("Webhook: the API key cannot be read: %s", safe_reason(error))
            self._key = clock().monotonic() + seconds, key
        return key

    def _reject(self, kind: str, reason: str) -> tuple[int, str]:
        """Count a rejected request, and log the count of its kind once a minute. Requests of one kind hide no other."""
        self._rejected[kind] += 1
        now = clock().monotonic()
        if now - self._logged_at.get(kind, float("-inf")) > _LOG_SECONDS:
            self._logged_at[kind] = now
            log.warning("Webhook: rejected %s so far %s", counted(self._rejected[kind], "request"), reason)
        return 401, ""
