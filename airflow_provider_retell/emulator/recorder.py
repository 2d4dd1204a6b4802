"""What was asked of the emulator: the requests, and how many of each."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class RecordedRequest:
    """One request.

    ``route``: the endpoint's name, None if there is none. ``organization``: that of the key, None if
    unknown. ``status``: None while unanswered, and for good if the connection was dropped. ``body``: parsed
    JSON, or None. ``headers``: lower-case names, without authorization. ``at``: time.monotonic() at
    arrival.
    """

    method: str
    path: str
    route: str | None
    call_id: str | None
    organization: str | None
    status: int | None
    body: Any
    headers: dict[str, str]
    at: float


class Recorder:
    """Keeps requests, and counts them all.

    ``keep``: True for all, a number for the newest, False for none.
    """

    def __init__(self, keep: bool | int) -> None:
        self.keeps = bool(keep)
        self._requests: deque[RecordedRequest] = deque(maxlen=None if keep is True else int(keep))
        self._arrived: Counter[tuple[str | None, str | None]] = Counter()
        self._answered: Counter[tuple[str | None, str | None, int | None]] = Counter()
        self._lock = threading.Lock()

    def arrived(self, route: str | None, organization: str | None) -> None:
        """Count a request."""
        with self._lock:
            self._arrived[route, organization] += 1

    def keep(self, request: RecordedRequest) -> None:
        """Keep a request."""
        with self._lock:
            self._requests.append(request)

    def answered(self, route: str | None, organization: str | None, status: int | None) -> None:
        """Count an answer."""
        with self._lock:
            self._answered[route, organization, status] += 1

    def requests(self) -> list[RecordedRequest]:
        """Return the kept requests, in order of arrival."""
        with self._lock:
            return list(self._requests)

    def count(self, route: str | None, status: int | None, organization: str | None) -> int:
        """How many requests there were, narrowed by whatever is not None."""
        with self._lock:
            if status is None:
                pairs = self._arrived.items()
                return sum(n for (r, o), n in pairs if route in (None, r) and organization in (None, o))
            return sum(
                n
                for (r, o, s), n in self._answered.items()
                if s == status and route in (None, r) and organization in (None, o)
            )

    def clear(self) -> None:
        """Forget requests and counts."""
        with self._lock:
            self._requests.clear()
            self._arrived.clear()
            self._answered.clear()
