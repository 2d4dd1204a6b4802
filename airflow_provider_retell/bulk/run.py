"""A bulk update from its first row to its last: read, plan, apply, report, all at once and within bounds.

Rows are read in chunks of a thousand on a thread of their own. A chunk's calls are read from Retell, compared, and
what must change is put into a short queue, from which several workers send it. While they do, the next chunk is
planned. Nothing holds more than a few chunks, however many rows there are.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_retell.api.change import Change, MetadataMode, apply_change, check_answer, needed
from airflow_provider_retell.api.errors import (
    CallNotEndedError,
    NotFoundError,
    RetellError,
    RetellInputError,
    StorageConflictError,
)
from airflow_provider_retell.bulk.columns import Columns
from airflow_provider_retell.bulk.outcome import Outcome, Result, Tally
from airflow_provider_retell.bulk.report import Report
from airflow_provider_retell.bulk.rows import Row, Rows
from airflow_provider_retell.bulk.seen import Seen
from airflow_provider_retell.bulk.state import CHUNK, FATAL, CallStates

if TYPE_CHECKING:
    from airflow_provider_retell.api.models import Call
    from airflow_provider_retell.api.request import Request
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

T = TypeVar("T")

log = logging.getLogger(__name__)

_LINES = 500
_PROGRESS_SECONDS = 5.0
_SAMPLES = 10
_FAILURES_IN_A_ROW = 50

_OUTCOMES: tuple[tuple[type[RetellError], Outcome], ...] = (
    (NotFoundError, "not_found"),
    (CallNotEndedError, "not_ended"),
    (StorageConflictError, "conflict"),
    (RetellInputError, "invalid"),
)


class BulkStoppedError(RetellError):
    """The run was given up before its last row, because nothing got through to Retell any more."""


class RowsFailedError(RetellError):
    """Every row was tried, and more failed than the task tolerates."""


@dataclass(frozen=True)
class Todo:
    """A row whose call must change."""

    row: int
    call_id: str
    change: Change
    request: Request[Call]
    changed: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """What a dry run found: the call, and per key its value before and after."""

    call_id: str
    keys: tuple[str, ...]
    before: dict[str, Any] = field(repr=False)
    after: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Plan:
    """What a run is to do.

    :ivar mode: how new metadata meets what a call has.
    :ivar remove: metadata keys to take away.
    :ivar dry_run: True to stop before anything is changed.
    """

    columns: Columns
    mode: MetadataMode = "merge"
    remove: frozenset[str] = frozenset()
    dry_run: bool = False


class BulkUpdate:
    """One run.

    :ivar tally: the counts so far.
    :ivar differences: the first few changes that a dry run would make.
    """

    def __init__(self, hook: RetellAsyncHook, rows: Rows, plan: Plan, report: Report, concurrency: int = 16) -> None:
        self._hook = hook
        self._rows = rows
        self._plan = plan
        self._report = report
        self._concurrency = concurrency
        self._states = CallStates(hook)
        self._seen = Seen()
        self._queue: asyncio.Queue[Todo | None] = asyncio.Queue(concurrency)
        self._flying: dict[int, Todo] = {}
        self._lines: list[Result] = []
        self._lost_in_a_row = 0
        # One thread for all that blocks: databases want their cursor used on the thread that made it.
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="retell-bulk")
        self._started = time.monotonic()
        self.tally = Tally(dry_run=plan.dry_run)
        self.differences: list[Difference] = []

    def manifest(self) -> dict[str, Any]:
        """Return the summary of the run as it stands."""
        usage = self._hook.quotas.usage
        return self.tally.manifest(
            requests=usage.requests,
            seconds=time.monotonic() - self._started,
            waited_seconds=usage.waited,
            report=self._report.path,
        )

    async def run(self) -> None:
        """Bring every row to its end.

        :raises AuthenticationError: (or 402, 403) at once, since every row would meet it.
        :raises BulkStoppedError: if fifty rows in a row were lost to faults of Retell or the network.
        """
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._on_disk(self._report.open)
            tasks = [asyncio.create_task(self._work()) for _ in range(self._concurrency)]
            tasks += [asyncio.create_task(self._plan_all())]
            progress = asyncio.create_task(self._log_progress())
            finished, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in finished:
                task.result()
        finally:
            tasks += [progress] if tasks else []
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for todo in list(self._flying.values()):
                reason = "the run was stopped while this was sent: Retell may or may not have it"
                self._end(todo.row, todo.call_id, "failed", reason)
            await self._flush()
            await self._on_disk(self._report.close)
            self._disk.shutdown()
            self._log_counts()

    async def _plan_all(self) -> None:
        rows = self._rows.read()
        try:
            number = 0
            while chunk := await self._on_disk(functools.partial(_take, rows, CHUNK)):
                if number == 0 and self._rows.fixed_columns:
                    self._plan.columns.check(chunk[0])
                await self._plan_chunk(number, chunk)
                await self._flush(at_least=_LINES)
                number += len(chunk)
        finally:
            await self._on_disk(getattr(rows, "close", _nothing))
        for _ in range(self._concurrency):
            await self._queue.put(None)

    async def _plan_chunk(self, number: int, chunk: list[Row]) -> None:
        wanted: dict[str, tuple[int, Change]] = {}
        for row_number, row in enumerate(chunk, start=number + 1):
            call_id = None
            try:
                call_id, change = self._plan.columns.change(row)
                if not self._seen.add(call_id):
                    raise RetellInputError("the call stands in an earlier row already")
                wanted[call_id] = row_number, change
            except RetellInputError as error:
                self._end(row_number, call_id, "invalid", error.fault)
        try:
            states = await self._states.read(list(wanted))
        except FATAL:
            raise
        except RetellError as error:
            for call_id, (row_number, _) in wanted.items():
                self._end(row_number, call_id, "failed", f"the call could not be read: {error}")
            self._lost(error, _FAILURES_IN_A_ROW // 3 + 1)
            return
        for call_id, call in states.items():
            row_number, change = wanted[call_id]
            try:
                todo = self._todo(row_number, call_id, call, change)
            except (RetellInputError, StorageConflictError) as error:
                self._end_by(row_number, call_id, error)
                continue
            if todo is not None:
                await self._queue.put(todo)

    def _todo(self, row: int, call_id: str, call: Call | None, wanted: Change) -> Todo | None:
        if call is None:
            self._end(row, call_id, "not_found", "no such call under this API key")
            return None
        if not call.has_ended:
            self._end(row, call_id, "not_ended", f"the call is {call.call_status}")
            return None
        change, keys = needed(call, wanted, self._plan.mode, self._plan.remove)
        if not change:
            self._end(row, call_id, "unchanged")
            return None
        changed = change.names(keys)
        request = change.request(call_id)
        if self._plan.dry_run:
            self._end(row, call_id, "would_update", changed=changed)
            if len(self.differences) < _SAMPLES:
                self.differences.append(_difference(call, change, changed, keys))
            return None
        return Todo(row, call_id, change, request, changed)

    async def _work(self) -> None:
        while (todo := await self._queue.get()) is not None:
            self._flying[todo.row] = todo
            try:
                check_answer(todo.change, await self._hook.run(apply_change(todo.call_id, todo.change, todo.request)))
            except FATAL:
                raise
            except RetellError as error:
                self._end_by(todo.row, todo.call_id, error)
                if not error.permanent:
                    self._lost(error, 1)
            else:
                self._lost_in_a_row = 0
                self._end(todo.row, todo.call_id, "updated", changed=todo.changed)
            await self._flush(at_least=_LINES)

    def _end_by(self, row: int, call_id: str, error: RetellError) -> None:
        outcome: Outcome = next((outcome for kind, outcome in _OUTCOMES if isinstance(error, kind)), "failed")
        self._end(row, call_id, outcome, error.fault if isinstance(error, RetellInputError) else str(error))

    def _end(
        self, row: int, call_id: str | None, outcome: Outcome, reason: str = "", changed: tuple[str, ...] = ()
    ) -> None:
        self.tally.counts[outcome] += 1
        self._lines.append(Result(row, call_id, outcome, reason, changed))
        self._flying.pop(row, None)

    def _lost(self, error: RetellError, rows: int) -> None:
        self._lost_in_a_row += rows
        if self._lost_in_a_row >= _FAILURES_IN_A_ROW:
            raise BulkStoppedError(
                f"Stopped after {self.tally.rows:,} rows, because nothing gets through any more; last: {error} Run the "
                "task again: what was written is not written again"
            ) from error

    async def _flush(self, at_least: int = 1) -> None:
        if len(self._lines) >= at_least:
            lines, self._lines = self._lines, []
            await self._on_disk(functools.partial(self._report.write, lines))

    async def _on_disk(self, what: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, what)

    async def _log_progress(self) -> None:
        while True:
            await asyncio.sleep(_PROGRESS_SECONDS)
            self._log_counts()
            await self._flush()

    def _log_counts(self) -> None:
        seconds = max(time.monotonic() - self._started, 0.001)
        usage = self._hook.quotas.usage
        rate = self.tally.rows / seconds
        total = self._rows.size()
        left = f", about {(total - self.tally.rows) / rate:.0f} s left" if total and rate and total > self.tally.rows else ""
        counts = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(self.tally.counts.items()))
        log.info(
            "%s rows done (%s) in %.0f s: %.1f rows/s, %d requests, held back by the quota for %.0f s%s",
            f"{self.tally.rows:,}",
            counts or "none",
            seconds,
            rate,
            usage.requests,
            usage.waited,
            left,
        )


def _take(rows: Iterator[Row], most: int) -> list[Row]:
    return list(islice(rows, most))


def _nothing() -> None:
    pass


def _difference(call: Call, change: Change, names: tuple[str, ...], keys: tuple[str, ...]) -> Difference:
    before, after = call.metadata or {}, change.metadata or {}
    return Difference(
        call.call_id, names, {key: before.get(key) for key in keys}, {key: after.get(key) for key in keys}
    )
