"""The forms of a file of calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, BinaryIO, Protocol

from airflow_provider_retell.api.calls.models import Call
from airflow_provider_retell.api.errors import RetellInputError

_NUMBERS = ("start_timestamp", "end_timestamp", "duration_ms")


class Writer(Protocol):
    """Writes calls to a file."""

    def write(self, calls: Sequence[Call]) -> None:
        """Add *calls*."""
        ...

    def close(self) -> None:
        """Write what belongs at the end."""
        ...


def writer(path: str, file: BinaryIO, fields: Sequence[str] | None) -> Writer:
    """Return the writer for the ending of *path*: ``.jsonl``, ``.ndjson`` or ``.parquet``."""
    kind = path.rpartition(".")[2].lower()
    if kind in ("jsonl", "ndjson"):
        return JsonLines(file, fields)
    if kind == "parquet":
        return Parquet(file, fields)
    raise RetellInputError(f"the path {path} must end in .jsonl, .ndjson or .parquet")


def record(call: Call, fields: Sequence[str] | None) -> dict[str, Any]:
    """Return *call* as a dict without empty fields, never with its access token.

    A call that is not as documented has other types than its model; it is written as it came.
    """
    whole = call.model_dump(mode="json", exclude_none=True, warnings=False)
    return whole if fields is None else {name: whole[name] for name in ("call_id", *fields) if name in whole}


class JsonLines:
    """A JSON object per line."""

    def __init__(self, file: BinaryIO, fields: Sequence[str] | None) -> None:
        self._file = file
        self._fields = fields

    def write(self, calls: Sequence[Call]) -> None:
        """Add *calls*."""
        lines = (json.dumps(record(call, self._fields), ensure_ascii=False) for call in calls)
        self._file.write("".join(f"{line}\n" for line in lines).encode())

    def close(self) -> None:
        """Nothing belongs at the end."""


class Parquet:
    """A column per field; objects and lists as JSON text, times that are no numbers empty. Needs pyarrow.

    Without ``fields``, the columns are those of :class:`airflow_provider_retell.api.calls.models.Call`, and what else a
    call has stands in ``other`` as JSON: a schema that depends on the calls would differ from file to file.
    """

    def __init__(self, file: BinaryIO, fields: Sequence[str] | None) -> None:
        import pyarrow
        from pyarrow.parquet import ParquetWriter

        own = [name for name in Call.model_fields if name not in ("access_token", "call_id")]
        self._fields = fields
        self._columns = list(dict.fromkeys(["call_id", *([*own, "other"] if fields is None else fields)]))
        self._schema = pyarrow.schema(
            [(name, pyarrow.float64() if name in _NUMBERS else pyarrow.string()) for name in self._columns]
        )
        self._table = pyarrow.Table
        self._writer = ParquetWriter(file, self._schema)

    def write(self, calls: Sequence[Call]) -> None:
        """Add *calls*."""
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
        """Write the file's footer."""
        self._writer.close()
