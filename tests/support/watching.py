"""A watcher of ended calls or chats as the triggerer runs it."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.clock import clock
from airflow_provider_retell.triggers.call_event import CallEventTrigger
from airflow_provider_retell.triggers.chat_event import ChatEventTrigger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from airflow_provider_retell.emulator import Emulator
    from airflow_provider_retell.triggers.record_event import RecordEventTrigger


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
    """The events of a running watcher.

    :param id_name: the name of the field with the id of a record.
    """

    def __init__(self, id_name: str) -> None:
        self.id_name = id_name
        self.events: list[dict[str, Any]] = []
        self.batches: list[int] = []
        self.changed = asyncio.Event()

    @property
    def ids(self) -> list[str]:
        return [event[self.id_name] for event in self.events]

    async def has(self, count: int) -> list[str]:
        """Wait until *count* records have fired, and return their ids, sorted."""

        async def wait() -> None:
            while len(self.events) < count:
                self.changed.clear()
                await self.changed.wait()

        await asyncio.wait_for(wait(), 60)
        return sorted(self.ids)


@dataclass(frozen=True)
class Records:
    """Calls or chats, and their watcher.

    :ivar noun: ``"call"`` or ``"chat"``.
    :ivar trigger: the class of the watcher.
    """

    noun: str
    trigger: Callable[..., RecordEventTrigger]

    @property
    def plural(self) -> str:
        """The name of the list in payloads, and of the emulator's dictionary."""
        return f"{self.noun}s"

    @property
    def route(self) -> str:
        """The name of the endpoint that the watcher polls."""
        return f"list-{self.plural}"

    def named(self, suffix: str) -> str:
        """Return the name of a field or event, such as ``call_analysis``."""
        return f"{self.noun}_{suffix}"

    def summary(self, record_id: str, end_timestamp: Any = None, **fields: Any) -> dict[str, Any]:
        """Return a record as other producers of events may write it."""
        return {self.named("id"): record_id, "end_timestamp": end_timestamp, **fields}

    def payload(self, event: str, *summaries: Any) -> dict[str, Any]:
        """Return a payload of the given event, such as ``ended``."""
        return {"event": self.named(event), self.plural: list(summaries)}

    def of(self, emulator: Emulator) -> dict[str, dict[str, Any]]:
        """Return the emulator's records by id."""
        records: dict[str, dict[str, Any]] = getattr(emulator, self.plural)
        return records

    def add(self, emulator: Emulator, record_id: str, status: str = "ended", **fields: Any) -> dict[str, Any]:
        """Add a record to the emulator."""
        add = getattr(emulator, f"add_{self.noun}")
        record: dict[str, Any] = add(**{self.named("id"): record_id, self.named("status"): status, **fields})
        return record

    def end(self, emulator: Emulator, record_id: str, seconds: float = 10, **fields: Any) -> dict[str, Any]:
        """Add a record that ended *seconds* ago."""
        ended = ago(seconds)
        times = {"start_timestamp": ended - 60_000, "end_timestamp": ended}
        return self.add(emulator, record_id, minimal=True, **{**times, **fields})

    def analyzed(self, has_analysis: bool = True) -> dict[str, Any]:
        """Return the field with the analysis, for :meth:`end`. It is None if *has_analysis* is False."""
        return {self.named("analysis"): {self.named("summary"): "text"} if has_analysis else None}

    async def polls(self, emulator: Emulator, count: int = 2) -> None:
        """Wait until the watcher has completed *count* more polls."""
        target = emulator.count(self.route) + count + 1
        deadline = time.monotonic() + 20
        while emulator.count(self.route) < target:
            assert time.monotonic() < deadline, "the watcher does not poll"
            await asyncio.sleep(0.002)

    @asynccontextmanager
    async def watching(
        self,
        store: Store | None = None,
        on_payload: Callable[[dict[str, Any]], None] = lambda _: None,
        **arguments: Any,
    ) -> AsyncIterator[Watch]:
        """Run a watcher until the with statement ends, which kills it.

        :param on_payload: called with the payload of each event.
        """
        trigger: Any = self.trigger(**{"poll_interval": 0.03, "lookback": 3600, **arguments})
        trigger.asset_state_store = store
        watch = Watch(self.named("id"))

        async def run() -> None:
            async for event in trigger.run():
                on_payload(json.loads(json.dumps(event.payload)))
                records = event.payload[self.plural]
                watch.batches.append(len(records))
                watch.events += [{"event": event.payload["event"], **record} for record in records]
                watch.changed.set()
            pytest.fail("the watcher ended")

        task = asyncio.ensure_future(run())
        try:
            yield watch
            assert not task.done(), task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


CALLS = Records("call", CallEventTrigger)
CHATS = Records("chat", ChatEventTrigger)


def ago(seconds: float) -> int:
    """Return the time *seconds* ago in epoch milliseconds."""
    return int((clock().time() - seconds) * 1000)
