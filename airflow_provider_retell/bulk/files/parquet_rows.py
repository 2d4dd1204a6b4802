"""Rows of Parquet files. Needs pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow_provider_retell.api.encode import safe_name
from airflow_provider_retell.bulk.arrow_values import Unreadable, column_values
from airflow_provider_retell.bulk.column_names import check_distinct
from airflow_provider_retell.bulk.errors import SourceError
from airflow_provider_retell.bulk.rows import BATCH, BadRow, Header, Row


def read_parquet(file: Any) -> Iterator[Row]:
    """Yield the header and the rows of *file*.

    A damaged page costs the rest of the rows in its row group. Each of them is a :class:`BadRow`. Changed values are
    found only in files with checksums.

    :raises SourceError: if the file's footer is damaged, or after the last row, if other parts are.
    """
    from pyarrow import ArrowException, ArrowInvalid  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from pyarrow.parquet import ParquetFile  # type: ignore[import-not-found,import-untyped,unused-ignore]

    try:
        table = ParquetFile(file, page_checksum_verification=True)
        sizes = [table.metadata.row_group(number).num_rows for number in range(table.num_row_groups)]
        names = table.schema_arrow.names
    except (OSError, ArrowException) as error:
        _check_damage(error)
        raise SourceError(f"the file's footer cannot be read ({type(error).__name__})") from None
    # A damaged size could be a number of rows that never ends.
    if sum(sizes) != table.metadata.num_rows or min(sizes, default=0) < 0:
        raise SourceError("the numbers of rows in the file's footer contradict each other")
    check_distinct(names)
    yield Header(names)
    lost = 0
    for group, size in enumerate(sizes):
        left, fault = size, ""
        batches = iter(table.iter_batches(batch_size=BATCH, row_groups=[group]))
        while left > 0:
            try:
                batch = next(batches, None)
                if batch is None or batch.num_rows > left:
                    raise ArrowInvalid("unexpected number of rows")
            except (OSError, ArrowException) as error:
                _check_damage(error)
                fault = type(error).__name__
                break
            left -= batch.num_rows
            yield from batch_rows(batch)
        for _ in range(left):
            yield BadRow(f"row group {group + 1} of the Parquet file is damaged from here on ({fault})")
        lost += left
    if lost:
        raise SourceError(f"{lost:,} of {sum(sizes):,} rows are damaged and cannot be read")


def _check_damage(error: Exception) -> None:
    """Raise *error* again if it comes from the storage.

    pyarrow reports some damaged files as OSError without an ``errno``, which errors of the storage have.
    """
    if isinstance(error, OSError) and (type(error) is not OSError or error.errno is not None):
        raise error


def batch_rows(batch: Any) -> Iterator[Row]:
    """Yield the rows of a batch of Arrow."""
    names = batch.schema.names
    columns = [column_values(column) for column in batch.columns]
    faulty = [name for name, column in zip(names, columns, strict=True) if Unreadable in map(type, column)]
    for number in range(batch.num_rows):
        row = {name: column[number] for name, column in zip(names, columns, strict=True)}
        fault = next((name for name in faulty if type(row[name]) is Unreadable), None)
        if fault is None:
            yield row
        else:
            column = safe_name(fault, f"column {names.index(fault) + 1}")
            yield BadRow(f"{column} has a value that cannot be converted to Python ({row[fault].reason})")
