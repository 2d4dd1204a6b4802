"""File formats of exports: JSON lines and Parquet.

DAG files import this module to check paths, so it loads no model of pydantic at the top.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.common.atomic import atomic_open
from airflow_provider_retell.common.paths import file_name, safe_path

if TYPE_CHECKING:
    from airflow_provider_retell.api.calls.models import Call

_NUMBERS = ("start_timestamp", "end_timestamp", "duration_ms")


class Writer(Protocol):
    """Writes calls to a file."""

    def write(self, calls: Sequence[Call]) -> None:
        """Append *calls*."""
        ...

    def close(self) -> None:
        """Write the end of the file."""
        ...


def check_suffix(path: str) -> None:
    """Raise :class:`RetellInputError` if calls cannot be exported to a file of this name."""
    if _suffix(path) not in ("jsonl", "ndjson", "parquet"):
        raise RetellInputError(f"path must end in .jsonl, .ndjson or .parquet, not {safe_path(path)!r}")


def _suffix(path: str) -> str:
    return file_name(path).rpartition(".")[2]


@contextmanager
def open_writer(path: str, fields: Sequence[str] | None, conn_id: str | None = None) -> Iterator[Writer]:
    """Open *path* for calls. The file appears when the block ends without an error.

    :param fields: the fields to keep. Default: all.
    :raises RetellInputError: if the suffix is not ``.jsonl``, ``.ndjson`` or ``.parquet``.
    """
    check_suffix(path)
    with atomic_open(path, conn_id) as file:
        writer: Writer = (Parquet if _suffix(path) == "parquet" else JsonLines)(file, fields)
        try:
            yield writer
        except BaseException:
            # The file is discarded, so an error while closing it does not matter.
            with suppress(Exception):
                writer.close()
            raise
        writer.close()


def record(call: Call, fields: Sequence[str] | None) -> dict[str, Any]:
    """Return *call* as a dict without empty fields and without its access token.

    A call that does not match the documentation is written as Retell sent it.
    """
    # Such a call has values of other types than its model, which pydantic would warn about.
    whole = call.model_dump(mode="json", exclude_none=True, warnings=False)
    return whole if fields is None else {name: whole[name] for name in ("call_id", *fields) if name in whole}


class JsonLines:
    """One JSON object per line."""

    def __init__(self, file: BinaryIO, fields: Sequence[str] | None) -> None:
        self._file = file
        self._fields = fields

    def write(self, calls: Sequence[Call]) -> None:
        """Append *calls*."""
        lines = (json.dumps(record(call, self._fields), ensure_ascii=False) for call in calls)
        self._file.write("".join(f"{line}\n" for line in lines).encode())

    def close(self) -> None:
        """Do nothing: the format has no footer."""


class Parquet:
    """One column per field, with objects and lists as JSON text. Timestamps that are not numbers are empty.

    Without ``fields``, the columns are the fields of :class:`~airflow_provider_retell.api.calls.models.Call`, and the
    column ``other`` has all other fields as JSON. The schema therefore does not depend on the exported calls.

    Needs pyarrow.
    """

    def __init__(self, file: BinaryIO, fields: Sequence[str] | None) -> None:
        import pyarrow
        from pyarrow.parquet import ParquetWriter

        from airflow_provider_retell.api.calls.models import Call

        own = [name for name in Call.model_fields if name not in ("access_token", "call_id")]
        self._fields = fields
        self._columns = list(dict.fromkeys(["call_id", *([*own, "other"] if fields is None else fields)]))
        self._schema = pyarrow.schema(
            [(name, pyarrow.float64() if name in _NUMBERS else pyarrow.string()) for name in self._columns]
        )
        self._table = pyarrow.Table
        self._writer = ParquetWriter(file, self._schema)

    def write(self, calls: Sequence[Call]) -> None:
        """Append *calls*."""
        rows = [self._row(record(call, self._fields)) for call in calls]
        self._writer.write_table(self._table.from_pylist(rows, schema=self._schema))

    def _row(self, whole: dict[str, Any]) -> dict[str, Any]:
        if self._fields is None:
            other = {name: value for name, value in whole.items() if name not in self._columns}
            whole = whole | {"other": other or None}
        return {name: self._cell(name, whole.get(name)) for name in self._columns}

    def _cell(self, name: str, value: Any) -> Any:
        if name in _NUMBERS:
            return value if isinstance(value, (int, float)) else None
        if value is None or isinstance(value, str):
            return value
        return json.dumps(value, ensure_ascii=False)

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()
