"""When a long run logs its progress."""

from __future__ import annotations

_FIRST_LINES = (10.0, 30.0, 60.0)
_INTERVAL = 60.0
_SHARE = 10


class LogSchedule:
    """Lines after 10 s, 30 s and 1 min, and then every minute or every tenth of the rows, whichever is rarer.

    :param total: the number of rows, or None if it is not known.
    """

    def __init__(self, total: int | None) -> None:
        self._rows_per_line = (total or 0) / _SHARE
        self._next_seconds = _FIRST_LINES[0]
        self._next_rows = 0.0

    def is_due(self, seconds: float, rows: int) -> bool:
        """Return True if a line is due after *seconds* with *rows* done. The next line is due later."""
        if seconds < self._next_seconds or rows < self._next_rows:
            return False
        first = [at for at in _FIRST_LINES if at > seconds]
        self._next_seconds = first[0] if first else seconds + _INTERVAL
        self._next_rows = 0 if first else rows + self._rows_per_line
        return True
