"""Scheduled actions on the emulator's clock."""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Timestamps have milliseconds; rounding errors in sums of seconds must not delay an action.
_TOLERANCE = 0.0005


class Timeline:
    """A queue of future actions, in order of time."""

    def __init__(self) -> None:
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._sequence = itertools.count()

    def at(self, when: float, action: Callable[[float], None]) -> None:
        """Call ``action(when)`` as soon as the clock reaches *when* (epoch seconds)."""
        heapq.heappush(self._events, (when, next(self._sequence), action))

    def catch_up(self, now: Callable[[], float]) -> None:
        """Run all actions that are due.

        Each action receives its own scheduled time, so the results do not depend on how often this is called.
        """
        if not self._events:
            return
        until = now() + _TOLERANCE
        while self._events and self._events[0][0] <= until:
            when, _, action = heapq.heappop(self._events)
            action(when)

    def clear(self) -> None:
        """Cancel all actions."""
        self._events.clear()
