"""Webhooks: events that the emulator signs and sends as calls and chats progress.

Source: https://docs.retellai.com/features/webhook-overview
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Collection

EVENTS = ("call_started", "call_ended", "call_analyzed", "chat_started", "chat_ended", "chat_analyzed")
"""The events that Retell sends by default."""

TIMEOUT_SECONDS = 10.0
RETRY_SECONDS = (0.5, 1.0, 2.0)
"""The pauses before the three repetitions. Retell documents their number only."""

_LEFT_OUT_IF_EMPTY = ("metadata", "retell_llm_dynamic_variables", "collected_dynamic_variables")
_LEFT_OUT_AT_THE_START = ("transcript", "message_with_tool_calls")

log = logging.getLogger("airflow_provider_retell.emulator")


@dataclass
class WebhookDelivery:
    """An event, and how its delivery went.

    :ivar event: its name, such as "call_ended".
    :ivar record_id: the id of its call or chat.
    :ivar statuses: the status code of each attempt; None for an attempt without a response.
    """

    event: str
    record_id: str
    statuses: list[int | None] = field(default_factory=list)

    @property
    def delivered(self) -> bool:
        """True if the receiver accepted the event."""
        return bool(self.statuses) and self.statuses[-1] in range(200, 300)


@dataclass(frozen=True)
class _Outgoing:
    delivery: WebhookDelivery
    url: str
    api_key: str
    body: bytes


class Webhooks:
    """Sends the events of all organizations, one after the other.

    An event without a 2xx response within 10 seconds is sent up to three times more, as documented.

    :param url: the receiver, or None to send nothing.
    :param events: the names of the events to send.
    """

    def __init__(self, url: str | None, events: Collection[str]) -> None:
        self.configure(url, events)
        self.deliveries: list[WebhookDelivery] = []
        self._outbox: deque[_Outgoing] = deque()
        self._open = 0
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._filled: asyncio.Event | None = None

    def configure(self, url: str | None, events: Collection[str]) -> None:
        """Set the receiver and the events.

        :raises ValueError: for another URL than one of http or https, or an unknown event.
        """
        if url is not None and not url.startswith(("http://", "https://")):
            raise ValueError(f"webhook_url must be an http or https URL, not {url!r}")
        unknown = set(events) - set(EVENTS)
        if unknown:
            raise ValueError(
                f"webhook_events must be among {', '.join(EVENTS)}, not {', '.join(sorted(map(str, unknown)))}"
            )
        self.url = url
        self.events = frozenset(events)

    def on_event(self, event: str, record: dict[str, Any], api_key: str) -> None:
        """Queue an event, if it is one of those to send.

        :param record: the call or chat as get-call or get-chat shows it.
        :param api_key: the key that signs.
        """
        if event in self.events:
            self.send(event, record, api_key)

    def send(self, event: str, record: dict[str, Any], api_key: str) -> None:
        """Queue an event. It is sent while the server runs.

        :raises ValueError: for an unknown event.
        """
        if event not in EVENTS:
            raise ValueError(f"event must be one of {', '.join(EVENTS)}, not {event!r}")
        if self.url is None:
            return
        noun = event.partition("_")[0]
        body = json.dumps({"event": event, noun: _shown(event, record)}).encode()
        delivery = WebhookDelivery(event, record[f"{noun}_id"])
        with self._changed:
            self.deliveries.append(delivery)
            self._outbox.append(_Outgoing(delivery, self.url, api_key, body))
            self._open += 1
        loop, filled = self._loop, self._filled
        if loop is not None and filled is not None:
            with contextlib.suppress(
                RuntimeError
            ):  # the server stops; the event is sent after its next start
                loop.call_soon_threadsafe(filled.set)

    def wait(self, timeout: float) -> bool:
        """Wait until all events are delivered or given up; return False if *timeout* seconds pass before that."""
        with self._changed:
            return self._changed.wait_for(lambda: self._open == 0, timeout)

    def clear(self) -> None:
        """Forget all events, also those that were not sent yet."""
        with self._changed:
            self._open -= len(self._outbox)
            self._outbox.clear()
            self.deliveries.clear()
            self._changed.notify_all()

    async def run(self) -> None:
        """Send events until the task is canceled."""
        self._loop, self._filled = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)) as session:
                while True:
                    self._filled.clear()
                    while self._outbox:
                        await self._deliver(session, self._outbox.popleft())
                    await self._filled.wait()
        finally:
            self._loop = self._filled = None

    async def _deliver(self, session: aiohttp.ClientSession, outgoing: _Outgoing) -> None:
        delivery = outgoing.delivery
        try:
            for pause in (*RETRY_SECONDS, None):
                delivery.statuses.append(await _post(session, outgoing))
                log.info("webhook %s %s", delivery.event, delivery.statuses[-1] or "(no response)")
                if delivery.delivered or pause is None:
                    return
                await asyncio.sleep(pause)
        finally:
            with self._changed:
                self._open -= 1
                self._changed.notify_all()


async def _post(session: aiohttp.ClientSession, outgoing: _Outgoing) -> int | None:
    headers = {
        "Content-Type": "application/json",
        "X-Retell-Signature": sign(outgoing.body, outgoing.api_key, time.time()),
    }
    try:
        async with session.post(
            outgoing.url, data=outgoing.body, headers=headers, allow_redirects=False
        ) as response:
            return response.status
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
        return None


def sign(body: bytes, api_key: str, now: float) -> str:
    """Return the ``x-retell-signature`` of *body*.

    :param now: the time in epoch seconds.
    """
    timestamp = str(int(now * 1000))
    digest = hmac.new(api_key.encode(), body + timestamp.encode(), hashlib.sha256).hexdigest()
    return f"v={timestamp},d={digest}"


def _shown(event: str, record: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a call or chat that an event contains. Only the last event contains the analysis."""
    left_out = {name for name in _LEFT_OUT_IF_EMPTY if not record.get(name)}
    if not event.endswith("_analyzed"):
        left_out |= {"call_analysis", "chat_analysis"}
    if event.endswith("_started"):
        left_out |= set(_LEFT_OUT_AT_THE_START)
    return {name: value for name, value in record.items() if name not in left_out}
