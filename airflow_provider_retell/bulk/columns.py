"""Read the id of a record and the wanted change from the columns of a row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from airflow_provider_retell.api.choices import DataStorageSetting
from airflow_provider_retell.api.encode import to_json
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.records.changes import Change
from airflow_provider_retell.api.request import check_id
from airflow_provider_retell.bulk.column_names import check_names, hint, listed_names, shown_names
from airflow_provider_retell.bulk.resource import InvalidRowError
from airflow_provider_retell.bulk.row_options import DEFAULTS, RowOptions, without_nulls
from airflow_provider_retell.bulk.rows import BadRow, Row
from airflow_provider_retell.params.rendered import as_storage_setting


@dataclass(frozen=True)
class Columns:
    """The meaning of columns.

    :ivar record_id: the column with the record's id.
    :ivar metadata: the metadata key of each column. None takes all columns without another meaning, under their names.
    :ivar custom_attributes: the attribute id of each column.
    :ivar storage: the storage setting for all rows.
    :ivar storage_column: the column with the row's storage setting. An empty value does not change the setting.
    :ivar options: how to convert the values.
    """

    record_id: str = "call_id"
    metadata: Mapping[str, str] | None = None
    custom_attributes: Mapping[str, str] | None = None
    storage: DataStorageSetting | None = None
    storage_column: str | None = None
    options: RowOptions = DEFAULTS


class NamedColumns:
    """Checks that the rows have the columns that the task names.

    :param key: the column with the key of a row.
    :param others: the other columns that the task names.
    :param fixed: True if all rows of the source have the same columns.
    """

    def __init__(self, key: str, others: Iterable[str], fixed: bool = False) -> None:
        self._key = key
        self._missing = list(dict.fromkeys(others))
        self._named = [key, *self._missing]
        self._is_first = True
        self._fixed = fixed

    @property
    def names(self) -> list[str]:
        """The columns that the task names."""
        return self._named

    @property
    def missing(self) -> list[str]:
        """The named columns that no row had so far; empty until a row could be read."""
        return [] if self._is_first else self._missing

    def key_of(self, row: Row) -> Any:
        """Return the value of *row* in the key's column.

        :raises InvalidRowError: if the row could not be read, or has no key.
        :raises RetellInputError: if the source has fixed columns, and one that the task names is not among them.
        """
        if isinstance(row, BadRow):
            raise InvalidRowError(row.reason)
        if self._is_first or self._missing:
            self._look_for_columns(row)
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
        :raises RetellInputError: as :meth:`key_of`.
        """
        value = self.key_of(row)
        try:
            return check_id(str(value) if type(value) is int else value, self._key)
        except RetellInputError as error:
            raise InvalidRowError(error.fault) from None

    def check_header(self, names: Collection[str]) -> None:
        """Raise :class:`RetellInputError` if a column that the task names is not among *names*."""
        missing = [name for name in self._named if name not in names]
        if missing:
            raise RetellInputError(
                f"the rows have no column {', '.join(missing)}; they have: {', '.join(shown_names(names))}"
                + hint(missing, names)
            )

    def _look_for_columns(self, row: Row) -> None:
        if self._is_first and self._fixed:
            self.check_header(row)
        self._is_first = False
        self._missing = [name for name in self._missing if name not in row]


class RowReader:
    """Reads rows, and remembers which named columns no row had.

    :param change: the class of the changes.
    :param fixed_columns: True if all rows of the source have the same columns.
    :ivar named_columns: the columns that the task names.
    """

    def __init__(self, columns: Columns, change: type[Change], fixed_columns: bool = False) -> None:
        self._change_class = change
        self._columns = columns
        self._attributes = columns.custom_attributes or {}
        storage = [] if columns.storage_column is None else [columns.storage_column]
        self.named_columns = NamedColumns(
            columns.record_id,
            [*(columns.metadata or ()), *self._attributes, *sorted(columns.options.json_columns), *storage],
            fixed_columns,
        )
        self._reserved = {columns.record_id, columns.storage_column, *self._attributes}

    def read(self, row: Row) -> tuple[str, Change]:
        """Return the record's id and the change that *row* asks for.

        :raises InvalidRowError: if the row cannot be sent.
        :raises RetellInputError: if the source has fixed columns, and one that the task names is not among them.
        """
        record_id = self.named_columns.id_of(row)
        try:
            return record_id, self._change(row)
        except RetellInputError as error:
            raise InvalidRowError(error.fault, record_id) from None

    def _change(self, row: Row) -> Change:
        column, options = self._columns.storage_column, self._columns.options
        metadata = options.values(row, self._metadata_columns(row))
        attributes = options.values(row, self._attributes) if self._attributes else {}
        removed: frozenset[str] = frozenset()
        if options.nulls == "remove":
            metadata, removed = without_nulls(metadata)
        elif options.nulls == "skip":
            metadata, attributes = without_nulls(metadata)[0], without_nulls(attributes)[0]
        return self._change_class(
            metadata=_encode(metadata, "metadata") or None,
            data_storage_setting=as_storage_setting(row.get(column), column)
            if column
            else self._columns.storage,
            custom_attributes=_encode(attributes, "custom_attributes") or None,
            remove=removed,
        )

    def _metadata_columns(self, row: Row) -> Mapping[str, str]:
        if self._columns.metadata is not None:
            return self._columns.metadata
        kind = self._change_class.kind
        if f"{kind}_status" in row and "agent_id" in row:
            raise RetellInputError(
                f"the row is a whole {kind}, as List{kind.title()}sOperator exports it. Name the columns that are "
                "metadata in metadata_columns ([] for none)"
            )
        if not all(isinstance(name, str) for name in row):
            raise RetellInputError("the row has a column whose name is not text")
        check_names(name for name in row if name not in self._reserved)
        return {name: name for name in row if name not in self._reserved}


def _encode(values: dict[str, Any], where: str) -> dict[str, Any]:
    # Not value by value: the names come from the source, and JSON cannot have every text as a key.
    return cast("dict[str, Any]", to_json(values, where))
