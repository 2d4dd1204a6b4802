"""The rows of an earlier run, according to its report."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, get_args

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.bulk.digest_map import DigestMap
from airflow_provider_retell.bulk.outcome import Outcome, is_duplicate, line_id
from airflow_provider_retell.bulk.rows import Row

_OTHER, _WANTED, _TAKEN = 1, 2, 3
_KNOWN = frozenset(get_args(Outcome))
# Reports of contacts have no key that finds a row.
_RECORD_IDS = frozenset({"call_id", "chat_id"})


class EarlierRows:
    """Selects the rows of a source that a run takes again.

    The memory holds about 13 to 27 bytes for each line of the report.

    :param lines: the lines of the report. Of several lines of a row, the last one counts.
    :param wanted: the outcomes of the rows to take.
    :param column: the column that identifies a row.
    :ivar is_empty: True if there are no lines.
    :ivar is_report: True if a line has the number, the record's id and the outcome of a row.
    """

    def __init__(self, lines: Iterable[Row], wanted: Collection[str], column: str) -> None:
        self._column = column
        self._calls = DigestMap()
        self._duplicates = DigestMap()
        # By row number, for rows that had no call id.
        self._numbers = DigestMap()
        self._wanted_numbers = 0
        self._without_id = 0
        self._left_out: list[int] = []
        self.is_empty, self.is_report = True, False
        for line in lines:
            self.is_empty = False
            outcome, call_id = line.get("outcome"), line_id(line)
            if not isinstance(outcome, str) or outcome not in _KNOWN:
                continue
            if type(line.get("row")) is int and not _RECORD_IDS.isdisjoint(line):
                self.is_report = True
            state = _WANTED if outcome in wanted else _OTHER
            if not isinstance(call_id, str):
                self._add_number(line.get("row"), state)
            elif is_duplicate(line):
                self._duplicates[call_id] = state
            else:
                self._calls[call_id] = state

    def _add_number(self, number: Any, state: int) -> None:
        if type(number) is int and number > 0:
            key = str(number)
            self._wanted_numbers += (state == _WANTED) - (self._numbers[key] == _WANTED)
            self._numbers[key] = state

    def take(self, number: int, row: Row) -> bool:
        """Return True if the run takes *row* of the source; *number* is its number, from 1."""
        earlier = self._numbers[str(number)]
        call_id = self._call_id(row)
        if call_id is None:
            self._without_id += 1
            return earlier != _OTHER
        takes = self._takes_call(call_id)
        if not takes and earlier == _WANTED:
            self._left_out.append(number)
        return takes

    @property
    def left_out(self) -> list[int]:
        """The numbers of rows that :meth:`take` refused, but that had no call id in the earlier run and failed.

        None of them if the source still has as many rows without a call id: it may have another order.
        """
        return self._left_out if self._without_id < self._wanted_numbers else []

    def _takes_call(self, call_id: str) -> bool:
        state, duplicate = self._calls[call_id], self._duplicates[call_id]
        if not state and not duplicate:
            return True
        self._calls[call_id] = _TAKEN
        if duplicate == _WANTED:
            # Which of the call's rows is the right one is unknown, and it may be the only one that is left.
            return True
        if duplicate == _OTHER:
            return state == _WANTED
        # After the one row that was done, further rows of a call are new.
        return state != _OTHER

    def is_done(self, call_id: object) -> bool:
        """Return True if no row of the call is taken again."""
        return (
            isinstance(call_id, str)
            and self._calls[call_id] == _OTHER
            and self._duplicates[call_id] != _WANTED
        )

    def pop_missing(self, line: Row) -> bool:
        """Return True once for each call with a wanted line that :meth:`take` has not met."""
        call_id = line_id(line)
        if not isinstance(call_id, str) or self._calls[call_id] != _WANTED:
            return False
        self._calls[call_id] = _TAKEN
        return True

    def _call_id(self, row: Row) -> str | None:
        from airflow_provider_retell.api.request import check_id

        value = row.get(self._column)
        try:
            return check_id(str(value) if type(value) is int else value)
        except RetellInputError:
            return None
