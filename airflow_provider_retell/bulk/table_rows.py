"""Rows of tables in memory: DataFrames of pandas and polars, and tables of Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow_provider_retell.bulk.column_names import check_distinct
from airflow_provider_retell.bulk.rows import BATCH, Header, Row, Rows

# A library that has made a table is already imported, so its name is enough to recognize it.
_KINDS = {
    ("pandas", "DataFrame"),
    ("polars", "DataFrame"),
    ("polars", "LazyFrame"),
    ("pyarrow", "Table"),
    ("pyarrow", "RecordBatch"),
}


def is_table(value: Any) -> bool:
    """Return True for a DataFrame of pandas or polars, and for a table or a batch of Arrow."""
    return any((kind.__module__.partition(".")[0], kind.__name__) in _KINDS for kind in type(value).__mro__)


class TableRows(Rows):
    """The rows of a table. Missing values of pandas, also NaN, are nulls.

    :param table: a table for which :func:`is_table` is true.
    """

    def __init__(self, table: Any) -> None:
        self._table = table

    def __str__(self) -> str:
        return f"rows of a {type(self._table).__name__}"

    def serialize(self) -> dict[str, Any]:
        """Return the table in a dict, for XCom backends that can store it."""
        return {"table": self._table}

    def size(self) -> int | None:
        """Return the number of rows. A LazyFrame does not know it."""
        return len(self._table) if hasattr(self._table, "__len__") else None

    def read(self) -> Iterator[Row]:
        """Yield the rows as dicts."""
        library = next(
            name
            for kind in type(self._table).__mro__
            if (name := kind.__module__.partition(".")[0]) in _READERS
        )
        return _READERS[library](self._table)


def _pandas(frame: Any) -> Iterator[Row]:
    names = list(frame.columns)
    check_distinct(names)
    yield Header(names)
    for start in range(0, len(frame), BATCH):
        part = frame.iloc[start : start + BATCH]
        columns = [_pandas_values(part.iloc[:, position]) for position in range(len(names))]
        for row in zip(*columns, strict=True):
            yield dict(zip(names, row, strict=True))


def _pandas_values(column: Any) -> list[Any]:
    values = column
    if hasattr(column.dtype, "pyarrow_dtype"):
        from airflow_provider_retell.bulk.arrow_values import column_values

        values = column_values(column.array.__arrow_array__())
    elif str(column.dtype) in ("float16", "float32"):
        # The text of a short float has the digits that pandas shows, and no others.
        values = [float(str(value)) for value in column.to_numpy()]
    return [None if is_missing else value for value, is_missing in zip(values, column.isna(), strict=True)]


def _polars(frame: Any) -> Iterator[Row]:
    import polars as pl  # type: ignore[import-not-found,import-untyped,unused-ignore]

    # The text of a short float has the digits that polars shows, and no others.
    shown = frame.with_columns(
        pl.col(name).cast(_other_floats(kind, pl.String)).cast(_other_floats(kind, pl.Float64))
        for name, kind in frame.collect_schema().items()
        if _other_floats(kind, pl.String) != kind
    )
    collected = getattr(shown, "collect", lambda: shown)()
    yield Header(collected.columns)
    yield from collected.iter_rows(named=True)


def _other_floats(kind: Any, other: Any) -> Any:
    """Return a type of polars with *other* in place of short floats, also inside lists and structs."""
    name = type(kind).__name__
    if name in ("Float16", "Float32"):
        return other
    if name == "List":
        return type(kind)(_other_floats(kind.inner, other))
    if name == "Array":
        return type(kind)(_other_floats(kind.inner, other), kind.size)
    if name == "Struct":
        return type(kind)({field.name: _other_floats(field.dtype, other) for field in kind.fields})
    return kind


def _arrow(table: Any) -> Iterator[Row]:
    from airflow_provider_retell.bulk.files.parquet_rows import batch_rows

    check_distinct(table.schema.names)
    yield Header(table.schema.names)
    batches = table.to_batches(max_chunksize=BATCH) if hasattr(table, "to_batches") else [table]
    for batch in batches:
        yield from batch_rows(batch)


_READERS = {"pandas": _pandas, "polars": _polars, "pyarrow": _arrow}
