"""What each row asks for: columns to a change on a call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_retell.api.calls.changes import Change
from airflow_provider_retell.api.choices import STORAGE_ORDER, DataStorageSetting
from airflow_provider_retell.api.encode import safe_name, to_json
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.request import check_id
from airflow_provider_retell.bulk.rows import BadRow, Row


@dataclass(frozen=True)
class Columns:
    """Which column means what.

    :ivar call_id: the column with the call's id.
    :ivar metadata: metadata key by column; None takes every column that has no other meaning, by its own name.
    :ivar custom_attributes: attribute id by column.
    :ivar storage: the storage setting for all rows.
    :ivar storage_column: the column with the row's storage setting; empty means no change.
    """

    call_id: str = "call_id"
    metadata: Mapping[str, str] | None = None
    custom_attributes: Mapping[str, str] | None = None
    storage: DataStorageSetting | None = None
    storage_column: str | None = None

    @property
    def named(self) -> list[str]:
        """The columns that are named, but for the call's id."""
        storage = [] if self.storage_column is None else [self.storage_column]
        return [*(self.metadata or ()), *(self.custom_attributes or ()), *storage]

    def check(self, row: Row) -> None:
        """Raise :class:`RetellInputError` if *row*, of a source with fixed columns, lacks one that is named."""
        missing = [name for name in (self.call_id, *self.named) if name not in row]
        if missing:
            raise RetellInputError(
                f"the rows have no column {', '.join(missing)}; they have: {', '.join(column_names(row))}"
            )

    def id_in(self, row: Row) -> str:
        """Return the call's id; raise :class:`RetellInputError` if there is none."""
        if isinstance(row, BadRow):
            raise RetellInputError(row.reason)
        if self.call_id not in row:
            raise RetellInputError(f"the row has no {self.call_id!r}")
        call_id = row[self.call_id]
        if call_id is None:
            raise RetellInputError(f"{self.call_id} is null")
        return check_id(str(call_id) if type(call_id) is int else call_id, self.call_id)

    def change(self, row: Row) -> Change:
        """Return what *row* asks for; raise :class:`RetellInputError` if it cannot be asked."""
        column = self.storage_column
        return Change(
            metadata=_named(row, self._metadata_columns(row), "metadata") or None,
            data_storage_setting=storage_setting(row.get(column), column) if column else self.storage,
            custom_attributes=_named(row, self.custom_attributes or {}, "custom_attributes") or None,
        )

    def _metadata_columns(self, row: Row) -> Mapping[str, str]:
        if self.metadata is not None:
            return self.metadata
        if "call_status" in row and "agent_id" in row:
            raise RetellInputError(
                "the row is a whole call, such as ListCallsOperator writes: name the columns that are metadata in "
                "metadata_columns ([] for none)"
            )
        taken = {self.call_id, self.storage_column, *(self.custom_attributes or ())}
        return {name: name for name in row if name not in taken}


class Unseen:
    """Which of the named columns no row has had so far: of rows that are not all alike, any one may lack some.

    :ivar columns: their names; empty until a row could be read.
    """

    def __init__(self, columns: Columns) -> None:
        self._left = dict.fromkeys(columns.named)
        self._any = False

    def look(self, rows: Iterable[Row]) -> None:
        """Take the columns of *rows* off."""
        for row in rows:
            if not self._left:
                return
            if not isinstance(row, BadRow):
                self._any = True
                self._left = {name: None for name in self._left if name not in row}

    @property
    def columns(self) -> list[str]:  # noqa: D102 - in the docstring of the class
        return list(self._left) if self._any else []


def column_names(names: Iterable[Any]) -> list[str]:
    """Return *names* for a message: without a header, a file's first row stands in their place."""
    return [safe_name(str(name), f"column {number}") for number, name in enumerate(names, start=1)]


def check_distinct(names: Sequence[Any]) -> None:
    """Raise :class:`RetellInputError` if a name is there twice, since a row would keep one of the values only."""
    for number, name in enumerate(names):
        if name in names[:number]:
            twice = safe_name(str(name), f"columns {names.index(name) + 1} and {number + 1}")
            raise RetellInputError(f"the rows have two columns of the same name: {twice}")


def renamed(columns: Mapping[str, str] | Sequence[str] | None) -> Mapping[str, str] | None:
    """Return *columns* as new name by column; a list keeps the names."""
    if isinstance(columns, Mapping) and len(set(columns.values())) < len(columns):
        raise RetellInputError("two columns have the same new name")
    if columns is None or isinstance(columns, Mapping):
        return columns
    if isinstance(columns, str):
        raise RetellInputError("columns must be a list or a mapping, not text")
    return {name: name for name in columns}


def storage_setting(value: Any, where: str) -> DataStorageSetting | None:
    """Return *value* as a storage setting; nothing, or what a template makes of nothing, changes nothing."""
    if value is None or value in ("", "None"):
        return None
    for setting in STORAGE_ORDER:
        if value == setting:
            return setting
    raise RetellInputError(f"{where} is none of {', '.join(STORAGE_ORDER)}")


def _named(row: Row, names: Mapping[str, str], where: str) -> dict[str, Any]:
    if not all(isinstance(name, str) for name in names):
        raise RetellInputError("the row has a column whose name is not text")
    return {name: to_json(row[column], f"{where}.{name}") for column, name in names.items() if column in row}
