"""The outcome of a row, and the limits for failed rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from airflow_provider_retell.api.errors import (
    CallNotEndedError,
    NotFoundError,
    RetellError,
    RetellInputError,
    StorageConflictError,
)
from airflow_provider_retell.bulk.errors import RowsFailedError
from airflow_provider_retell.common.wording import counted

Outcome = Literal[
    "updated",
    "would_update",
    "unchanged",
    "not_found",
    "not_ended",
    "invalid",
    "conflict",
    "failed",
    "archived",
    "no_recording",
    "created",
    "would_create",
    "deleted",
    "would_delete",
]
"""``updated``: the call was updated. ``created``, ``deleted``: the contact was created or deleted. ``would_update``,
``would_create``, ``would_delete``: the same in a dry run. ``unchanged``: the call already has all values.
``not_found``: the API key's organization has no such call. ``not_ended``: the call is ongoing. ``invalid``: the row
cannot be sent. ``conflict``: the storage setting would become less strict, or a do-not-call mark would be deleted.
``failed``: Retell or the network failed, or the call does not have the values that were sent. ``archived``: files of
the call were written. ``no_recording``: Retell has none of the call's files; both only in archives of recordings."""

OUTCOMES: tuple[Outcome, ...] = (
    "updated",
    "unchanged",
    "not_found",
    "not_ended",
    "invalid",
    "conflict",
    "failed",
)
"""The outcomes of rows whose records can be updated, in the order of the manifest."""

IN_DRY_RUN: dict[Outcome, Outcome] = {
    "updated": "would_update",
    "created": "would_create",
    "deleted": "would_delete",
}
"""The outcomes that have another name in a dry run."""

FAILURES: tuple[Outcome, ...] = ("failed", "invalid", "conflict", "not_found", "not_ended")
"""The outcomes that count as failed, unless the task tolerates them."""

_DUPLICATE = "an earlier row has the same "

_RETRYABLE: frozenset[Outcome] = frozenset({"failed", "not_ended"})

_OUTCOMES: tuple[tuple[type[RetellError], Outcome], ...] = (
    (NotFoundError, "not_found"),
    (CallNotEndedError, "not_ended"),
    (StorageConflictError, "conflict"),
    (RetellInputError, "invalid"),
)


@dataclass(frozen=True)
class Result:
    """The result of one row.

    :ivar row: the number of the row, from 1.
    :ivar record_id: the id of the row's record, or None if the row has no valid one.
    :ivar reason: the cause of a failure, or the fields that Retell's response does not confirm; otherwise ``""``.
    :ivar changed: the names of the changed fields, never their values.
    :ivar kind: the kind of record. The report has the id as ``{kind}_id``.
    """

    row: int
    record_id: str | None
    outcome: Outcome
    reason: str = ""
    changed: tuple[str, ...] = ()
    kind: str = "call"

    @classmethod
    def of_error(cls, row: int, record_id: str | None, error: RetellError, kind: str = "call") -> Result:
        """Return the result of a row that failed with *error*."""
        outcome: Outcome = next((outcome for kind, outcome in _OUTCOMES if isinstance(error, kind)), "failed")
        reason = error.fault if isinstance(error, RetellInputError) else str(error)
        return cls(row, record_id, outcome, reason, kind=kind)

    def line(self) -> dict[str, Any]:
        """Return the row's line in the report."""
        return {
            "row": self.row,
            f"{self.kind}_id": self.record_id,
            "outcome": self.outcome,
            "reason": self.reason,
            "changed": list(self.changed),
        }


@dataclass(frozen=True)
class FailureLimits:
    """The failed rows that a task accepts. Without limits it accepts none.

    :ivar max_rows: the largest number of failed rows, or None.
    :ivar max_ratio: the largest share of failed rows, 0 to 1, or None.
    :ivar tolerated: outcomes that do not count as failed.
    """

    max_rows: int | None = None
    max_ratio: float | None = None
    tolerated: Collection[str] = ()

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The outcomes that count as failed."""
        return tuple(outcome for outcome in FAILURES if outcome not in self.tolerated)

    def count(self, manifest: Mapping[str, Any]) -> int:
        """Return the number of failed rows."""
        return sum(int(manifest.get(outcome, 0)) for outcome in self.failures)

    def check(self, manifest: Mapping[str, Any], failures: Sequence[Result] = ()) -> None:
        """Raise :class:`RowsFailedError` if too many rows failed. It is permanent if a retry would fail again.

        :param failures: the first failed rows, for the reason in the message.
        """
        failed, rows = self.count(manifest), manifest["rows"]
        max_rows = 0 if self.max_rows is None and self.max_ratio is None else self.max_rows
        too_many = max_rows is not None and failed > max_rows
        # Not a product: 0.29 * 100 is less than 29.
        if not too_many and (self.max_ratio is None or failed / max(rows, 1) <= self.max_ratio):
            return
        outcomes = [outcome for outcome in self.failures if manifest.get(outcome)]
        listed = ", ".join(f"{manifest[outcome]:,} {outcome}" for outcome in outcomes)
        report = manifest["report"]
        error = RowsFailedError(
            f"{failed:,} of {counted(rows, 'row')} failed: {listed}\n{_main_reason(failures, failed)}"
            + (f"Report: {report}" if report else "Set report_path to get a report of all rows")
        )
        error.permanent = _RETRYABLE.isdisjoint(outcomes)
        raise error


def _main_reason(failures: Sequence[Result], failed: int) -> str:
    """Return a line with the most frequent reason, or an empty text if there is no reason."""
    if not failures:
        return ""
    [(reason, count)] = Counter(_without_row(failure.reason) for failure in failures).most_common(1)
    if count == 1:
        return f"Row {failures[0].row}: {failures[0].reason}\n"
    shown = f" of the first {len(failures)} failed" if failed > len(failures) else ""
    return f"Most frequent reason ({count}{shown} rows): {reason}\n"


def _without_row(reason: str) -> str:
    return reason.partition(": row ")[0] if reason.startswith(_DUPLICATE) else reason


def line_kind(line: Mapping[str, Any]) -> str:
    """Return the kind of record in a line of a report."""
    return next((name for name in line if name.endswith("_id")), "call_id").removesuffix("_id")


def line_id(line: Mapping[str, Any]) -> Any:
    """Return the record's id in a line of a report, whatever the kind of record."""
    return line.get(f"{line_kind(line)}_id")


def duplicate(key_name: str, row: int | None) -> str:
    """Return the reason of a row whose record is in an earlier row.

    :param row: the number of that row, or None if it is one of an earlier run.
    """
    return f"{_DUPLICATE}{key_name}" + ("" if row is None else f": row {row}")


def is_duplicate(line: Mapping[str, Any]) -> bool:
    """Return True if a line of a report is of a row whose record is in an earlier row."""
    return str(line.get("reason")).startswith(_DUPLICATE)
