"""Rows of files, and what the report of an earlier run leaves of other rows."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.bulk.rows import BATCH, BadRow, Row, Rows

if TYPE_CHECKING:
    pass


class FileRows(Rows):
    """The rows of a file on any storage that Airflow's ``ObjectStoragePath`` reaches.

    ``.jsonl`` (or ``.ndjson``): an object per line. ``.csv``: a header, and text values. ``.parquet``: needs
    pyarrow. The first two may be compressed (``.jsonl.gz``).

    :param path: a local path or a URL such as ``s3://bucket/rows.jsonl`` (templated).
    :param conn_id: the Airflow connection to the storage, if its default will not do (templated).
    """

    template_fields = ("path", "conn_id")

    def __init__(self, path: str, conn_id: str | None = None) -> None:
        self.path = path
        self.conn_id = conn_id

    @property
    def fixed_columns(self) -> bool:  # type: ignore[override]
        """All rows have the same columns unless each line is an object of its own."""
        return self._kind() not in ("jsonl", "ndjson")

    def files(self) -> list[str]:
        """Return the path."""
        return [str(self.path)]

    def _kind(self) -> str:
        return str(self.path).lower().removesuffix(".gz").rpartition(".")[2]

    def read(self) -> Iterator[Row]:
        """Yield the rows of the file as dicts."""
        from airflow_provider_retell._compat import storage_path
        from airflow_provider_retell.api.errors import RetellInputError
        from airflow_provider_retell.bulk.errors import SourceError

        readers = {"jsonl": _json_lines, "ndjson": _json_lines, "csv": _csv, "parquet": _parquet}
        reader = readers.get(self._kind())
        if reader is None:
            kinds = ".jsonl, .ndjson, .csv (or these with .gz) or .parquet"
            raise RetellInputError(f"rows: {self.path} must end in {kinds}")
        damage: tuple[type[Exception], ...] = (EOFError, gzip.BadGzipFile, zlib.error)
        if reader is _parquet:
            from pyarrow import ArrowInvalid  # type: ignore[import-not-found,import-untyped,unused-ignore]

            damage = (ArrowInvalid,)
        try:
            with storage_path(str(self.path), self.conn_id).open("rb") as file:
                plain: Any = gzip.GzipFile(fileobj=file) if str(self.path).lower().endswith(".gz") else file
                yield from reader(plain)
        except (FileNotFoundError, IsADirectoryError) as error:
            raise SourceError(f"rows: there is no file {self.path} (patterns are not expanded)") from error
        except damage as error:
            raise SourceError(
                f"rows: the file {self.path} is damaged, cut off, or not what its name says. Rows before the damage "
                "are done: renew the file and run the task again"
            ) from error


def _json_lines(file: Any) -> Iterator[Row]:
    for line in iter(file.readline, b""):  # not all files of a storage can be iterated over
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
    from airflow_provider_retell.bulk.columns import check_distinct

    # Bytes that are no UTF-8 become what JSON cannot hold: their row is refused then, the others are not.
    lines = csv.DictReader(io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline=""))
    check_distinct(lines.fieldnames or ())
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
    from pyarrow.parquet import ParquetFile  # type: ignore[import-not-found,import-untyped,unused-ignore]

    from airflow_provider_retell.bulk.columns import check_distinct

    table = ParquetFile(file)
    check_distinct(table.schema_arrow.names)
    for batch in table.iter_batches(batch_size=BATCH):
        yield from batch.to_pylist()
