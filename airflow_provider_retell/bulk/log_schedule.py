"""When a long run logs its progress."""

from __future__ import annotations

_FIRST_LINES = (10.0, 30.0, 60.0)
_INTERVAL = 60.0
_SHARE = 10


class LogSchedule:
    """Lines after 10 s, 30 s and 1 min, and then every minute or every tenth of the rows, whichever is rarer."""

    def __init__(self) -> None:
        self._next_seconds = _FIRST_LINES[0]
        self._next_rows = 0.0

    def is_due(self, seconds: float, rows: int, total: int | None) -> bool:
        """Return True if a line is due after *seconds* with *rows* done. The next line is due later.

        :param total: the number of all rows, or None if it is not known.
        """
        if seconds < self._next_seconds or rows < self._next_rows:
            return False
        first = [at for at in _FIRST_LINES if at > seconds]
        self._next_seconds = first[0] if first else seconds + _INTERVAL
        self._next_rows = 0 if first else rows + (total or 0) / _SHARE
        return True
