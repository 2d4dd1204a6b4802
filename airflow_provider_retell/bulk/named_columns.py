"""The columns that a task names, checked against the rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.request import check_id
from airflow_provider_retell.bulk.column_names import hint, listed_names, shown_names
from airflow_provider_retell.bulk.errors import InvalidRowError
from airflow_provider_retell.bulk.rows import BadRow, Row


class NamedColumns:
    """Checks that the rows have the columns that the task names.

    :param key: the column with the key of a row.
    :param others: the other columns that the task names.
    :ivar names: the columns that the task names.
    """

    def __init__(self, key: str, others: Iterable[str]) -> None:
        self._key = key
        self._missing = list(dict.fromkeys(others))
        self.names = [key, *self._missing]
        self._is_first = True

    @property
    def missing(self) -> list[str]:
        """The named columns that no row had so far; empty until a row could be read."""
        return [] if self._is_first else self._missing

    def key_of(self, row: Row) -> Any:
        """Return the value of *row* in the key's column.

        :raises InvalidRowError: if the row could not be read, or has no key.
        """
        if isinstance(row, BadRow):
            raise InvalidRowError(row.reason)
        self._is_first = False
        if self._missing:
            self._missing = [name for name in self._missing if name not in row]
        if self._key not in row:
            raise InvalidRowError(
                f"the row has no {self._key!r}; it has: {listed_names(row)}{hint([self._key], row)}"
            )
        if row[self._key] is None:
            raise InvalidRowError(f"{self._key} is null")
        return row[self._key]

    def id_of(self, row: Row) -> str:
        """Return the id in the key's column.

        :raises InvalidRowError: if the row could not be read, or has no valid id.
        """
        value = self.key_of(row)
        try:
            return check_id(str(value) if type(value) is int else value, self._key)
        except RetellInputError as error:
            raise InvalidRowError(error.fault) from None

    def check_header(self, names: Collection[str]) -> None:
        """Raise :class:`RetellInputError` if a column that the task names is not among *names*."""
        missing = [name for name in self.names if name not in names]
        if missing:
            raise RetellInputError(
                f"the rows have no column {', '.join(missing)}; they have: {', '.join(shown_names(names))}"
                + hint(missing, names)
            )
