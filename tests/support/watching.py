"""A watcher of ended calls as the triggerer runs it."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.clock import clock
from airflow_provider_retell.triggers.call_event import CallEventTrigger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from airflow_provider_retell.emulator import Emulator


class Store:
    """An asset's state store, which keeps values as JSON text."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.writes = 0
        self.largest = 0
        self.fails = 0

    async def aget(self, key: str, default: Any = None) -> Any:
        await self._maybe_fail()
        return json.loads(self.values[key]) if key in self.values else default

    async def aset(self, key: str, value: Any) -> None:
        await self._maybe_fail()
        self.values[key] = json.dumps(value)
        self.writes += 1
        self.largest = max(self.largest, len(self.values[key]))

    async def _maybe_fail(self) -> None:
        await asyncio.sleep(0)
        if self.fails:
            self.fails -= 1
            raise RuntimeError("database of the server at 10.0.0.1 is locked")


class Watch:
    """The events of a running watcher."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.batches: list[int] = []
        self.changed = asyncio.Event()

    @property
    def ids(self) -> list[str]:
        return [event["call_id"] for event in self.events]

    async def has(self, count: int) -> list[str]:
        """Wait until *count* calls have fired, and return their ids, sorted."""

        async def wait() -> None:
            while len(self.events) < count:
                self.changed.clear()
                await self.changed.wait()

        await asyncio.wait_for(wait(), 60)
        return sorted(self.ids)


@asynccontextmanager
async def watching(
    store: Store | None = None,
    on_payload: Callable[[dict[str, Any]], None] = lambda _: None,
    **arguments: Any,
) -> AsyncIterator[Watch]:
    """Run a watcher until the with statement ends, which kills it.

    :param on_payload: called with the payload of each event.
    """
    trigger = CallEventTrigger(**{"poll_interval": 0.03, "lookback": 3600, **arguments})
    trigger.asset_state_store = store
    watch = Watch()

    async def run() -> None:
        async for event in trigger.run():
            on_payload(json.loads(json.dumps(event.payload)))
            watch.batches.append(len(event.payload["calls"]))
            watch.events += [{"event": event.payload["event"], **call} for call in event.payload["calls"]]
            watch.changed.set()
        pytest.fail("the watcher ended")

    task = asyncio.ensure_future(run())
    try:
        yield watch
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def polls(emulator: Emulator, count: int = 2) -> None:
    """Wait until the watcher has completed *count* more polls."""
    target = emulator.count("list-calls") + count + 1
    deadline = time.monotonic() + 20
    while emulator.count("list-calls") < target:
        assert time.monotonic() < deadline, "the watcher does not poll"
        await asyncio.sleep(0.002)


def ago(seconds: float) -> int:
    """Return the time *seconds* ago in epoch milliseconds."""
    return int((clock().time() - seconds) * 1000)


def end(emulator: Emulator, call_id: str, seconds: float = 10, **fields: Any) -> None:
    """Add a call that ended *seconds* ago."""
    ended = ago(seconds)
    times = {"start_timestamp": ended - 60_000, "end_timestamp": ended}
    emulator.add_call(call_id=call_id, minimal=True, **{**times, **fields})
