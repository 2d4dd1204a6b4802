"""Request quotas: sliding windows on real time, one per organization and route."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass
from email.utils import formatdate
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from airflow_provider_retell.emulator.errors import Answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

Limit = tuple[int, float]
"""How many requests in how many seconds."""

DEFAULT_QUOTAS: Mapping[str, Limit | None] = MappingProxyType(
    {"general": (100, 10.0), "list": (15, 10.0), "call": (1000, 10.0), "call-error": (60, 60.0)}
)
"""Retell's documented limits by limiter: ``list`` for list endpoints, ``call`` for the creation of calls,
``call-error`` for 4xx answers to those, ``general`` for all else. A route's own name may be used as well."""

ThrottleHeaders = Literal["retry-after", "http-date", "ratelimit-reset", "none"]

THROTTLED = "Too many API requests, you are being throttled, please try again later."


@dataclass(slots=True)
class Window:
    """The requests of the last ``seconds`` seconds, at most ``limit`` of them. O(1) amortized per request."""

    limit: int
    seconds: float
    taken: deque[float]

    def remaining(self, now: float) -> int:
        """How many requests may still come at time ``now`` (monotonic seconds)."""
        taken = self.taken
        horizon = now - self.seconds
        while taken and taken[0] <= horizon:
            taken.popleft()
        return self.limit - len(taken)

    def reset_after(self, now: float) -> int:
        """Whole seconds until a used slot comes free, rounded up: never too early, at least 1 when full."""
        return max(0, math.ceil(self.taken[0] + self.seconds - now)) if self.taken else 0

    def headers(self, now: float) -> dict[str, str]:
        """Return the three RateLimit headers, as of ``now``."""
        remaining = self.remaining(now)
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, remaining)),
            "RateLimit-Reset": str(self.reset_after(now)),
        }


class QuotaBook:
    """One organization's windows. A refused request consumes nothing.

    ``quotas`` overrides :data:`DEFAULT_QUOTAS` entry by entry, keyed by limiter or by route; an entry of None
    switches that limit off, ``quotas=None`` all of them.
    """

    def __init__(self, quotas: Mapping[str, Limit | None] | None, *, routes: frozenset[str]) -> None:
        known = routes | DEFAULT_QUOTAS.keys()
        for name, limit in (quotas or {}).items():
            if name not in known:
                raise ValueError(f"unknown quota {name!r}; known: {', '.join(sorted(known))}")
            if limit is not None and not (limit[0] >= 0 and limit[1] > 0):
                raise ValueError(f"quota {name!r} needs a count of 0 or more and seconds above 0")
        self._limits = {} if quotas is None else {**DEFAULT_QUOTAS, **quotas}
        self._windows: dict[tuple[str, str], Window | None] = {}

    def window(self, limiter: str, route: str) -> Window | None:
        """Return the window of ``route`` under ``limiter``, or None when it is not limited."""
        key = (limiter, route)
        try:
            return self._windows[key]
        except KeyError:
            # A limit set for the route itself stands in for its limiter's, but not for the count of errors.
            own = limiter != "call-error" and route in self._limits
            limit = self._limits.get(route if own else limiter)
            window = None if limit is None else Window(int(limit[0]), float(limit[1]), deque())
            return self._windows.setdefault(key, window)

    def clear(self) -> None:
        """Forget what was used."""
        self._windows.clear()


def refusal(limiter: str, window: Window, style: ThrottleHeaders) -> Answer:
    """Return the documented 429.

    ``style`` chooses how it tells the wait, since reports about that contradict.
    """
    answer = json_answer(429, {"status": "error", "message": THROTTLED})
    if style == "none":
        return answer
    now = time.monotonic()
    answer.headers = {"X-RateLimit-Limiter": limiter, **window.headers(now)}
    wait = max(1, window.reset_after(now)) if window.limit else math.ceil(window.seconds)
    if style == "retry-after":
        answer.headers["Retry-After"] = str(wait)
    elif style == "http-date":
        answer.headers["Retry-After"] = formatdate(math.ceil(time.time()) + wait, usegmt=True)
    return answer
