"""How many requests may be sent now: an exact sliding window per route.

Retell counts per organization and route. Documented are 100 requests in 10 seconds for most routes, 1,000 in 10
seconds for placing calls, and for lists 15 (https://docs.retellai.com/get-started/sdk, August 2026) or 30 (later
readings); the smaller is used. https://docs.retellai.com tells the numbers of today; a plan's own numbers for
lists and for most other routes are set on the connection.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from airflow_provider_retell.api.errors import RetellConfigError

__all__ = ["Rate"]


@dataclass(frozen=True)
class Rate:
    """At most ``requests`` in any ``seconds``."""

    requests: int
    seconds: float

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Read ``"100/10"``: requests, a slash, seconds."""
        match = re.fullmatch(r"\s*(\d{1,6})\s*/\s*(\d{1,5}(?:\.\d{1,3})?)\s*s?\s*", text)
        if not match or int(match[1]) < 1 or float(match[2]) <= 0:
            raise RetellConfigError("the quota must read like '100/10': requests, a slash, seconds")
        return cls(int(match[1]), float(match[2]))

    def __str__(self) -> str:
        return f"{self.requests}/{self.seconds:g}"


GENERAL = Rate(100, 10)
LISTS = Rate(15, 10)
_CREATION = Rate(1000, 10)
_LIST_ROUTES = frozenset({"list-calls"})
_CREATION_ROUTES = frozenset({"create-phone-call", "create-batch-call"})


class Usage:
    """How much was sent, and how long something was held back.

    :ivar requests: requests sent, repeats included.
    :ivar waited: seconds in which at least one request was held back by the quota or a pause.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.waited = 0.0
        self._held_until = 0.0

    def hold(self, now: float, seconds: float) -> None:
        """Note that a request is held back for *seconds* from *now*."""
        until = now + seconds
        self.waited += max(until - max(self._held_until, now), 0.0)
        self._held_until = max(self._held_until, until)


class Window:
    """The quota of one route, as one process sees it. Times are seconds of one monotonic clock.

    A request takes a slot from before it is sent until ``seconds`` after its answer came: the server counted it at
    some moment in between, so whatever the network does, the server never sees more than ``requests`` in a window.
    """

    def __init__(self, rate: Rate, usage: Usage | None = None) -> None:
        self.rate = rate
        self.usage = usage or Usage()
        self._flying = 0
        self._answered: deque[float] = deque()  # when each slot becomes free again
        self._others: deque[tuple[float, int]] = (
            deque()
        )  # until when to leave how many slots to other clients
        self._counted: deque[float] = deque()  # when each request was answered: the server counted it before
        self._resume = 0.0

    def wait(self, now: float) -> float:
        """Return 0 and take a slot, or return the seconds to wait before asking again. Never raises."""
        if now < self._resume:
            return self._hold(now, self._resume - now)
        while self._answered and self._answered[0] <= now:
            self._answered.popleft()
        while self._others and self._others[0][0] <= now:
            self._others.popleft()
        left = self._others[0][1] if self._others else 0
        if self._flying + len(self._answered) + left < self.rate.requests:
            self._flying += 1
            self.usage.requests += 1
            return 0.0
        free = [slots[0] for slots in (self._answered, [until for until, _ in self._others]) if slots]
        # With every slot in flight there is no telling when one becomes free: look again soon.
        return self._hold(now, max(min(free) - now, 0.001) if free else 0.01)

    def _hold(self, now: float, seconds: float) -> float:
        self.usage.hold(now, seconds)
        return seconds

    def answered(
        self,
        now: float,
        headers: Mapping[str, str] | None = None,
        sent: float | None = None,
        refused: bool = False,
    ) -> None:
        """A request was answered (or failed): its slot becomes free one window from now.

        :param sent: when it was sent; now if not given.
        :param refused: True if the server refused it for the quota, and so did not count it.
        """
        self._flying -= 1
        self._answered.append(now + self.rate.seconds)
        if not refused:
            self._counted.append(now)
        if headers is not None:
            self._learn(now, now if sent is None else sent, headers.get("RateLimit-Remaining"))

    def pause(self, until: float) -> None:
        """Send nothing on this route before *until*: the server said that it is throttling."""
        self._resume = max(self._resume, until)

    def paused(self, now: float) -> float:
        """Return for how many seconds more nothing is sent on this route, 0 if it is not paused."""
        return max(self._resume - now, 0.0)

    def _learn(self, now: float, sent: float, remaining: str | None) -> None:
        """Leave as many slots to other clients as they took in the last window, but never more than half.

        What the server has left, beyond what this process took, was taken by others. All of ours that the server may
        have counted at its moment between *sent* and *now* is taken for counted, so that nothing of ours passes for
        another's; a few slots are left out of account, for answers that overtake each other.
        """
        if remaining is None or not remaining.isdecimal():
            return
        while self._counted and self._counted[0] <= sent - self.rate.seconds:
            self._counted.popleft()
        others = self.rate.requests - self._flying - len(self._counted) - int(remaining)
        if others <= self.rate.requests // 33:
            return
        others = min(others, self.rate.requests // 2)
        while self._others and self._others[-1][1] <= others:
            self._others.pop()  # the most of the last window stands first
        self._others.append((now + self.rate.seconds, others))


class Quotas:
    """The windows of all routes of one organization.

    :param general: the quota of every route that is neither a list nor placing calls.
    :param lists: the quota of lists.

    :ivar usage: what was sent and how long it was held back, all routes together.
    """

    def __init__(self, general: Rate = GENERAL, lists: Rate = LISTS) -> None:
        self.usage = Usage()
        self._general = general
        self._lists = lists
        self._windows: dict[str, Window] = {}

    def window(self, operation: str) -> Window:
        """Return the window that *operation* is counted in."""
        window = self._windows.get(operation)
        if window is None:
            if operation in _LIST_ROUTES:
                rate = self._lists
            elif operation in _CREATION_ROUTES:
                rate = _CREATION
            else:
                rate = self._general
            window = self._windows[operation] = Window(rate, self.usage)
        return window
