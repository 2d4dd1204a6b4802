"""Log the result of a run: its failed rows, and the differences that a dry run found."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_retell.bulk.outcome import Result
    from airflow_provider_retell.bulk.resource import Difference

log = logging.getLogger(__name__)

# The report has all failed rows, so the log has only the first ones.
_ROWS_BESIDE_REPORT = 5


def log_failed_rows(failed: Sequence[Result], count: int, *, has_report: bool) -> None:
    """Log failed rows with their reasons.

    :param failed: the first failed rows.
    :param count: the number of all failed rows.
    :param has_report: True to log only a few of them.
    """
    shown = sorted(failed[:_ROWS_BESIDE_REPORT] if has_report else failed, key=lambda result: result.row)
    if shown:
        log.warning("Failed rows%s:", f", {len(shown)} of {count:,}" if len(shown) < count else "")
    for result in shown:
        record_id = result.record_id or "unknown"
        log.warning(
            "  row %d, %s %s, %s: %s", result.row, result.kind, record_id, result.outcome, result.reason
        )


def log_differences(differences: Sequence[Difference], *, show_values: bool) -> None:
    """Log the names of the fields that would change.

    :param show_values: True to log the values before and after too.
    """
    for difference in differences:
        log.info("Would %s: %s", difference.action, ", ".join(difference.changed))
        if show_values:
            for key, before in difference.before.items():
                log.info("  %s: %r -> %r", key, before, difference.after[key])
