"""The clock that hooks, waits and triggers use. Tests can replace it with one that does not wait.

::

    from airflow_provider_retell.clock import no_waiting

    with no_waiting():
        operator.execute(context)  # back-off and pauses advance the clock instead of sleeping
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["no_waiting"]

# How often a skipped timeout checks whether the clock has passed it, in real seconds.
_CHECK_SECONDS = 0.01


class Clock:
    """The real clock."""

    def time(self) -> float:
        """Return epoch seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Return the seconds of a clock that never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block for *seconds*."""
        time.sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Let other coroutines run for *seconds*."""
        await asyncio.sleep(seconds)

    async def wait(self, task: asyncio.Future[Any], seconds: float) -> None:
        """Return when *task* is done, or after *seconds*."""
        await asyncio.wait([task], timeout=seconds)


class FastClock(Clock):
    """A clock that jumps forward instead of sleeping.

    :param outer: the clock of the enclosing ``no_waiting`` block, which jumps forward as well.
    :ivar skipped: the seconds that were not slept.
    """

    def __init__(
        self, on_sleep: Callable[[float], object] | None = None, outer: FastClock | None = None
    ) -> None:
        self.skipped = 0.0
        self._on_sleep = on_sleep
        self._outer = outer

    def time(self) -> float:
        """Return epoch seconds as if no sleep had been skipped."""
        return self._outer.time() if self._outer else time.time() + self.skipped

    def monotonic(self) -> float:
        """Return monotonic seconds as if no sleep had been skipped."""
        return self._outer.monotonic() if self._outer else time.monotonic() + self.skipped

    def sleep(self, seconds: float) -> None:
        """Jump forward by *seconds*."""
        seconds = max(seconds, 0.0)
        self.skipped += seconds
        if self._outer is not None:
            self._outer.sleep(seconds)
        if self._on_sleep is not None:
            self._on_sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Jump forward by *seconds*, and let other coroutines run once."""
        self.sleep(seconds)
        await asyncio.sleep(0)

    async def wait(self, task: asyncio.Future[Any], seconds: float) -> None:
        """Return when *task* is done, or when sleeps of any coroutine or thread have moved the clock by *seconds*."""
        deadline = self.monotonic() + seconds
        while not task.done() and (left := deadline - self.monotonic()) > 0:
            await asyncio.wait([task], timeout=min(left, _CHECK_SECONDS))


_clock = Clock()


def clock() -> Clock:
    """Return the current clock."""
    return _clock


@contextmanager
def no_waiting(on_sleep: Callable[[float], object] | None = None) -> Iterator[FastClock]:
    """Make hooks, waits and triggers of this process jump forward instead of sleeping, until the block ends.

    Close hooks before the block ends: afterwards the clock is back at the real time.

    :param on_sleep: called with the seconds of each sleep. With ``emulator.clock.advance``, the calls of an emulator
        advance too.
    """
    global _clock
    before = _clock
    _clock = fast = FastClock(on_sleep, before if isinstance(before, FastClock) else None)
    try:
        yield fast
    finally:
        _clock = before
