"""The record of the requests that an emulator received, and their counts."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class RecordedRequest:
    """A request that the emulator received.

    :ivar method: the HTTP method.
    :ivar path: the path with its query, as sent.
    :ivar route: the name of the endpoint, such as "update-call"; None if there is no such endpoint.
    :ivar ids: the ids in the path, such as ``{"call_id": "call_1"}``.
    :ivar organization: the name of the key's organization; None if the key is unknown.
    :ivar status: the status code of the response; None until there is one, or if the connection was dropped.
    :ivar body: the parsed JSON; None if the body is empty or not JSON. A form is a list of values by field, and
        its files are described by name, media type, size and SHA-256.
    :ivar headers: by lower-case name, without authorization.
    :ivar at: ``time.monotonic()`` at arrival.
    """

    method: str
    path: str
    route: str | None
    ids: dict[str, str]
    organization: str | None
    status: int | None
    body: Any
    headers: dict[str, str]
    at: float

    @property
    def call_id(self) -> str | None:
        """The call id in the path, or None."""
        return self.ids.get("call_id")


class Recorder:
    """Records requests and counts all of them.

    :param keep: True to keep every request, a number to keep the newest, False to keep none.
    """

    def __init__(self, keep: bool | int) -> None:
        self.keeps = bool(keep)
        self._requests: deque[RecordedRequest] = deque(maxlen=None if keep is True else int(keep))
        self._received: Counter[tuple[str | None, str | None]] = Counter()
        self._answered: Counter[tuple[str | None, str | None, int | None]] = Counter()
        self._lock = threading.Lock()

    def received(self, route: str | None, organization: str | None) -> None:
        """Count a request."""
        with self._lock:
            self._received[route, organization] += 1

    def keep(self, request: RecordedRequest) -> None:
        """Keep a request."""
        with self._lock:
            self._requests.append(request)

    def answered(self, route: str | None, organization: str | None, status: int | None) -> None:
        """Count a response; *status* is None if the connection was dropped."""
        with self._lock:
            self._answered[route, organization, status] += 1

    def requests(self) -> list[RecordedRequest]:
        """Return the kept requests in order of arrival."""
        with self._lock:
            return list(self._requests)

    def count(self, route: str | None, status: int | None, organization: str | None) -> int:
        """Return the number of requests that match all arguments that are not None."""
        with self._lock:
            if status is None:
                pairs = self._received.items()
                return sum(n for (r, o), n in pairs if route in (None, r) and organization in (None, o))
            return sum(
                n
                for (r, o, s), n in self._answered.items()
                if s == status and route in (None, r) and organization in (None, o)
            )

    def clear(self) -> None:
        """Forget all requests and counts."""
        with self._lock:
            self._requests.clear()
            self._received.clear()
            self._answered.clear()
