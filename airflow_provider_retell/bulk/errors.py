"""Errors that end a bulk update."""

from __future__ import annotations

from airflow_provider_retell.api.errors import RetellError

RESUME = "Run the task again. It does not repeat updates that it has already made"
"""The next step in messages of a run that ended early."""


class SourceError(RetellError):
    """The rows cannot be read to their end. The rows before the error were processed."""

    permanent = True


class IncompleteFileError(SourceError):
    """A compressed file ends too early."""


class BulkStoppedError(RetellError):
    """The run ended before its last row, because Retell or the network failed or the task was stopped.

    :ivar retry_after: the seconds that Retell asked to wait, if that is longer than the hook waits, otherwise None.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RowsFailedError(RetellError):
    """All rows were processed, but too many of them failed, or none has a column that the task names."""
