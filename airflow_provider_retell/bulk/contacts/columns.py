"""Read a phone number and the wanted fields of its contact from the columns of a row."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_retell.api.contacts.changes import CUSTOM, DO_NOT_CALL, NAMES, TAG
from airflow_provider_retell.api.encode import JsonValue, to_json
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.phone_numbers.e164 import check_e164
from airflow_provider_retell.bulk.column_names import shown_names
from airflow_provider_retell.bulk.errors import InvalidRowError
from airflow_provider_retell.bulk.failed_rows import FailedRows
from airflow_provider_retell.bulk.named_columns import NamedColumns
from airflow_provider_retell.bulk.rows import Row, Rows

log = logging.getLogger(__name__)

# The spellings of booleans in exports of databases.
_BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "1.0"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "0.0"), False),
}


class InvalidContactError(InvalidRowError):
    """A row with a valid phone number cannot be sent.

    :ivar opts_out: True if the row sets the do-not-call mark, or its value for the mark is unreadable.
    """

    def __init__(self, fault: str, number: str, *, opts_out: bool) -> None:
        super().__init__(fault, number)
        self.opts_out = opts_out


@dataclass(frozen=True)
class ContactColumns:
    """The meaning of columns.

    :ivar phone_number: the column with the phone number.
    :ivar fields: for each column, ``first_name``, ``last_name`` or the name of a custom field.
    :ivar do_not_call: the column with the do-not-call mark.
    :ivar tags: the id of the tag that each boolean column sets or removes.
    :ivar clears_nulls: True if a null clears a custom field. Other nulls never change anything.
    """

    phone_number: str = "phone_number"
    fields: Mapping[str, str] = field(default_factory=dict)
    do_not_call: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    clears_nulls: bool = False


class ContactReader:
    """Reads rows, and remembers which named columns no row had.

    :ivar named_columns: the columns that the task names.
    """

    def __init__(self, columns: ContactColumns) -> None:
        self._columns = columns
        flag = [] if columns.do_not_call is None else [columns.do_not_call]
        self.named_columns = NamedColumns(columns.phone_number, [*columns.fields, *flag, *columns.tags])
        self._is_first = True

    def read(self, row: Row) -> tuple[str, dict[str, JsonValue]]:
        """Return the phone number and the wanted fields, by flat name.

        :raises InvalidContactError: if the row cannot be sent. The message has no number and no value.
        :raises InvalidRowError: if its phone number is invalid.
        """
        number = self.named_columns.key_of(row)
        if self._is_first:
            self._is_first = False
            self._log_unused(row)
        try:
            check_e164(number, self._columns.phone_number)
        except RetellInputError as error:
            raise InvalidRowError(error.fault) from None
        opts_out = True
        try:
            # First, because the row may opt the contact out although another value is invalid.
            mark = self._mark(row)
            opts_out = mark is True
            wanted = self._wanted(row)
        except RetellInputError as error:
            raise InvalidContactError(error.fault, number, opts_out=opts_out) from None
        if mark is not None:
            wanted[DO_NOT_CALL] = mark
        return number, wanted

    def _mark(self, row: Row) -> bool | None:
        column = self._columns.do_not_call
        return None if column is None else as_flag(row.get(column), column)

    def _log_unused(self, row: Row) -> None:
        """Log the columns that the task ignores: a forgotten parameter would otherwise look like a success."""
        shown = dict(zip(row, shown_names(row), strict=True))
        if unused := [name for column, name in shown.items() if column not in self.named_columns.names]:
            log.info("The task uses no column %s", ", ".join(unused))

    def _wanted(self, row: Row) -> dict[str, JsonValue]:
        wanted: dict[str, JsonValue] = {}
        for column, name in self._columns.fields.items():
            if column not in row:
                continue
            if name in NAMES:
                if text := _text(row[column], column):
                    wanted[name] = text
            elif not _is_null(row[column]):
                wanted[CUSTOM + name] = to_json(row[column], column)
            elif self._columns.clears_nulls:
                wanted[CUSTOM + name] = None
        for column, tag in self._columns.tags.items():
            if (flag := as_flag(row.get(column), column)) is not None:
                wanted[TAG + tag] = flag
        return wanted


def _is_null(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _text(value: Any, column: str) -> str:
    if _is_null(value):
        return ""
    if not isinstance(value, str):
        raise RetellInputError(f"{column} must be text, not {type(value).__name__}")
    return str(to_json(value, column)).strip()


def as_flag(value: Any, column: str) -> bool | None:
    """Return a boolean, or None for a null and for blank text.

    :raises RetellInputError: if it is anything else, so that an unexpected value never means False.
    """
    if _is_null(value) or (isinstance(value, str) and not value.strip()):
        return None
    flag = _BOOLEANS.get(str(value).strip().lower())
    if flag is None:
        raise RetellInputError(f"{column} must be true, false, yes, no, 1, 0 or null")
    return flag


def check_source(rows: Rows | None) -> None:
    """Raise :class:`RetellInputError` for ``FailedRows``: reports of contacts have no key that finds a row."""
    if isinstance(rows, FailedRows):
        raise RetellInputError(
            "rows must not be FailedRows, because reports of contacts have no phone numbers. Run the task again with "
            "all rows: it sends only the remaining changes"
        )
