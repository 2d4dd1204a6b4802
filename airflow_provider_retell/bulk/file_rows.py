"""Rows of files."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from typing import Any

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.bulk.column_names import check_distinct, is_utf8
from airflow_provider_retell.bulk.rows import BATCH, BadRow, Row, Rows
from airflow_provider_retell.params.checks import is_literal


class FileRows(Rows):
    """The rows of a file on any storage of Airflow's ``ObjectStoragePath``.

    ::

        BulkUpdateCallOperator(task_id="enrich", rows=FileRows("s3://bucket/{{ ds }}/enriched.jsonl.gz"))

    The name of the file selects the format:

    - ``.jsonl`` or ``.ndjson``: one JSON object per line.
    - ``.csv``: UTF-8, with a header. All values are text.
    - ``.parquet``: needs pyarrow.

    The first two can be compressed (``.jsonl.gz``). A row that cannot be read is ``invalid``; the others are processed.

    Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/bulk.html

    :param path: a local path or a URL, for example ``s3://bucket/rows.jsonl`` (templated). Patterns are not supported.
    :param conn_id: the Airflow connection of the storage (templated). Default: the storage's default connection.
    :raises RetellInputError: if the path has another suffix.
    :raises SourceError: when the task runs, if there is no such file, or if it is damaged.
    """

    template_fields = ("path", "conn_id")

    def __init__(self, path: str, conn_id: str | None = None) -> None:
        self.path = path
        self.conn_id = conn_id
        if is_literal(path):
            self._check_format()

    @property
    def fixed_columns(self) -> bool:  # type: ignore[override]
        """True unless each line is an object with its own keys."""
        return self._format() not in ("jsonl", "ndjson")

    def files(self) -> list[str]:
        """Return the path."""
        return [str(self.path)]

    def _format(self) -> str:
        return str(self.path).lower().removesuffix(".gz").rpartition(".")[2]

    def _check_format(self) -> None:
        if self._format() not in _READERS:
            raise RetellInputError(
                "the path of FileRows must end in .jsonl, .ndjson or .csv, optionally followed by .gz, or in "
                f".parquet, not {str(self.path)!r}"
            )

    def read(self) -> Iterator[Row]:
        """Yield the rows of the file as dicts."""
        from airflow_provider_retell._compat import storage_path
        from airflow_provider_retell.bulk.errors import SourceError

        self._check_format()
        path = str(self.path)
        # The readers turn csv.Error into a bad row, except in the header.
        damage: tuple[type[Exception], ...] = (EOFError, gzip.BadGzipFile, zlib.error, csv.Error)
        if self._format() == "parquet":
            from pyarrow import ArrowException  # type: ignore[import-not-found,import-untyped,unused-ignore]

            damage = (ArrowException,)
        try:
            with storage_path(path, self.conn_id).open("rb") as file:
                content: Any = gzip.GzipFile(fileobj=file) if path.lower().endswith(".gz") else file
                yield from _READERS[self._format()](content)
        except (FileNotFoundError, IsADirectoryError) as error:
            raise SourceError(f"rows: the file {path} does not exist. Patterns are not supported") from error
        except damage as error:
            raise SourceError(
                f"rows: the file {path} is damaged, incomplete, or has another format than its name. The rows "
                "before the damage were processed. Replace the file and run the task again"
            ) from error


def _json_lines(file: Any) -> Iterator[Row]:
    # Not a loop over the file itself: some storages return files that cannot be iterated over.
    for line in iter(file.readline, b""):
        text = line.removeprefix(b"\xef\xbb\xbf").strip()
        if not text:
            continue
        try:
            row = json.loads(text.decode())
        except (ValueError, RecursionError):
            yield BadRow("the line is not JSON")
            continue
        yield row if isinstance(row, dict) else BadRow("the line is not a JSON object")


def _csv(file: Any) -> Iterator[Row]:
    # Bytes that are not UTF-8 become surrogates. JSON cannot represent them, so only their own row is invalid.
    lines = csv.DictReader(io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline=""))
    check_distinct(lines.fieldnames or ())
    if any(not is_utf8(name) for name in lines.fieldnames or ()):
        raise RetellInputError("rows: the header of the CSV file is not UTF-8. Convert the file to UTF-8")
    while True:
        try:
            row = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(f"the line is not CSV ({error})")
            continue
        if None in row or None in row.values():
            yield BadRow("the line has more or fewer columns than the header")
        else:
            yield row


def _parquet(file: Any) -> Iterator[Row]:
    from pyarrow import ArrowInvalid  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from pyarrow.parquet import ParquetFile  # type: ignore[import-not-found,import-untyped,unused-ignore]

    try:
        table = ParquetFile(file)
        check_distinct(table.schema_arrow.names)
        for batch in table.iter_batches(batch_size=BATCH):
            yield from _rows_of(batch)
    except OSError as error:
        # pyarrow's errors of some damaged files have no number, unlike those of the operating system.
        if type(error) is OSError and error.errno is None:
            raise ArrowInvalid(str(error)) from error
        raise


def _rows_of(batch: Any) -> list[Row]:
    try:
        rows: list[Row] = batch.to_pylist()
        return rows
    except (ValueError, OverflowError) as error:
        if batch.num_rows == 1:
            # Python has no form of some values, for example of a timestamp after the year 9999.
            return [BadRow(f"a value cannot be converted to Python ({type(error).__name__})")]
    return [row for number in range(batch.num_rows) for row in _rows_of(batch.slice(number, 1))]


_READERS = {"jsonl": _json_lines, "ndjson": _json_lines, "csv": _csv, "parquet": _parquet}
