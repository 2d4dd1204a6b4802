"""The CSV imports of one task run, each started at most once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.contacts.endpoints import create_contact_import
from airflow_provider_retell.api.errors import RetellError, RetellStatusError
from airflow_provider_retell.bulk.contacts.import_jobs import ImportBusyError
from airflow_provider_retell.clock import clock
from airflow_provider_retell.operators.at_most_once import AtMostOnceOperator, SentRequests
from airflow_provider_retell.operators.task_try import CLOCK_SKEW, first_try_at

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.contacts.models import ContactImport

log = logging.getLogger(__name__)

# The number of searches for an import, and the seconds between two of them.
_SEARCHES, _SEARCH_PAUSE = 4, 10.0
# Retell does not document which of these it sends if another import is running.
_BUSY = frozenset({400, 409, 422})


class StartedImports:
    """The imports that the tries of a task run have started.

    :param task: the operator.
    :param context: the context of the try.
    :ivar counts: the start time and the counts of each import that has ended, by the name of its file.
    """

    def __init__(self, task: AtMostOnceOperator, context: Context) -> None:
        self._task = task
        self._context = context
        self._sent = SentRequests(context, task)
        self._after: float | None = None
        self.counts: dict[str, Mapping[str, Any]] = {}

    @property
    def records(self) -> list[dict[str, Any]]:
        """The imports that were started, oldest first.

        Each has ``part``, ``start_timestamp`` or None, ``after`` (the start time of the import before it), ``rows``,
        and ``found``, which is True if Retell's response was lost.
        """
        return self._sent.results

    @property
    def may_start(self) -> bool:
        """False if it is unknown whether an earlier try has started another import."""
        return self._sent.complete and self._sent.sending_since is None

    def start(
        self,
        part: str,
        upload_id: str | None,
        mapping: Sequence[Mapping[str, str]],
        *,
        after: float | None,
        rows: int,
    ) -> Mapping[str, Any]:
        """Start the import of a file, or find the one that an earlier try has started.

        :param part: the name of the file.
        :param upload_id: the file. None if an import must not be started, because :attr:`may_start` is False.
        :param after: the start time of the latest import before.
        :param rows: the number of rows in the file.
        :raises ImportBusyError: if another import is running.
        :raises AirflowFailException: if it is unknown whether Retell has started the import.
        """
        self._after = after
        in_doubt = upload_id is None

        def result(response: ContactImport, *, found: bool = False) -> dict[str, Any]:
            start = response.start_timestamp
            # A response that still shows the import before this one does not have the start time.
            is_own = start is not None and (found or after is None or start > after)
            return {
                "part": part,
                "start_timestamp": start if is_own else None,
                "after": None if found and in_doubt else after,
                "rows": None if found and in_doubt else rows,
                "found": found,
            }

        def find(sending_since: float | None) -> dict[str, Any] | None:
            latest = self._find(after, sending_since, in_doubt=in_doubt)
            return None if latest is None else result(latest, found=True)

        return self._task.send_once(
            self._context,
            create_contact_import(upload_id or "none", column_mapping=mapping),
            result,
            "Check whether Retell's dashboard shows the import (Contacts)",
            # Not the rows: the task compares every row after the import.
            subject={"file": part},
            sent=self._sent,
            number=len(self.records),
            find=find,
        )

    def check_busy(self, sent: SentRequests, error: RetellError) -> None:
        """Raise :class:`ImportBusyError` if Retell has rejected the import because another one has started first."""
        if not isinstance(error, RetellStatusError) or error.status not in _BUSY:
            return
        sent.rejected()
        after = self._after
        if error.status == 409 or self._search(
            lambda latest: latest.is_active or (latest.start_timestamp or 0) > (after or 0), searches=2
        ):
            raise ImportBusyError(
                "Retell has rejected the import, because another one has started"
            ) from error

    def _find(
        self, after: float | None, sending_since: float | None, *, in_doubt: bool
    ) -> ContactImport | None:
        """Return the import that a request with an unknown outcome has started, or None."""
        if in_doubt:
            since = first_try_at(self._context, self._task) if sending_since is None else sending_since
            if since is None:
                return None
            earliest = (since - CLOCK_SKEW) * 1000
        else:
            earliest = (after or 0) + 1
        known = {record["start_timestamp"] for record in self.records}
        found = self._search(
            lambda latest: (latest.start_timestamp or 0) >= earliest and latest.start_timestamp not in known
        )
        if found is not None:
            log.info("Found an import that has started since this task has sent its request")
        return found

    def _search(
        self, matches: Callable[[ContactImport], bool], searches: int = _SEARCHES
    ) -> ContactImport | None:
        for search in range(searches):
            if search:
                clock().sleep(_SEARCH_PAUSE)
            latest = self._task.hook.get_contact_import()
            if matches(latest):
                return latest
        return None
