"""The CSV imports of one task run: upload a file, start the import at most once, and wait for its end.

An organization has one import at a time. It has no id, so an import is recognized by its start time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_retell.api.contacts.endpoints import upload_contact_import_file
from airflow_provider_retell.api.contacts.waits import ContactImportEnded, ContactImportIdle
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.clock import clock
from airflow_provider_retell.common.wording import counted

if TYPE_CHECKING:
    from airflow_provider_retell.api.waits import Condition
    from airflow_provider_retell.bulk.contacts.csv_files import ContactFile
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

log = logging.getLogger(__name__)


class ImportBusyError(RetellError):
    """Retell rejected an import, because another one has started first."""

    @property
    def not_processed(self) -> bool:
        """True: Retell has rejected the request."""
        return True


class Wait(Protocol):
    """A function that waits."""

    async def __call__(self, condition: Condition, *, quiet: bool = False) -> dict[str, Any]:
        """Return the result of the poll in which *condition* holds; with *quiet*, without a log line at once."""
        ...


class StartedImports(Protocol):
    """The imports that the tries of a task run have started, each at most once.

    :ivar counts: the start time and the counts of each import that has ended, by the name of its file.
    """

    counts: dict[str, Mapping[str, Any]]

    @property
    def records(self) -> Sequence[Mapping[str, Any]]:
        """The imports, oldest first: ``part``, ``start_timestamp``, and that of the import before it (``after``)."""
        ...

    @property
    def may_start(self) -> bool:
        """False if it is unknown whether an earlier try has started another import."""
        ...

    def start(
        self,
        part: str,
        upload_id: str | None,
        mapping: Sequence[Mapping[str, str]],
        *,
        after: float | None,
        rows: int,
    ) -> Mapping[str, Any]:
        """Start an import, or find the one that an earlier try has started. Blocks."""
        ...


class ImportJobs:
    """The imports of one try of a task.

    :param hook: an open hook.
    :param wait_for: waits for a condition.
    :param started: the imports that the tries of the task run have started.
    :param pause: seconds between two attempts to start or to read an import.
    :ivar waited: True if this try has waited for an import of the task since it read the contacts.
    :ivar failed: the number of rows of these imports that Retell has counted as failed.
    """

    def __init__(
        self,
        hook: RetellAsyncHook,
        wait_for: Wait,
        started: StartedImports,
        pause: float,
    ) -> None:
        self._hook = hook
        self._wait_for = wait_for
        self._started = started
        self._pause = pause
        # The start time of the latest import that has ended.
        self._latest: float | None = None
        self.waited = False
        self.failed = 0

    def has_started(self, part: str) -> bool:
        """Return True if a try of the task run has started the import of this file."""
        return any(record["part"] == part for record in self._started.records)

    async def wait_for_earlier(self) -> None:
        """Wait for the imports of earlier tries, and until no import of another client is running."""
        if self._started.records:
            log.info("An earlier try has started the import. It is not started again")
            await self._wait_for_end(self._started.records[-1])
        await self.wait_until_idle()

    async def wait_until_idle(self) -> None:
        """Wait until no import is running."""
        ended = await self._wait_for(ContactImportIdle(), quiet=True)
        self._latest = ended["start_timestamp"]

    async def run(self, part: str, file: ContactFile, rows: int) -> None:
        """Start the import of a file, unless an earlier try may have started it, and wait for its end.

        :param part: the name of the file in the manifest.
        :param rows: the number of its rows.
        :raises ImportBusyError: if another import is running.
        :raises AirflowFailException: if it is unknown whether Retell has started an import.
        """
        upload_id = None
        if self._started.may_start:
            upload_id = (await self._hook.send(upload_contact_import_file(file.content))).upload_id
        # In a thread, and to its end even if the task is stopped, so that the response is recorded.
        record = await asyncio.to_thread(
            self._started.start, part, upload_id, file.mapping, after=self._latest, rows=rows
        )
        log.info("The import of %s has started", counted(rows, "row"))
        self.waited = True
        await self._wait_for_end(record)

    async def _wait_for_end(self, record: Mapping[str, Any]) -> None:
        ended = await self._wait_for(ContactImportEnded(record["start_timestamp"], record["after"]))
        self._started.counts[record["part"]] = ended
        self._latest = ended["start_timestamp"]
        self.failed += ended.get("failed") or 0

    async def pause(self) -> None:
        """Wait between two attempts."""
        await clock().sleep_async(self._pause)
