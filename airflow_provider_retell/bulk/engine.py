"""Run a bulk update: read rows, compare them with records, send the differences, and report, all at the same time.

One thread reads the rows in chunks of 1,000. For each chunk, the planner reads the records from Retell, compares them,
and puts the changes that are necessary into a short queue. Several workers send them, while the planner plans the
next chunk. Memory holds a few chunks, whatever the number of rows. Only a guarded resource has all changes planned
before the first is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.bulk.bookkeeping import FAILURES_IN_A_ROW, Progress
from airflow_provider_retell.bulk.column_names import hint, listed_names
from airflow_provider_retell.bulk.digest_map import DigestMap
from airflow_provider_retell.bulk.errors import FATAL, BulkStoppedError, InvalidRowError, RowsFailedError
from airflow_provider_retell.bulk.outcome import IN_DRY_RUN, FailureLimits, Result, duplicate
from airflow_provider_retell.bulk.resource import Difference, Planned, Resource
from airflow_provider_retell.bulk.row_chunks import CHUNK, open_rows, take
from airflow_provider_retell.bulk.row_limits import RowLimits
from airflow_provider_retell.bulk.watch import watch
from airflow_provider_retell.common.threads import WorkerThread
from airflow_provider_retell.common.wording import counted

if TYPE_CHECKING:
    from airflow_provider_retell.bulk.report import Report
    from airflow_provider_retell.bulk.rows import Row, Rows
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

_REPORT_LINES = 500
_SAMPLES = 10
# Updates in the queue: ten seconds of the documented quota, so that it is used while the next chunk is planned.
_QUEUE = 100
_CLOSE_SECONDS = 5.0
# In place of the number of a row, for records that an earlier run has updated.
_EARLIER_RUN = 2**32 - 1
# Three chunks that cannot be read stop the run.
_FAILURES_PER_CHUNK = FAILURES_IN_A_ROW // 3 + 1

S = TypeVar("S")
W = TypeVar("W")


class BulkUpdate(Generic[S, W]):
    """One run.

    :param hook: an open hook that is used for nothing else.
    :param resource: the kind of record, made for this run with the same hook.
    :param concurrency: the number of changes that are sent at the same time.
    :param row_limits: the number of rows that the task expects. Only guarded resources check it before they send
        anything.
    :ivar progress: the counts of the run and the first failed rows.
    :ivar differences: the first changes that a dry run found.
    """

    def __init__(
        self,
        hook: RetellAsyncHook,
        rows: Rows,
        resource: Resource[S, W],
        report: Report,
        concurrency: int = 16,
        limits: FailureLimits = FailureLimits(),  # noqa: B008
        *,
        row_limits: RowLimits = RowLimits(),  # noqa: B008
        dry_run: bool = False,
    ) -> None:
        self._hook = hook
        self._rows = rows
        self._resource = resource
        self._concurrency = concurrency
        self._row_limits = row_limits
        self._dry_run = dry_run
        # The number of the row with each key.
        self._rows_by_key = DigestMap("I")
        # The columns of the first row that could be read.
        self._first_columns: list[str] = []
        # The changes of a guarded resource, until all rows are planned.
        self._held: list[Planned] = []
        self._source_error: Exception | None = None
        self._queue: asyncio.Queue[Planned | None] = asyncio.Queue(max(concurrency, _QUEUE))
        self.progress = Progress(
            report,
            hook.quotas.usage,
            rows.size(),
            dry_run=dry_run,
            failures=limits.failures,
            outcomes=resource.outcomes,
            kind=resource.kind,
            longest_wait=hook.retry.seconds,
        )
        self.differences: list[Difference] = []

    async def run(self) -> None:
        """Process every row.

        :raises AuthenticationError: at once, as for 402 and 403, because every row would meet the same error.
        :raises BulkStoppedError: if Retell cannot be reached, if 50 rows in a row fail because of Retell or the
            network, or if Retell asks for a wait that is too long for the hook.
        :raises RetellInputError: before the first update, if the source has a header without one of the task's columns.
        :raises RowsFailedError: after the last row, if no row has a column that the task names, or if a guarded
            resource has too few rows.
        :raises Exception: the error of the source, after the rows before it.
        """
        async with self.progress.recording():
            await self._run_tasks()
            if self._source_error is not None:
                raise self._source_error
            self.progress.complete = True
            self._check_columns()

    async def _run_tasks(self) -> None:
        planner = asyncio.create_task(self._plan_rows())
        workers = [asyncio.create_task(self._send_updates()) for _ in range(self._concurrency)]
        try:
            await watch({planner, *workers}, self.progress)
        except BulkStoppedError:
            await self._finish_in_flight(planner, workers)
            raise
        finally:
            self._rows.stop()
            for task in (planner, *workers):
                task.cancel()
            await asyncio.gather(planner, *workers, return_exceptions=True)

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
            await self._resource.set_up()
            await source.run(self._add_done_records)
            rows = await source.enter(open_rows(self._rows, self._resource.named_columns.check_header))
            while self._source_error is None:
                chunk, self._source_error = await source.run(take, rows, CHUNK)
                if not chunk:
                    break
                self.progress.total = self._rows.size()
                await self._plan_chunk(self._read_rows(chunk))
                await self.progress.flush(at_least=_REPORT_LINES)
        if self._resource.guarded and self._source_error is None:
            self._check_columns()
            self._row_limits.check_before(self.progress.rows + len(self._held))
            self._resource.check_plan(self._held)
            if self._held and not self._dry_run:
                await self._resource.send_plan(self._held)
            for planned in self._held:
                await self._release(planned)
                await self.progress.flush(at_least=_REPORT_LINES)
        for _ in range(self._concurrency):
            await self._queue.put(None)

    def _add_done_records(self) -> None:
        # Only sources of calls and chats have any, and their key is the id of the record.
        for record_id in self._rows.done_records():
            self._rows_by_key[record_id] = _EARLIER_RUN

    def _read_rows(self, chunk: list[tuple[int, Row]]) -> dict[str, tuple[int, W]]:
        """Return the row's number and the change that it asks for, by key."""
        wanted: dict[str, tuple[int, W]] = {}
        for number, row in chunk:
            self._first_columns = self._first_columns or list(row)
            try:
                key, change = self._resource.read_row(row)
            except InvalidRowError as invalid:
                self.progress.end(self._invalid(number, self._duplicate(number, invalid.key) or invalid))
                continue
            if error := self._duplicate(number, key):
                self.progress.end(self._invalid(number, error))
            else:
                wanted[key] = number, change
        return wanted

    async def _plan_chunk(self, wanted: Mapping[str, tuple[int, W]]) -> None:
        for key, state in (await self._read_states(wanted)).items():
            row, change = wanted[key]
            if isinstance(state, RetellError):
                self.progress.stop_if_throttled(state)
                self.progress.end(self._unreadable(row, key, state))
                self.progress.count_failure("read", state)
                continue
            self.progress.count_success("read")
            planned = self._resource.plan_row(row, key, state, change)
            if isinstance(planned, Result):
                self.progress.end(planned)
            elif self._resource.guarded:
                self._held.append(planned)
            else:
                await self._release(planned)

    async def _release(self, planned: Planned) -> None:
        """Queue the change, or report it in a dry run."""
        if not self._dry_run:
            await self._queue.put(planned)
            return
        outcome = IN_DRY_RUN[planned.outcome]
        self.progress.end(
            Result(planned.row, planned.record_id, outcome, changed=planned.changed, kind=self._resource.kind)
        )
        if len(self.differences) < _SAMPLES:
            self.differences.append(planned.difference())

    async def _read_states(self, wanted: Mapping[str, tuple[int, W]]) -> Mapping[str, S | RetellError | None]:
        try:
            return await self._resource.read_states(list(wanted))
        except FATAL:
            raise
        except RetellError as error:
            self.progress.stop_if_throttled(error)
            self.progress.stop_if_unreachable(error)
            for key, (row, _) in wanted.items():
                self.progress.end(self._unreadable(row, key, error))
            self.progress.count_failure("read", error, _FAILURES_PER_CHUNK)
            return {}

    def _duplicate(self, row: int, key: str | None) -> InvalidRowError | None:
        """Note that *row* has *key*; return an error if an earlier row has it."""
        earlier = 0 if key is None else self._rows_by_key.setdefault(key, row)
        if not earlier:
            return None
        shown = None if earlier == _EARLIER_RUN else earlier
        return InvalidRowError(duplicate(self._resource.key_name, shown), key)

    def _invalid(self, row: int, error: InvalidRowError) -> Result:
        record_id = None if error.key is None else self._resource.record_id(error.key)
        return Result.of_error(row, record_id, error, self._resource.kind)

    def _unreadable(self, row: int, key: str, error: RetellError) -> Result:
        kind = self._resource.kind
        reason = f"the {kind} could not be read: {error}"
        return Result(row, self._resource.record_id(key), "failed", reason, kind=kind)

    # -- the workers

    async def _send_updates(self) -> None:
        kind = self._resource.kind
        while (planned := await self._queue.get()) is not None:
            record_id = planned.record_id
            self.progress.start(planned.row, record_id)
            try:
                applied = await self._hook.run(planned.apply())
            except RetellError as error:
                self.progress.end(Result.of_error(planned.row, record_id, error, kind))
                self.progress.stop_if_throttled(error)
                if isinstance(error, (*FATAL, BulkStoppedError)):
                    raise
                self.progress.count_failure("update", error)
            else:
                self.progress.count_success("update")
                names = ", ".join(applied.unverified)
                reason = f"Retell's response does not confirm {names}" if names else applied.reason
                record_id = applied.record_id or record_id
                outcome = applied.outcome or planned.outcome
                changed = () if outcome == "unchanged" else planned.changed
                self.progress.end(
                    Result(planned.row, record_id, outcome, reason, changed, kind), unverified=bool(names)
                )
            await self.progress.flush(at_least=_REPORT_LINES)

    def _check_columns(self) -> None:
        missing = self._resource.named_columns.missing
        if missing:
            sent = f"The other columns of {counted(self.progress.rows, 'row')} were processed"
            error = RowsFailedError(
                f"No row has the column {', '.join(missing)}; the first row has: {listed_names(self._first_columns)}"
                f"{hint(missing, self._first_columns)}. Check the spelling. "
                + ("Nothing was sent" if self._resource.guarded else sent)
            )
            error.permanent = True
            raise error
