"""The bookkeeping of a bulk update: counts, rows in flight, the report, log lines, and failures in a row."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.errors import (
    RateLimitError,
    RetellConnectionError,
    RetellError,
    RetellResponseError,
    ServerError,
)
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.bulk.errors import (
    RESUME,
    BulkStoppedError,
    GuardError,
    StorageError,
    TooFewRowsError,
)
from airflow_provider_retell.bulk.log_schedule import LogSchedule
from airflow_provider_retell.bulk.outcome import FAILURES, IN_DRY_RUN, OUTCOMES, Outcome, Result
from airflow_provider_retell.common.run_stats import RunStats
from airflow_provider_retell.common.threads import WorkerThread
from airflow_provider_retell.common.wording import counted, duration

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from airflow_provider_retell.api.quota import Usage
    from airflow_provider_retell.bulk.report import Report

log = logging.getLogger(__name__)

FAILURES_IN_A_ROW = 50
"""The run stops after so many rows in a row that failed because of Retell or the network."""

FAILED_ROWS = 200
"""The number of failed rows that are kept for the log and for XCom."""

_OUTAGES = (RetellConnectionError, RateLimitError, RetellResponseError, ServerError, StorageError)


class Progress:
    """The progress of one run.

    :param usage: the requests and delays of the run's hook.
    :param failures: the outcomes that count as failed.
    :param outcomes: the outcomes that a row can have.
    :param longest_wait: the seconds for which the run's hook waits for one request.
    :ivar total: the number of rows, or None as long as it is not known.
    :ivar rows: the number of rows with a result.
    :ivar complete: True if these are all rows of the source. False until the run has reached its end.
    :ivar counts: the number of rows by outcome.
    """

    def __init__(
        self,
        report: Report,
        usage: Usage,
        total: int | None = None,
        *,
        dry_run: bool = False,
        failures: Collection[Outcome] = FAILURES,
        outcomes: Sequence[Outcome] = OUTCOMES,
        kind: str = "call",
        longest_wait: float = RetryLimits.seconds,
    ) -> None:
        self.rows = 0
        self.complete = False
        self.counts: Counter[Outcome] = Counter()
        self._failed: list[Result] = []
        self._report = report
        self._stats = RunStats(usage)
        self.total = total
        self._dry_run = dry_run
        self._failures = failures
        self._outcomes = outcomes
        self._kind = kind
        self._longest_wait = longest_wait
        self._schedule = LogSchedule()
        self._disk = WorkerThread("retell-report")
        # Results that are not in the report yet.
        self._unwritten: deque[Result] = deque()
        # The record ids of rows that are being sent, by row number.
        self._in_flight: dict[int, str | None] = {}
        self._failures_in_a_row: Counter[str] = Counter()
        self._was_reached = False
        self._unverified = 0
        self._refusal: GuardError | TooFewRowsError | None = None
        self._broke = False

    def manifest(self) -> dict[str, Any]:
        """Return the manifest of the run so far. The counts of the outcomes add up to ``rows``.

        A dry run also has ``updated: 0``, so that downstream tasks can read the same keys. ``task_run`` has the counts
        of all tries.
        """
        outcomes = list(self._outcomes)
        if self._dry_run:
            outcomes += [IN_DRY_RUN[outcome] for outcome in self._outcomes if outcome in IN_DRY_RUN]
        counts = {outcome: self.counts[outcome] for outcome in outcomes}
        failed_rows = sum(self.counts[outcome] for outcome in self._failures)
        others = {"report": self._report.path, "task_run": self._report.task_run(tuple(outcomes))}
        return (
            self._stats.manifest(rows=self.rows, complete=self.complete, **counts, failed_rows=failed_rows)
            | others
        )

    def first_failures(self) -> list[Result]:
        """Return the failed rows that were kept, in the order of their numbers."""
        return sorted(self._failed, key=lambda result: result.row)

    # -- rows

    def start(self, row: int, record_id: str | None) -> None:
        """Record that the update of a row is being sent."""
        self._in_flight[row] = record_id

    def end(self, result: Result, *, unverified: bool = False) -> None:
        """Record the result of a row.

        :param unverified: True if Retell's response did not confirm all values.
        """
        self.rows += 1
        self.counts[result.outcome] += 1
        self._unverified += unverified
        if result.outcome in self._failures and len(self._failed) < FAILED_ROWS:
            self._failed.append(result)
        self._unwritten.append(result)
        self._in_flight.pop(result.row, None)
        self.log_if_due()

    def _end_in_flight(self) -> None:
        reason = "the run was stopped during the update. It is unknown whether Retell processed it"
        for row, record_id in list(self._in_flight.items()):
            self.end(Result(row, record_id, "failed", reason, kind=self._kind))

    # -- failures that stop the run

    def stop_if_throttled(self, error: RetellError) -> None:
        """Stop the run if Retell asks for a wait that is too long for the hook.

        After a shorter wait, the retries of one request are exhausted, and the next request may succeed.

        :raises BulkStoppedError: with the seconds to wait.
        """
        seconds = error.retry_after if isinstance(error, RateLimitError) else None
        # The hook adds a short time to the wait, so its limit itself is too long already.
        if seconds is not None and seconds >= self._longest_wait:
            raise self._stopped(f"Retell asks to wait {seconds:.0f} s", seconds) from None

    def stop_if_unreachable(self, error: RetellError) -> None:
        """Stop the run if Retell has not responded yet. Otherwise, every row would fail with the same reason.

        :param error: the error of a read, after all its retries. Its rows get no results.
        :raises BulkStoppedError: if it is a connection error, and no row was read or updated so far.
        """
        if isinstance(error, RetellConnectionError) and not self._was_reached:
            raise self._outage("Retell cannot be reached", error) from None

    def count_failure(self, kind: str, error: RetellError, rows: int = 1) -> None:
        """Count a failed read or update.

        :param kind: ``"read"`` or ``"update"``. Each has its own count.
        :raises BulkStoppedError: if 50 rows in a row failed because of Retell or the network.
        """
        if not isinstance(error, _OUTAGES) and not getattr(error, "foreign", False):
            self.count_success(kind)
            return
        self._failures_in_a_row[kind] += rows
        if self._failures_in_a_row[kind] >= FAILURES_IN_A_ROW:
            raise self._outage("Retell or the network failed for too many rows in a row", error) from None

    def count_success(self, kind: str) -> None:
        """Set the count of failures in a row to 0."""
        self._failures_in_a_row[kind] = 0
        self._was_reached = True

    def _outage(self, reason: str, error: RetellError) -> BulkStoppedError:
        return self._stopped(f"{reason}. Last error: {str(error).removesuffix('.')}")

    def _stopped(self, reason: str, retry_after: float | None = None) -> BulkStoppedError:
        error = BulkStoppedError(self._stop_text(reason), retry_after)
        error.reason = reason
        return error

    def _stop_text(self, reason: str) -> str:
        return f"Stopped after {counted(self.rows, 'row')}, because {reason}. {RESUME}"

    # -- the report

    @asynccontextmanager
    async def recording(self) -> AsyncIterator[None]:
        """Open the report. At the end of the block, all results are in it, also those of rows in flight."""
        try:
            async with self._disk:
                await self._disk.enter(self._report)
                try:
                    yield
                except (GuardError, TooFewRowsError) as error:
                    self._refusal = error
                    raise
                except Exception as error:
                    self._broke = True
                    if isinstance(error, BulkStoppedError) and error.reason:
                        # Rows in flight have ended since the error was raised.
                        self._end_in_flight()
                        error.args = (self._stop_text(error.reason),)
                    raise
                finally:
                    self._end_in_flight()
                    await self._disk.run(self._write)
        finally:
            self._log_total()

    async def flush(self, at_least: int = 1) -> None:
        """Write the results to the report if there are *at_least* as many.

        :raises BulkStoppedError: if the report cannot be written.
        """
        if len(self._unwritten) >= at_least:
            await self._disk.run(self._write)
            if self._report.failure:
                raise self._stopped(self._report.failure)

    def _write(self) -> None:
        # On the thread, so that a flush that is canceled before its turn loses no results.
        self._report.write([self._unwritten.popleft() for _ in range(len(self._unwritten))])

    # -- the log

    def log_if_due(self) -> None:
        """Log the counts after 10 s, 30 s and 1 min, and then at intervals."""
        if not self._schedule.is_due(self._stats.seconds, self.rows, self.total):
            return
        done = f"{self.rows:,} of {counted(self.total, 'row')}" if self.total else counted(self.rows, "row")
        line = f"{done} done after {self._summary()}"
        if self.total and 0 < self.rows < self.total:
            left = self.total - self.rows
            line += f"; {counted(left, 'row')} left, about {duration(self._stats.seconds / self.rows * left)}"
        log.info(line)

    def _log_total(self) -> None:
        if self._broke and not self.rows:  # the error says it all
            return
        planned = 0
        if isinstance(self._refusal, GuardError):
            planned = self._refusal.planned
        elif self._refusal is not None:
            planned = self._refusal.rows - self.rows
        log.info("Total: %s in %s", counted(self.rows + planned, "row"), self._summary(planned))
        if self._refusal is not None:
            log.warning(
                "%s refused the run: %s planned, and nothing was sent. %s",
                self._refusal.guard,
                counted(planned, "change"),
                self._refusal.next_step,
            )
        if self._unverified:
            log.warning(
                "Retell's responses do not confirm all values of %s. The report has the fields",
                counted(self._unverified, "row"),
            )

    def _summary(self, planned: int = 0) -> str:
        """Return the duration, the counts and the rate.

        :param planned: the number of changes that are planned and not sent.
        """
        seconds = self._stats.seconds
        counts = [f"{count:,} {outcome}" for outcome, count in sorted(self.counts.items())]
        counts += [f"{planned:,} planned"] if planned else []
        parts = [f"{duration(seconds)} ({', '.join(counts)})" if counts else duration(seconds)]
        if rows := self.rows + planned:
            rate = rows / max(seconds, 0.001)
            parts.append(f"{rate:,.1f} rows/s" if rate >= 1 else f"{rate:.2g} rows/s")
        parts.append(counted(self._stats.requests, "request"))
        if self._stats.waited_seconds >= 0.5:
            parts.append(f"held back by the quota for {duration(min(self._stats.waited_seconds, seconds))}")
        return ", ".join(parts)
