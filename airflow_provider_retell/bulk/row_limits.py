"""The number of rows that a task expects."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

from airflow_provider_retell.bulk.errors import RowsFailedError, TooFewRowsError
from airflow_provider_retell.common.wording import counted

log = logging.getLogger(__name__)

OnEmpty = Literal["success", "skip", "fail"]


@dataclass(frozen=True)
class RowLimits:
    """The number of rows that a task expects.

    :ivar min_rows: the smallest number of rows.
    :ivar on_empty: the result of a task without rows.
    :ivar source: the label of the rows' source, for messages.
    :ivar empty_text: the reason for a task without rows.
    """

    min_rows: int = 0
    on_empty: OnEmpty = "success"
    source: str = ""
    empty_text: str = "The source has no rows"

    def skips(self, rows: int) -> bool:
        """Return True if the task is skipped, because it has no rows.

        :raises RowsFailedError: if there are too few rows. A retry may find more.
        """
        if not rows:
            advice = ". To skip or fail such a task, set on_empty" if self.on_empty == "success" else ""
            log.warning("%s%s%s", self.empty_text, self._suffix, advice)
            if self.on_empty == "skip":
                return True
            if self.on_empty == "fail":
                raise RowsFailedError(
                    f"{self.empty_text}, and on_empty is 'fail'{self._suffix}. Check the source"
                )
        self._check_min_rows(rows, "All of them were processed")
        return False

    def check_before(self, rows: int) -> None:
        """Raise :class:`TooFewRowsError` if there are too few rows, before the first change is sent."""
        if rows:
            self._check_min_rows(rows, "Nothing was sent")

    def _check_min_rows(self, rows: int, done: str) -> None:
        if rows < self.min_rows:
            raise TooFewRowsError(
                rows,
                f"The source has {counted(rows, 'row')}, and min_rows is {self.min_rows:,}{self._suffix}. {done}",
            )

    @property
    def _suffix(self) -> str:
        return f": {self.source}" if self.source else ""
