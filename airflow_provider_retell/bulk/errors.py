"""What ends a bulk update early, or red."""

from __future__ import annotations

from airflow_provider_retell.api.errors import RetellError


class SourceError(RetellError):
    """The rows cannot be read, or not to their end; those before are done."""

    permanent = True


class BulkStoppedError(RetellError):
    """The run was given up before its last row, because nothing got through to Retell any more.

    :ivar retry_after: seconds that Retell asked to wait, if it did: longer than the hook's patience.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RowsFailedError(RetellError):
    """Every row was tried, and more failed than the task tolerates, or none had a column that the task names."""
