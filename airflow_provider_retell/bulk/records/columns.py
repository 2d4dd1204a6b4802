"""Read the id of a record and the wanted change from the columns of a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from airflow_provider_retell.api.choices import DataStorageSetting
from airflow_provider_retell.api.encode import to_json
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.records.changes import Change
from airflow_provider_retell.bulk.column_names import check_names
from airflow_provider_retell.bulk.errors import InvalidRowError
from airflow_provider_retell.bulk.named_columns import NamedColumns
from airflow_provider_retell.bulk.records.row_options import DEFAULTS, RowOptions, without_nulls
from airflow_provider_retell.bulk.rows import Row
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


class RowReader:
    """Reads rows, and remembers which named columns no row had.

    :param change: the class of the changes.
    :ivar named_columns: the columns that the task names.
    """

    def __init__(self, columns: Columns, change: type[Change]) -> None:
        self._change_class = change
        self._columns = columns
        self._attributes = columns.custom_attributes or {}
        storage = [] if columns.storage_column is None else [columns.storage_column]
        self.named_columns = NamedColumns(
            columns.record_id,
            [*(columns.metadata or ()), *self._attributes, *sorted(columns.options.json_columns), *storage],
        )
        self._reserved = {columns.record_id, columns.storage_column, *self._attributes}

    def read(self, row: Row) -> tuple[str, Change]:
        """Return the record's id and the change that *row* asks for.

        :raises InvalidRowError: if the row cannot be sent.
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
        if options.nulls != "write":
            metadata, nulls = without_nulls(metadata)
            attributes, _ = without_nulls(attributes)
            removed = nulls if options.nulls == "remove" else removed
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
