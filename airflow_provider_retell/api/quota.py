"""Client-side rate limiting: an exact sliding window per route.

Retell counts requests per organization and route. It documents 100 requests per 10 seconds for most routes, 1,000 for
placing calls, and 30 for lists (https://docs.retellai.com/get-started/sdk). If your plan has other limits, set
``quota`` and ``list_quota`` in the Airflow connection.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from airflow_provider_retell.api.errors import RetellConfigError


@dataclass(frozen=True)
class Rate:
    """At most ``requests`` requests in any window of ``seconds`` seconds, for example ``Rate(100, 10)``."""

    requests: int
    seconds: float

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Parse ``"100/10"``: requests, a slash, seconds."""
        match = re.fullmatch(r"\s*(\d{1,6})\s*/\s*(\d{1,5}(?:\.\d{1,3})?)\s*s?\s*", text)
        if not match or int(match[1]) < 1 or float(match[2]) <= 0:
            raise RetellConfigError("the quota must have the form '100/10': requests, a slash, seconds")
        return cls(int(match[1]), float(match[2]))

    def __str__(self) -> str:
        return f"{self.requests}/{self.seconds:g}"


_COUNT = re.compile(r"[0-9]{1,9}")

GENERAL = Rate(100, 10)
LISTS = Rate(30, 10)
_CREATION = Rate(1000, 10)
_CREATION_ROUTES = frozenset({"create-phone-call", "create-batch-call"})


class Usage:
    """Counts requests, and the time for which the quota delayed them.

    :ivar requests: requests sent, including retries.
    :ivar waited: seconds in which the quota or a pause delayed at least one request.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.waited = 0.0
        self._delayed_until = 0.0
        self._counted = (0, 0.0)

    def since_last_count(self) -> tuple[int, float]:
        """Return the requests and the delayed seconds since the last call of this method."""
        before, self._counted = self._counted, (self.requests, self.waited)
        return self.requests - before[0], self.waited - before[1]

    def delay(self, now: float, seconds: float) -> float:
        """Record that a request is delayed by *seconds* from *now*, and return them."""
        until = now + seconds
        self.waited += max(until - max(self._delayed_until, now), 0.0)
        self._delayed_until = max(self._delayed_until, until)
        return seconds


class Window:
    """The quota of one route within this process. Times are seconds of one monotonic clock.

    A request occupies a slot from before it is sent until ``seconds`` after its response. The server counts it at some
    time in between, so it never sees more than ``requests`` in a window, however long the network takes.
    """

    def __init__(self, rate: Rate, usage: Usage | None = None) -> None:
        self.rate = rate
        self.usage = usage or Usage()
        self._in_flight = 0
        # The time at which each slot becomes free.
        self._occupied: deque[float] = deque()
        # How many slots to leave to other clients, and until when.
        self._others: deque[tuple[float, int]] = deque()
        # The time of each response. The server counted the request before that time. More of them would not change
        # what _learn finds, and would fill the memory if responses have no header to learn from.
        self._counted: deque[float] = deque(maxlen=rate.requests)
        self._resume = 0.0

    def reserve(self, now: float) -> float:
        """Take a slot and return 0; if none is free, return the seconds to wait before the next try."""
        if now < self._resume:
            return self.usage.delay(now, self._resume - now)
        while self._occupied and self._occupied[0] <= now:
            self._occupied.popleft()
        while self._others and self._others[0][0] <= now:
            self._others.popleft()
        left = self._others[0][1] if self._others else 0
        if self._in_flight + len(self._occupied) + left < self.rate.requests:
            self._in_flight += 1
            self.usage.requests += 1
            return 0.0
        free = [slots[0] for slots in (self._occupied, [until for until, _ in self._others]) if slots]
        # If all slots are in flight, nobody knows when the next one becomes free: try again soon.
        return self.usage.delay(now, max(min(free) - now, 0.001) if free else 0.01)

    def release(
        self,
        now: float,
        headers: Mapping[str, str] | None = None,
        sent: float | None = None,
        refused: bool = False,
    ) -> None:
        """Free the slot of a finished request one window from *now*.

        :param headers: the headers of the response, or None if no response arrived.
        :param sent: the time at which the request was sent. Default: *now*.
        :param refused: True if the server responded with 429, which means that it did not count the request.
        """
        self._in_flight -= 1
        self._occupied.append(now + self.rate.seconds)
        if not refused:
            self._counted.append(now)
        if headers is not None:
            self._learn(now, now if sent is None else sent, headers.get("RateLimit-Remaining"))

    def pause(self, until: float) -> None:
        """Send nothing on this route before *until*."""
        self._resume = max(self._resume, until)

    def pause_left(self, now: float) -> float:
        """Return the remaining seconds of the route's pause, or 0."""
        return max(self._resume - now, 0.0)

    def _learn(self, now: float, sent: float, remaining: str | None) -> None:
        """Leave as many slots to other clients as they used in the last window, but at most half.

        The requests that are missing from *remaining* are ours or another client's. Every request of ours that the
        server may have counted is taken as counted, so that none of ours is mistaken for another client's. A difference
        of a few slots is ignored, because responses can overtake each other.
        """
        if remaining is None or not _COUNT.fullmatch(remaining):
            return
        while self._counted and self._counted[0] <= sent - self.rate.seconds:
            self._counted.popleft()
        others = self.rate.requests - self._in_flight - len(self._counted) - int(remaining)
        if others <= self.rate.requests // 33:
            return
        others = min(others, self.rate.requests // 2)
        while self._others and self._others[-1][1] <= others:
            # A smaller number that expires earlier no longer matters: the largest comes first.
            self._others.pop()
        self._others.append((now + self.rate.seconds, others))


class Quotas:
    """The windows of all routes of one organization.

    :param general: the quota of each route that neither lists objects nor places calls.
    :param lists: the quota of each route that lists objects.
    :ivar usage: the requests and delays of all routes.
    """

    def __init__(self, general: Rate = GENERAL, lists: Rate = LISTS) -> None:
        self.usage = Usage()
        self._general = general
        self._lists = lists
        self._windows: dict[str, Window] = {}

    def window(self, operation: str) -> Window:
        """Return the window of *operation*."""
        window = self._windows.get(operation)
        if window is None:
            if operation.startswith("list-"):
                rate = self._lists
            elif operation in _CREATION_ROUTES:
                rate = _CREATION
            else:
                rate = self._general
            window = self._windows[operation] = Window(rate, self.usage)
        return window
