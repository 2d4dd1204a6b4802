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
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import filterfalse, islice
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_retell.api.calls.changes import Change, verify
from airflow_provider_retell.api.calls.update import apply_change
from airflow_provider_retell.api.errors import (
    RateLimitError,
    RetellConnectionError,
    RetellError,
    RetellInputError,
    RetellResponseError,
    ServerError,
)
from airflow_provider_retell.bulk.call_states import CHUNK, FATAL, CallStates
from airflow_provider_retell.bulk.columns import Unseen
from airflow_provider_retell.bulk.digest_set import Seen
from airflow_provider_retell.bulk.errors import BulkStoppedError, RowsFailedError
from airflow_provider_retell.bulk.outcome import Result, Tally
from airflow_provider_retell.bulk.plan import Difference, Plan, Todo
from airflow_provider_retell.bulk.report import Report
from airflow_provider_retell.bulk.rows import BadRow, Row, Rows

if TYPE_CHECKING:
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

T = TypeVar("T")

log = logging.getLogger(__name__)

_LINES = 500
_PROGRESS_SECONDS = 5.0
_SAMPLES = 10
_FAILURES_IN_A_ROW = 50
_AHEAD = 100  # ten seconds of the documented quota, so that planning the next chunk leaves none of it unused
_CLOSE_SECONDS = 5.0
_NOT_THROUGH = (RetellConnectionError, RateLimitError, RetellResponseError, ServerError)


class BulkUpdate:
    """One run.

    :ivar tally: the counts so far.
    :ivar differences: the first few changes that a dry run would make.
    """

    def __init__(
        self, hook: RetellAsyncHook, rows: Rows, plan: Plan, report: Report, concurrency: int = 16
    ) -> None:
        self._hook = hook
        self._rows = rows
        self._plan = plan
        self._report = report
        self._concurrency = concurrency
        self._states = CallStates(hook)
        self._seen = Seen()
        self._unseen = Unseen(plan.columns)
        self._unshown = 0
        self._broken: Exception | None = None
        self._queue: asyncio.Queue[Todo | None] = asyncio.Queue(max(concurrency, _AHEAD))
        self._flying: dict[int, Todo] = {}
        self._lines: deque[Result] = deque()
        self._lost_in_a_row: Counter[str] = Counter()
        # A thread each, so that a slow database does not hold up the report; and no more than one for the rows,
        # because databases want a cursor used on the thread that made it.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="retell-rows")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="retell-report")
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
        :raises BulkStoppedError: if fifty rows in a row were lost to faults of Retell or the network, or if Retell
            asked for a wait that is longer than the hook's patience.
        :raises RowsFailedError: after the last row, if no row has a column that the task names.
        :raises Exception: what the source of the rows raised, once the rows before it are done.
        """
        tasks: list[asyncio.Task[None]] = []
        try:
            await _on(self._writer, self._report.open)
            tasks = [asyncio.create_task(self._work()) for _ in range(self._concurrency)]
            tasks += [asyncio.create_task(self._plan_all())]
            going: set[asyncio.Task[None]] = set(tasks)
            while going:
                ended, going = await asyncio.wait(
                    going, timeout=_PROGRESS_SECONDS, return_when=asyncio.FIRST_EXCEPTION
                )
                for task in ended:
                    task.result()
                if going:
                    self._log_counts()
                await self._flush()
            if self._broken is not None:
                raise self._broken
            self._check_columns()
        except BulkStoppedError:
            await self._land(tasks)
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for todo in list(self._flying.values()):
                reason = "the run was stopped while this was sent: Retell may or may not have it"
                self._end(Result(todo.row, todo.call.call_id, "failed", reason))
            try:
                await self._flush()
            finally:
                await _on(self._writer, self._report.close)
                self._writer.shutdown()
                self._log_counts(going=False)
                if self._unshown:
                    log.warning(
                        "%s rows: Retell's answer does not show whether it kept all of what was sent; the report "
                        "names what",
                        f"{self._unshown:,}",
                    )

    async def _land(self, tasks: list[asyncio.Task[None]]) -> None:
        """Send nothing more, and give what is under way a moment to be answered, so that its end is known."""
        *workers, planner = tasks
        planner.cancel()
        while not self._queue.empty():
            self._queue.get_nowait()
        for _ in workers:
            self._queue.put_nowait(None)
        await asyncio.wait(tasks, timeout=_CLOSE_SECONDS)

    async def _plan_all(self) -> None:
        rows: Iterator[Row] = iter(())
        try:
            await _on(self._reader, self._note_done_calls)
            rows = await _on(self._reader, lambda: iter(self._rows.read()))
            number = 0
            while self._broken is None:
                chunk, self._broken = await _on(self._reader, functools.partial(_take, rows, CHUNK))
                if not chunk:
                    break
                if number == 0 and self._rows.fixed_columns:
                    for row in filterfalse(_is_bad, chunk):
                        self._plan.columns.check(row)
                        break
                self._unseen.look(chunk)
                await self._plan_chunk(number, chunk)
                await self._flush(at_least=_LINES)
                number += len(chunk)
        finally:
            # A stop must not wait for a query that takes an hour, and nothing can end it from here.
            closed = asyncio.ensure_future(_on(self._reader, functools.partial(_close, rows)))
            await asyncio.wait([closed], timeout=_CLOSE_SECONDS)
            self._reader.shutdown(wait=False)
        for _ in range(self._concurrency):
            await self._queue.put(None)

    def _note_done_calls(self) -> None:
        for call_id in self._rows.done_calls():
            self._seen.add(call_id)

    async def _plan_chunk(self, number: int, chunk: list[Row]) -> None:
        wanted: dict[str, tuple[int, Change]] = {}
        for row_number, row in enumerate(chunk, start=number + 1):
            call_id = None
            try:
                call_id = self._plan.columns.id_in(row)
                if not self._seen.add(call_id):
                    raise RetellInputError("the call stands in an earlier row already")
                change = self._plan.columns.change(row)
                wanted[call_id] = row_number, change
            except RetellInputError as error:
                self._end(Result.of_error(row_number, call_id, error))
        try:
            states = await self._states.read(list(wanted))
        except FATAL:
            raise
        except RetellError as error:
            self._stop_if_throttled(error)
            for call_id, (row_number, _) in wanted.items():
                self._end(Result(row_number, call_id, "failed", f"the call could not be read: {error}"))
            self._count_lost("read", error, _FAILURES_IN_A_ROW // 3 + 1)
            return
        for call_id, call in states.items():
            row_number, change = wanted[call_id]
            if isinstance(call, RetellError):
                self._stop_if_throttled(call)
                self._end(Result(row_number, call_id, "failed", f"the call could not be read: {call}"))
                self._count_lost("read", call)
                continue
            self._lost_in_a_row["read"] = 0
            planned = self._plan.judge(row_number, call_id, call, change)
            if isinstance(planned, Result):
                self._end(planned)
            elif self._plan.dry_run:
                self._end(Result(row_number, call_id, "would_update", changed=planned.changed))
                if len(self.differences) < _SAMPLES:
                    self.differences.append(planned.difference())
            else:
                await self._queue.put(planned)

    async def _work(self) -> None:
        while (todo := await self._queue.get()) is not None:
            self._flying[todo.row] = todo
            call_id = todo.call.call_id
            try:
                answer = await self._hook.run(apply_change(call_id, todo.change, todo.request))
                unshown = verify(todo.change, answer)
            except RetellError as error:
                self._stop_if_throttled(error, todo)
                self._end(Result.of_error(todo.row, call_id, error))
                if isinstance(error, FATAL):
                    raise
                self._count_lost("write", error)
            else:
                self._lost_in_a_row["write"] = 0
                reason = (
                    f"Retell's answer does not show whether it kept {', '.join(unshown)}" if unshown else ""
                )
                self._unshown += bool(unshown)
                self._end(Result(todo.row, call_id, "updated", reason, todo.changed))
            await self._flush(at_least=_LINES)

    def _check_columns(self) -> None:
        if not self._unseen.columns:
            return
        error = RowsFailedError(
            f"No row has the column {', '.join(self._unseen.columns)}, so nothing was written from it: check the "
            f"spelling. The other columns of {self.tally.rows:,} rows are done"
        )
        error.permanent = True
        raise error

    def _end(self, result: Result) -> None:
        self.tally.counts[result.outcome] += 1
        self._lines.append(result)
        self._flying.pop(result.row, None)

    def _count_lost(self, what: str, error: RetellError, rows: int = 1) -> None:
        self._lost_in_a_row[what] = self._lost_in_a_row[what] + rows if isinstance(error, _NOT_THROUGH) else 0
        if self._lost_in_a_row[what] >= _FAILURES_IN_A_ROW:
            raise BulkStoppedError(
                f"Stopped after {self.tally.rows:,} rows, because nothing gets through any more; last: {error} Run the "
                "task again: what was written is not written again"
            ) from error

    def _stop_if_throttled(self, error: RetellError, todo: Todo | None = None) -> None:
        if isinstance(error, RateLimitError) and error.retry_after is not None:
            if todo is not None:
                del self._flying[todo.row]  # refused, so it is as it was: neither done nor failed
            raise BulkStoppedError(
                f"Stopped after {self.tally.rows:,} rows, because Retell asks to wait {error.retry_after:.0f} s. Run "
                "the task again after that: what was written is not written again",
                error.retry_after,
            ) from error

    async def _flush(self, at_least: int = 1) -> None:
        if len(self._lines) >= at_least:
            await _on(self._writer, self._write_lines)

    def _write_lines(self) -> None:
        # Taken on the writer's thread: a flush that is cancelled before its turn loses none.
        self._report.write([self._lines.popleft() for _ in range(len(self._lines))])

    def _log_counts(self, going: bool = True) -> None:
        seconds = max(time.monotonic() - self._started, 0.001)
        usage = self._hook.quotas.usage
        rate = self.tally.rows / seconds
        total = self._rows.size()
        rest = 0 if total is None else total - self.tally.rows
        left = f", about {rest / rate:.0f} s left" if going and rate and rest > 0 else ""
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


async def _on(thread: ThreadPoolExecutor, what: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(thread, what)


def _is_bad(row: Row) -> bool:
    return isinstance(row, BadRow)


def _take(rows: Iterator[Row], most: int) -> tuple[list[Row], Exception | None]:
    """Return the next rows, and what the source raised after them: whatever that is, the rows before it count."""
    taken: list[Row] = []
    try:
        for row in islice(rows, most):
            taken.append(row)
    except Exception as error:
        return taken, error
    return taken, None


def _close(rows: Any) -> None:
    try:
        getattr(rows, "close", lambda: None)()
    except Exception:
        log.warning("The source of the rows could not be closed", exc_info=True)
