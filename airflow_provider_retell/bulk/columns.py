"""What each row asks for: columns to a change on a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_retell.api.change import Change
from airflow_provider_retell.api.encode import to_json
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
    storage: str | None = None
    storage_column: str | None = None

    def check(self, row: Row) -> None:
        """Raise :class:`RetellInputError` if *row*, of a source with fixed columns, lacks one that is named."""
        named = [self.call_id, *(self.metadata or ()), *(self.custom_attributes or ()), self.storage_column]
        missing = [name for name in named if name is not None and name not in row]
        if missing:
            raise RetellInputError(f"the rows have no column {', '.join(missing)}; they have: {', '.join(row)}")

    def change(self, row: Row) -> tuple[str, Change]:
        """Return the call's id and what *row* asks for; raise :class:`RetellInputError` if it cannot be asked."""
        if isinstance(row, BadRow):
            raise RetellInputError(row.reason)
        if self.call_id not in row:
            raise RetellInputError(f"the row has no {self.call_id!r}")
        call_id = row[self.call_id]
        call_id = check_id(str(call_id) if type(call_id) is int else call_id, self.call_id)
        attributes = _named(row, self.custom_attributes or {}, "custom_attributes") or None
        metadata = _named(row, self._metadata_columns(row), "metadata")
        setting: Any = row.get(self.storage_column) if self.storage_column else self.storage
        change = Change(
            metadata=metadata if metadata or self.metadata is None else None,
            data_storage_setting=setting or None,
            custom_attributes=attributes,
        )
        return call_id, change

    def _metadata_columns(self, row: Row) -> Mapping[str, str]:
        if self.metadata is not None:
            return self.metadata
        taken = {self.call_id, self.storage_column, *(self.custom_attributes or ())}
        return {name: name for name in row if name not in taken}


def renamed(columns: Mapping[str, str] | Sequence[str] | None) -> Mapping[str, str] | None:
    """Return *columns* as new name by column; a list keeps the names."""
    if columns is None or isinstance(columns, Mapping):
        return columns
    if isinstance(columns, str):
        raise RetellInputError("columns must be a list or a mapping, not text")
    return {name: name for name in columns}


def _named(row: Row, names: Mapping[str, str], where: str) -> dict[str, Any]:
    return {name: to_json(row[column], f"{where}.{name}") for column, name in names.items() if column in row}
