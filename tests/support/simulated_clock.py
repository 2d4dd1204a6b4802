"""A clock on which hundreds of coroutines sleep at the same time.

``no_waiting`` adds up all sleeps, so that it passes too fast for many coroutines at once.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import Any

from airflow_provider_retell.clock import Clock


class SimulatedClock(Clock):
    """A clock that only :meth:`advance` moves. It wakes the coroutines whose sleep is over.

    Only for the coroutines of one event loop.

    :param now: epoch seconds at the start.
    """

    def __init__(self, now: float) -> None:
        self._now = now
        self._numbers = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._limits: list[tuple[float, int, asyncio.Future[None]]] = []

    @property
    def asleep(self) -> int:
        """The number of coroutines that sleep."""
        return len(self._sleepers)

    def time(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        raise AssertionError("only coroutines can sleep on this clock")

    async def sleep_async(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
        else:
            await self._push(self._sleepers, seconds)

    async def wait(self, task: asyncio.Future[Any], seconds: float) -> None:
        limit = self._push(self._limits, seconds)
        await asyncio.wait([task, limit], return_when=asyncio.FIRST_COMPLETED)
        limit.cancel()

    def advance(self, seconds: float) -> None:
        """Move the time and wake the sleepers."""
        self._now += seconds
        self._wake(self._sleepers)

    def end_waits(self) -> None:
        """End the calls of :meth:`wait` whose time is over. Coroutines that woke up in time must be asleep again."""
        self._wake(self._limits)

    def _push(self, heap: list[tuple[float, int, asyncio.Future[None]]], seconds: float) -> Any:
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(heap, (self._now + seconds, next(self._numbers), future))
        return future

    def _wake(self, heap: list[tuple[float, int, asyncio.Future[None]]]) -> None:
        while heap and heap[0][0] <= self._now:
            _, _, future = heapq.heappop(heap)
            if not future.done():
                future.set_result(None)
