"""The table of failed rows in the log."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_retell.bulk.outcome import Result

log = logging.getLogger(__name__)


def log_failed_rows(failed: Sequence[Result], count: int) -> None:
    """Log failed rows as a table that Airflow's UI folds.

    :param failed: the first failed rows, in the order of their numbers.
    :param count: the number of all failed rows.
    """
    if not failed:
        return
    table = [("row", failed[0].kind, "outcome", "reason")]
    above = ""
    for each in failed:
        # Messages about requests contain the id, and how long they were repeated.
        reason = each.reason.replace(each.record_id or "", "").partition(". Gave up after ")[0]
        cell = "as above" if reason == above else each.reason
        table.append((str(each.row), each.record_id or "-", each.outcome, cell))
        above = reason
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    shown = f"{len(failed):,} of {count:,}" if len(failed) < count else f"{count:,}"
    # Airflow 2 recognizes a group only in lines of level INFO.
    log.info("::group::Failed rows: %s", shown)
    for row, *texts in table:
        cells = [
            row.rjust(widths[0]),
            *(text.ljust(width) for text, width in zip(texts, widths[1:], strict=True)),
        ]
        log.info("%s", "  ".join(cells).rstrip())
    log.info("::endgroup::")
