"""Archive the files of many calls at the same time, with bounded memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, get_args

from airflow_provider_retell.api.calls.recordings import DownloadError
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.bulk.bookkeeping import Progress
from airflow_provider_retell.bulk.errors import FATAL, StorageError
from airflow_provider_retell.bulk.outcome import FailureLimits, Outcome, Result
from airflow_provider_retell.bulk.recordings.archiver import Archived, Archiver, Cause
from airflow_provider_retell.bulk.recordings.sources import Item
from airflow_provider_retell.bulk.watch import watch

if TYPE_CHECKING:
    from airflow_provider_retell.bulk.report import Report

OUTCOMES: tuple[Outcome, ...] = (
    "archived",
    "unchanged",
    "no_recording",
    "not_found",
    "not_ended",
    "invalid",
    "failed",
)
"""The outcomes of a call, in the order of the manifest."""

_REPORT_LINES = 500


class ArchiveRun:
    """One run.

    :param items: the calls, and the results of rows that name none.
    :param concurrency: the number of calls that are archived at the same time.
    :param total: the number of rows, or None if it is not known.
    :ivar progress: the counts of the run and the first failed rows.
    """

    def __init__(
        self,
        archiver: Archiver,
        items: AsyncIterator[Item | Result],
        report: Report,
        concurrency: int,
        limits: FailureLimits,
        total: int | None,
    ) -> None:
        self._archiver = archiver
        self._items = items
        self._concurrency = concurrency
        self._queue: asyncio.Queue[Item | None] = asyncio.Queue(concurrency)
        self._files: Counter[str] = Counter()
        self._causes: Counter[Cause] = Counter()
        self._bytes = 0
        self._source_error: Exception | None = None
        hook = archiver.hook
        self.progress = Progress(
            report,
            hook.quotas.usage,
            total,
            failures=limits.failures,
            outcomes=OUTCOMES,
            longest_wait=hook.retry.seconds,
        )

    def manifest(self) -> dict[str, Any]:
        """Return the manifest of the run so far."""
        return self.progress.manifest() | {
            "no_recording_causes": {cause: self._causes[cause] for cause in get_args(Cause)},
            "files": {name: self._files[name] for name in self._archiver.files},
            "bytes": self._bytes,
        }

    async def run(self) -> None:
        """Archive every call.

        :raises AuthenticationError: at once, as for 402 and 403, because every read would meet the same error.
        :raises BulkStoppedError: if 50 calls in a row fail because of Retell, the host of the files, the storage or the
            network, or if Retell asks for a wait that is too long for the hook.
        :raises Exception: the error of the source, after the rows before it.
        """
        async with self.progress.recording():
            workers = (self._work() for _ in range(self._concurrency))
            tasks = [asyncio.create_task(part) for part in (self._fill(), *workers)]
            try:
                await watch(tasks, self.progress)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            if self._source_error is not None:
                raise self._source_error
            self.progress.complete = True

    async def _fill(self) -> None:
        try:
            async with aclosing(self._items) as items:  # type: ignore[type-var]
                async for item in items:
                    if isinstance(item, Result):
                        self.progress.end(item)
                        await self.progress.flush(at_least=_REPORT_LINES)
                    else:
                        await self._queue.put(item)
        except Exception as error:
            # The calls before the error are archived.
            self._source_error = error
        for _ in range(self._concurrency):
            await self._queue.put(None)

    async def _work(self) -> None:
        while (item := await self._queue.get()) is not None:
            self._end(await self._archiver.archive(item))
            await self.progress.flush(at_least=_REPORT_LINES)

    def _end(self, archived: Archived) -> None:
        error = archived.error
        self.progress.end(archived.result)
        self._files.update(archived.written)
        self._bytes += archived.size
        if archived.cause is not None:
            self._causes[archived.cause] += 1
        if isinstance(error, FATAL):
            raise error
        if error is not None:
            self.progress.stop_if_throttled(error)
        kind = "download" if isinstance(error, (DownloadError, StorageError)) else "read"
        if isinstance(error, RetellError):
            self.progress.count_failure(kind, error)
        else:
            self.progress.count_success("download")
            self.progress.count_success("read")
