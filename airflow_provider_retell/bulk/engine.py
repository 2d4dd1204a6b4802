"""Run a bulk update: read rows, compare them with calls, send the differences, and report, all at the same time.

One thread reads the rows in chunks of 1,000. For each chunk, the planner reads the calls from Retell, compares them,
and puts the updates that are necessary into a short queue. Several workers send them, while the planner plans the
next chunk. Memory holds a few chunks, whatever the number of rows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.bulk.call_states import CHUNK, CallStates, State
from airflow_provider_retell.bulk.columns import InvalidRowError, RowReader
from airflow_provider_retell.bulk.digest_set import DigestSet
from airflow_provider_retell.bulk.errors import FATAL, BulkStoppedError, RowsFailedError
from airflow_provider_retell.bulk.outcome import DUPLICATE, FailureLimits, Result
from airflow_provider_retell.bulk.plan import Difference, Plan, PlannedUpdate
from airflow_provider_retell.bulk.progress import FAILURES_IN_A_ROW, Progress
from airflow_provider_retell.bulk.rows import Header
from airflow_provider_retell.common.threads import WorkerThread
from airflow_provider_retell.common.wording import counted

if TYPE_CHECKING:
    from airflow_provider_retell.api.calls.changes import Change
    from airflow_provider_retell.bulk.report import Report
    from airflow_provider_retell.bulk.rows import Row, Rows
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

log = logging.getLogger(__name__)

_REPORT_LINES = 500
_TICK_SECONDS = 1.0
_SAMPLES = 10
# Updates in the queue: ten seconds of the documented quota, so that it is used while the next chunk is planned.
_QUEUE = 100
_CLOSE_SECONDS = 5.0
# Three chunks that cannot be read stop the run.
_FAILURES_PER_CHUNK = FAILURES_IN_A_ROW // 3 + 1

Wanted: TypeAlias = "dict[str, tuple[int, Change]]"
"""The number of the row and the change that it asks for, by call id."""


class BulkUpdate:
    """One run.

    :param hook: an open hook that is used for nothing else.
    :param concurrency: the number of updates that are sent at the same time.
    :ivar progress: the counts of the run and the first failed rows.
    :ivar differences: the first changes that a dry run found.
    """

    def __init__(
        self,
        hook: RetellAsyncHook,
        rows: Rows,
        plan: Plan,
        report: Report,
        concurrency: int = 16,
        limits: FailureLimits = FailureLimits(),  # noqa: B008
    ) -> None:
        self._hook = hook
        self._rows = rows
        self._plan = plan
        self._concurrency = concurrency
        self._reader = RowReader(plan.columns, rows.fixed_columns)
        self._call_ids = DigestSet()
        self._states = CallStates(hook)
        self._source_error: Exception | None = None
        self._queue: asyncio.Queue[PlannedUpdate | None] = asyncio.Queue(max(concurrency, _QUEUE))
        self.progress = Progress(
            report, hook.quotas.usage, rows.size(), dry_run=plan.dry_run, failures=limits.failures
        )
        self.differences: list[Difference] = []

    async def run(self) -> None:
        """Process every row.

        :raises AuthenticationError: at once, as for 402 and 403, because every row would meet the same error.
        :raises BulkStoppedError: if 50 rows in a row fail because of Retell or the network, or if Retell asks for a
            wait that is too long for the hook.
        :raises RetellInputError: before the first update, if the source has fixed columns and lacks one of the task's.
        :raises RowsFailedError: after the last row, if no row has a column that the task names.
        :raises Exception: the error of the source, after the rows before it.
        """
        async with self.progress.recording():
            await self._run_tasks()
            if self._source_error is not None:
                raise self._source_error
            self._check_columns()

    async def _run_tasks(self) -> None:
        planner = asyncio.create_task(self._plan_rows())
        workers = [asyncio.create_task(self._send_updates()) for _ in range(self._concurrency)]
        try:
            await self._watch({planner, *workers})
        except BulkStoppedError:
            await self._finish_in_flight(planner, workers)
            raise
        finally:
            self._rows.stop()
            for task in (planner, *workers):
                task.cancel()
            await asyncio.gather(planner, *workers, return_exceptions=True)

    async def _watch(self, running: set[asyncio.Task[None]]) -> None:
        while running:
            ended, running = await asyncio.wait(
                running, timeout=_TICK_SECONDS, return_when=asyncio.FIRST_EXCEPTION
            )
            for task in ended:
                task.result()
            self.progress.log_if_due()
            await self.progress.flush()

    async def _finish_in_flight(self, planner: asyncio.Task[None], workers: list[asyncio.Task[None]]) -> None:
        """Send no further updates, and wait a short time for the responses to those that were sent."""
        planner.cancel()
        while not self._queue.empty():
            self._queue.get_nowait()
        for _ in workers:
            self._queue.put_nowait(None)
        await asyncio.wait([planner, *workers], timeout=_CLOSE_SECONDS)

    # -- the planner

    async def _plan_rows(self) -> None:
        # One thread for all rows, because most databases want a cursor to stay on its thread. A stop must not wait
        # for a query that runs for an hour, and nothing can interrupt it.
        async with WorkerThread("retell-rows", exit_timeout=_CLOSE_SECONDS) as source:
            await source.run(self._add_done_calls)
            rows = await source.enter(_open_rows(self._rows, self._reader))
            number = 1
            while self._source_error is None:
                chunk, self._source_error = await source.run(_take, rows, CHUNK)
                if not chunk:
                    break
                self.progress.total = self._rows.size()
                await self._plan_chunk(self._read_rows(number, chunk))
                await self.progress.flush(at_least=_REPORT_LINES)
                number += len(chunk)
        for _ in range(self._concurrency):
            await self._queue.put(None)

    def _add_done_calls(self) -> None:
        for call_id in self._rows.done_calls():
            self._call_ids.add(call_id)

    def _read_rows(self, number: int, chunk: list[Row]) -> Wanted:
        """Return the changes that the rows ask for; *number* is the number of the first row."""
        wanted: Wanted = {}
        for row_number, row in enumerate(chunk, start=number):
            change, error = None, None
            call_id: str | None
            try:
                call_id, change = self._reader.read(row)
            except InvalidRowError as invalid:
                call_id, error = invalid.call_id, invalid
            if call_id is not None and not self._call_ids.add(call_id):
                error = InvalidRowError(DUPLICATE)
            if error is not None:
                self.progress.end(Result.of_error(row_number, call_id, error))
            elif call_id is not None and change is not None:
                wanted[call_id] = row_number, change
        return wanted

    async def _plan_chunk(self, wanted: Wanted) -> None:
        for call_id, call in (await self._read_states(wanted)).items():
            row, change = wanted[call_id]
            if isinstance(call, RetellError):
                self.progress.stop_if_throttled(call)
                self.progress.end(_unreadable(row, call_id, call))
                self.progress.count_failure("read", call)
                continue
            self.progress.count_success("read")
            planned = self._plan.plan_row(row, call_id, call, change)
            if isinstance(planned, Result):
                self.progress.end(planned)
            elif self._plan.dry_run:
                self.progress.end(Result(row, call_id, "would_update", changed=planned.changed))
                if len(self.differences) < _SAMPLES:
                    self.differences.append(planned.difference())
            else:
                await self._queue.put(planned)

    async def _read_states(self, wanted: Wanted) -> Mapping[str, State]:
        try:
            return await self._states.read(list(wanted))
        except FATAL:
            raise
        except RetellError as error:
            self.progress.stop_if_throttled(error)
            for call_id, (row, _) in wanted.items():
                self.progress.end(_unreadable(row, call_id, error))
            self.progress.count_failure("read", error, _FAILURES_PER_CHUNK)
            return {}

    # -- the workers

    async def _send_updates(self) -> None:
        while (planned := await self._queue.get()) is not None:
            self.progress.start(planned.row, planned.call_id)
            try:
                unverified = await self._hook.run(planned.apply())
            except RetellError as error:
                self.progress.stop_if_throttled(error, planned.row)
                self.progress.end(Result.of_error(planned.row, planned.call_id, error))
                if isinstance(error, FATAL):
                    raise
                self.progress.count_failure("update", error)
            else:
                self.progress.count_success("update")
                reason = f"Retell's response does not confirm {', '.join(unverified)}" if unverified else ""
                self.progress.end(
                    Result(planned.row, planned.call_id, "updated", reason, planned.changed),
                    unverified=bool(unverified),
                )
            await self.progress.flush(at_least=_REPORT_LINES)

    def _check_columns(self) -> None:
        missing = self._reader.missing_columns
        if missing:
            error = RowsFailedError(
                f"No row has the column {', '.join(missing)}. Check the spelling. The other columns of "
                f"{counted(self.progress.rows, 'row')} were processed"
            )
            error.permanent = True
            raise error


def _unreadable(row: int, call_id: str, error: RetellError) -> Result:
    return Result(row, call_id, "failed", f"the call could not be read: {error}")


@contextmanager
def _open_rows(source: Rows, reader: RowReader) -> Iterator[Iterator[Row]]:
    rows: Any = iter(source.read())
    try:
        yield _without_headers(rows, reader)
    finally:
        try:
            getattr(rows, "close", lambda: None)()
        except Exception:
            log.warning("The source of the rows could not be closed", exc_info=True)


def _without_headers(rows: Iterator[Row], reader: RowReader) -> Iterator[Row]:
    for row in rows:
        if isinstance(row, Header):
            reader.check_header(row)
        else:
            yield row


def _take(rows: Iterator[Row], most: int) -> tuple[list[Row], Exception | None]:
    """Return the next rows, and the error of the source after them."""
    taken: list[Row] = []
    try:
        for row in islice(rows, most):
            taken.append(row)
    except Exception as error:
        return taken, error
    return taken, None
