"""What became of each row, and of all of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from airflow_provider_retell.api.errors import (
    CallNotEndedError,
    NotFoundError,
    RetellError,
    RetellInputError,
    StorageConflictError,
)

SCHEMA_VERSION = 1

Outcome = Literal[
    "updated", "would_update", "unchanged", "not_found", "not_ended", "invalid", "conflict", "failed"
]
"""``updated`` (``would_update`` in a dry run), ``unchanged``: as it should be. ``not_found``: no such call under this
API key. ``not_ended``: the call is still going on. ``invalid``: the row cannot be sent. ``conflict``: the storage
setting would loosen. ``failed``: Retell or the network failed, or the call does not hold what was written."""

FAILURES: tuple[Outcome, ...] = ("failed", "invalid", "conflict", "not_found", "not_ended")
"""Outcomes that count as failed, unless the task tolerates them."""

_OF_ERRORS: tuple[tuple[type[RetellError], Outcome], ...] = (
    (NotFoundError, "not_found"),
    (CallNotEndedError, "not_ended"),
    (StorageConflictError, "conflict"),
    (RetellInputError, "invalid"),
)


@dataclass(frozen=True)
class Result:
    """The end of one row. ``row`` counts from 1; ``changed`` names keys, never values."""

    row: int
    call_id: str | None
    outcome: Outcome
    reason: str = ""
    changed: tuple[str, ...] = ()

    @classmethod
    def of_error(cls, row: int, call_id: str | None, error: RetellError) -> Result:
        """Return the end of a row that met *error*."""
        outcome: Outcome = next(
            (outcome for kind, outcome in _OF_ERRORS if isinstance(error, kind)), "failed"
        )
        return cls(row, call_id, outcome, error.fault if isinstance(error, RetellInputError) else str(error))

    def line(self) -> dict[str, Any]:
        """Return the row's line in the report."""
        return {
            "row": self.row,
            "call_id": self.call_id,
            "outcome": self.outcome,
            "reason": self.reason,
            "changed": list(self.changed),
        }


@dataclass
class Tally:
    """Counts of a run, as they grow."""

    dry_run: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        """How many rows have come to their end."""
        return self.counts.total()

    def manifest(
        self, *, requests: int, seconds: float, waited_seconds: float, report: str | None
    ) -> dict[str, Any]:
        """Return the run's summary; the seven outcomes add up to ``rows``."""
        done = "would_update" if self.dry_run else "updated"
        names = (done, "unchanged", "not_found", "not_ended", "invalid", "conflict", "failed")
        return {
            "schema_version": SCHEMA_VERSION,
            "rows": self.rows,
            **{name: self.counts[name] for name in names},
            "requests": requests,
            "seconds": round(seconds, 3),
            "waited_seconds": round(waited_seconds, 3),
            "report": report,
        }
