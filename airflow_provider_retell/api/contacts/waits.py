"""Wait for the CSV import of contacts. It has no id: only its start time distinguishes it from other imports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from airflow_provider_retell.api.contacts.endpoints import get_contact_import
from airflow_provider_retell.api.contacts.models import ContactImport
from airflow_provider_retell.api.request import Flow
from airflow_provider_retell.api.waits import Condition, Poll


@dataclass(frozen=True)
class ContactImportIdle(Condition):
    """No import of contacts is queued or running."""

    def __str__(self) -> str:
        return "the organization's contact import to end"

    def poll(self) -> Flow[Poll]:
        """Read the current or latest import."""
        latest: ContactImport = yield get_contact_import()
        return Poll(not latest.is_active, _state(latest), _result(latest))


@dataclass(frozen=True)
class ContactImportEnded(Condition):
    """An import that this client has started has ended.

    :ivar started: its start time in epoch milliseconds, or None if Retell's response did not have one.
    :ivar after: the start time of the import before it, or None if there was none.
    """

    started: float | None
    after: float | None

    def __str__(self) -> str:
        return "the contact import to end"

    def poll(self) -> Flow[Poll]:
        """Read the current or latest import. If it has a later start time, its counts are not used.

        Then this import has ended and another client has started one, or Retell has changed the start time of this
        import when it began to run. The result has the later start time, because the next import starts after it.
        """
        latest: ContactImport = yield get_contact_import()
        start = latest.start_timestamp
        if start is None or (self.after is not None and start <= self.after):
            return Poll(False, f"not started, {latest.status}")
        if self.started is not None and start > self.started:
            return Poll(
                not latest.is_active, f"{latest.status}, with a later start time", {"start_timestamp": start}
            )
        return Poll(not latest.is_active, _state(latest), _result(latest))


def _state(latest: ContactImport) -> str:
    succeeded, failed = (0 if count is None else int(count) for count in (latest.succeeded, latest.failed))
    return f"{latest.status}, {succeeded:,} rows imported, {failed:,} failed"


def _result(latest: ContactImport) -> dict[str, Any]:
    return {
        "start_timestamp": latest.start_timestamp,
        "succeeded": None if latest.succeeded is None else int(latest.succeeded),
        "failed": None if latest.failed is None else int(latest.failed),
    }
