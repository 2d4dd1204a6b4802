"""Request quotas: sliding windows, one per organization and route. They follow real time plus advances of the clock."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass
from email.utils import formatdate
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from airflow_provider_retell.emulator.responses import Response, json_response

if TYPE_CHECKING:
    from collections.abc import Mapping

Limit = tuple[int, float]
"""A number of requests, and the seconds in which they are allowed."""

DEFAULT_QUOTAS: Mapping[str, Limit | None] = MappingProxyType(
    {"general": (100, 10.0), "list": (30, 10.0), "call": (1000, 10.0), "call-error": (60, 60.0)}
)
"""Retell's documented limits by limiter: ``list`` for list endpoints, ``call`` for the creation of calls,
``call-error`` for their 4xx responses, ``general`` for all other endpoints. The name of a route works too."""

ThrottleHeaders = Literal["retry-after", "http-date", "ratelimit-reset", "none"]

THROTTLED = "Too many API requests, you are being throttled, please try again later."


@dataclass(slots=True)
class Window:
    """The requests of the last *seconds* seconds, at most *limit* of them. O(1) amortized per request."""

    limit: int
    seconds: float
    taken: deque[float]

    def remaining(self, now: float) -> int:
        """Return the number of requests still allowed at *now* (monotonic seconds)."""
        taken = self.taken
        horizon = now - self.seconds
        while taken and taken[0] <= horizon:
            taken.popleft()
        return self.limit - len(taken)

    def reset_after(self, now: float) -> int:
        """Return the seconds until a used slot is free again, rounded up to whole seconds."""
        return max(0, math.ceil(self.taken[0] + self.seconds - now)) if self.taken else 0

    def headers(self, now: float) -> dict[str, str]:
        """Return the three RateLimit headers at *now*."""
        remaining = self.remaining(now)
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, remaining)),
            "RateLimit-Reset": str(self.reset_after(now)),
        }


class RateLimits:
    """The windows of one organization.

    :param quotas: overrides of :data:`DEFAULT_QUOTAS` by limiter or route. An entry of None removes that
        limit; None in place of the mapping removes all limits.
    :param routes: the names of all routes.
    :raises ValueError: for an unknown name or an invalid limit.
    """

    def __init__(self, quotas: Mapping[str, Limit | None] | None, *, routes: frozenset[str]) -> None:
        known = routes | DEFAULT_QUOTAS.keys()
        for name, limit in (quotas or {}).items():
            if name not in known:
                raise ValueError(f"unknown quota {name!r}; known: {', '.join(sorted(known))}")
            if limit is not None and not (limit[0] >= 0 and limit[1] > 0):
                raise ValueError(f"quota {name!r} must have a count of 0 or more and seconds above 0")
        self._limits = {} if quotas is None else {**DEFAULT_QUOTAS, **quotas}
        self._windows: dict[tuple[str, str], Window | None] = {}

    def window(self, limiter: str, route: str) -> Window | None:
        """Return the window of *route* under *limiter*, or None if it has no limit."""
        key = (limiter, route)
        try:
            return self._windows[key]
        except KeyError:
            # A limit of the route itself replaces that of its limiter, except for the count of errors.
            own = limiter != "call-error" and route in self._limits
            limit = self._limits.get(route if own else limiter)
            window = None if limit is None else Window(int(limit[0]), float(limit[1]), deque())
            return self._windows.setdefault(key, window)

    def clear(self) -> None:
        """Forget the used quota."""
        self._windows.clear()


def refusal(limiter: str, window: Window, style: ThrottleHeaders, advanced: float = 0.0) -> Response:
    """Return the documented 429.

    :param style: the headers that carry the waiting time, since reports about Retell's differ.
    :param advanced: the seconds that the emulator's clock was advanced.
    """
    response = json_response(429, {"status": "error", "message": THROTTLED})
    if style == "none":
        return response
    now = time.monotonic() + advanced
    response.headers = {"X-RateLimit-Limiter": limiter, **window.headers(now)}
    wait = max(1, window.reset_after(now)) if window.limit else math.ceil(window.seconds)
    if style == "retry-after":
        response.headers["Retry-After"] = str(wait)
    elif style == "http-date":
        response.headers["Retry-After"] = formatdate(math.ceil(time.time() + advanced) + wait, usegmt=True)
    return response
