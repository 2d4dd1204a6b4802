"""File formats of exports: JSON lines and Parquet.

DAG files import this module to check paths, so it loads no model of pydantic at the top.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.records.costs import is_number
from airflow_provider_retell.common.atomic import atomic_open
from airflow_provider_retell.common.paths import check_no_secrets, file_name, safe_path

if TYPE_CHECKING:
    from airflow_provider_retell.api.records.kind import Kind
    from airflow_provider_retell.api.records.models import RecordSummary

_NUMBERS = ("start_timestamp", "end_timestamp", "duration_ms")


def check_suffix(path: str) -> None:
    """Raise :class:`RetellInputError` if records cannot be exported to a file of this name."""
    check_no_secrets("path", path)
    if _suffix(path) not in ("jsonl", "ndjson", "parquet"):
        raise RetellInputError(f"path must end in .jsonl, .ndjson or .parquet, not {safe_path(path)!r}")


def _suffix(path: str) -> str:
    return file_name(path).rpartition(".")[2]


@contextmanager
def open_writer(
    path: str, kind: Kind[Any], fields: Sequence[str] | None, conn_id: str | None
) -> Iterator[JsonLines | Parquet]:
    """Open *path* for calls or chats. The file appears when the block ends without an error.

    :param fields: the fields to keep, or None for all.
    :param conn_id: the Airflow connection of the storage, or None for the storage's default connection.
    :raises RetellInputError: if the suffix is not ``.jsonl``, ``.ndjson`` or ``.parquet``.
    """
    check_suffix(path)
    with atomic_open(path, conn_id) as file:
        writer = (Parquet if _suffix(path) == "parquet" else JsonLines)(file, kind, fields)
        try:
            yield writer
        except BaseException:
            # The file is discarded, so an error while closing it does not matter.
            with suppress(Exception):
                writer.close()
            raise
        writer.close()


def as_dict(record: RecordSummary, fields: Sequence[str] | None) -> dict[str, Any]:
    """Return *record* as a dict without empty fields and without an access token.

    A record that does not match the documentation is written as Retell sent it.
    """
    # Such a record has values of other types than its model, which pydantic would warn about.
    whole = record.model_dump(mode="json", exclude_none=True, warnings=False)
    if fields is None:
        return whole
    return {name: whole[name] for name in (f"{record.kind}_id", *fields) if name in whole}


class JsonLines:
    """One JSON object per line."""

    def __init__(self, file: BinaryIO, _kind: Kind[Any], fields: Sequence[str] | None) -> None:
        self._file = file
        self._fields = fields

    def write(self, records: Sequence[RecordSummary]) -> None:
        """Append *records*."""
        lines = (json.dumps(as_dict(record, self._fields), ensure_ascii=False) for record in records)
        self._file.write("".join(f"{line}\n" for line in lines).encode())

    def close(self) -> None:
        """Do nothing: the format has no footer."""


class Parquet:
    """One column per field, with objects and lists as JSON text. Timestamps that are not numbers are empty.

    Without ``fields``, the columns are the fields of :class:`~airflow_provider_retell.api.calls.models.Call` or
    :class:`~airflow_provider_retell.api.chats.models.Chat`, and the column ``other`` has all other fields as JSON. The
    schema therefore does not depend on the exported records.

    Needs pyarrow.
    """

    def __init__(self, file: BinaryIO, kind: Kind[Any], fields: Sequence[str] | None) -> None:
        import pyarrow
        from pyarrow.parquet import ParquetWriter

        id_field = f"{kind.name}_id"
        own = [name for name in kind.record.model_fields if name not in ("access_token", id_field)]
        self._fields = fields
        self._columns = list(dict.fromkeys([id_field, *([*own, "other"] if fields is None else fields)]))
        self._schema = pyarrow.schema(
            [(name, pyarrow.float64() if name in _NUMBERS else pyarrow.string()) for name in self._columns]
        )
        self._table = pyarrow.Table
        self._writer = ParquetWriter(file, self._schema)

    def write(self, records: Sequence[RecordSummary]) -> None:
        """Append *records*."""
        rows = [self._row(as_dict(record, self._fields)) for record in records]
        self._writer.write_table(self._table.from_pylist(rows, schema=self._schema))

    def _row(self, whole: dict[str, Any]) -> dict[str, Any]:
        if self._fields is None:
            other = {name: value for name, value in whole.items() if name not in self._columns}
            whole = whole | {"other": other or None}
        return {name: self._cell(name, whole.get(name)) for name in self._columns}

    def _cell(self, name: str, value: Any) -> Any:
        if name in _NUMBERS:
            return float(value) if is_number(value) else None
        if value is None or isinstance(value, str):
            return value
        return json.dumps(value, ensure_ascii=False)

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()
