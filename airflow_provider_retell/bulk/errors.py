"""Errors of a row, and errors that end a run over rows."""

from __future__ import annotations

from airflow_provider_retell.api.errors import (
    AuthenticationError,
    PaymentRequiredError,
    PermissionDeniedError,
    RetellError,
    RetellInputError,
)

FATAL = (AuthenticationError, PaymentRequiredError, PermissionDeniedError)
"""Errors that all other requests of the run would meet too."""

RESUME = "Run the task again. It does not repeat updates that it has already made"
"""The next step in messages of a run that ended early."""


class InvalidRowError(RetellInputError):
    """A row cannot be sent. It counts as invalid, and the run continues.

    :ivar key: the key of the row's record, or None if that is the reason.
    """

    def __init__(self, fault: str, key: str | None = None) -> None:
        super().__init__(fault)
        self.key = key


class SourceError(RetellError):
    """The rows cannot be read to their end. The rows before the error were processed."""

    permanent = True


class IncompleteFileError(SourceError):
    """A compressed file ends too early."""


class BulkStoppedError(RetellError):
    """The run ended before its last row: Retell, the network or the report failed, or the task was stopped.

    :ivar retry_after: the seconds that Retell asked to wait, if the hook does not wait so long, otherwise None.
    :ivar reason: why the run ended, if the message begins with the number of rows.
    """

    reason = ""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ReportError(RetellError):
    """All rows were processed, but the report could not be written."""


class RowsFailedError(RetellError):
    """All rows were processed, but too many of them failed, or none has a column that the task names."""


class TooFewRowsError(RowsFailedError):
    """The source has fewer rows than ``min_rows``.

    :ivar rows: the number of its rows.
    """

    guard = "min_rows"
    next_step = "Check the source"

    def __init__(self, rows: int, message: str) -> None:
        super().__init__(f"{message}. {self.next_step}")
        self.rows = rows


class GuardError(RetellInputError):
    """A guard refused the changes of all rows, after they were compared and before the first was sent.

    :ivar guard: the name of the guard.
    :ivar planned: the number of changes.
    :ivar next_step: the advice at the end of the message.
    """

    def __init__(self, fault: str, guard: str, planned: int, next_step: str) -> None:
        super().__init__(f"{fault}. {next_step}")
        self.guard = guard
        self.planned = planned
        self.next_step = next_step


class StorageError(RetellError):
    """A file could not be read or written. Its message has only the type of the storage's own error."""
