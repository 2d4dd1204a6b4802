"""Rows of files."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from typing import Any

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.bulk.rows import Row, Rows
from airflow_provider_retell.common.paths import check_no_secrets, safe_path, secrets_hidden
from airflow_provider_retell.params.checks import is_literal
from airflow_provider_retell.params.rendered import check_not_empty

# GzipFile and BufferedReader raise these.
_DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error)


class FileRows(Rows):
    """The rows of files on any storage of Airflow's ``ObjectStoragePath``.

    ::

        from airflow_provider_retell.bulk import FileRows
        from airflow_provider_retell.operators import BulkUpdateCallOperator

        BulkUpdateCallOperator(task_id="enrich", rows=FileRows("s3://bucket/{{ ds }}/enriched.jsonl.gz"))

    The name of the file selects the format:

    - ``.jsonl`` or ``.ndjson``: one JSON object per line.
    - ``.csv`` or ``.tsv``: text with a header, separated by commas or tabs. All values are text.
    - ``.parquet``: needs pyarrow.

    All but the last can be compressed (``.jsonl.gz``). A row that cannot be read is ``invalid``; the others are
    processed. If a file is damaged, the rows before the damage are processed, and the task fails.

    Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/rows.html#files

    :param path: a local path or a URL (templated): a file, a pattern such as ``s3://bucket/{{ ds }}/*.parquet``, or a
        folder of parts. A folder without one of the suffixes must end in a slash. Files are read in the order of their
        paths.
    :param conn_id: the Airflow connection of the storage (templated). Default: the storage's default connection.
    :param delimiter: the character between the cells of a CSV file. Default: a comma, or a tab for ``.tsv``.
    :param encoding: the encoding of a text file, for example ``cp1252`` or ``utf-16``. Default: UTF-8.
    :param quotechar: the character around cells of a CSV file that contain the delimiter. Default: ``"``. None reads
        all quotes as text.
    :raises RetellInputError: if the path has another suffix, or a user name and password.
    :raises ValueError: if *delimiter*, *encoding* or *quotechar* cannot be used.
    :raises SourceError: when the task runs, if there is no such file, or if it is damaged, empty or of another format
        than its name.
    """

    template_fields = ("path", "conn_id")

    def __init__(
        self,
        path: str,
        conn_id: str | None = None,
        delimiter: str | None = None,
        encoding: str = "utf-8",
        quotechar: str | None = '"',
    ) -> None:
        _check_character("delimiter", delimiter)
        _check_character("quotechar", quotechar)
        if quotechar is not None and quotechar == delimiter:
            raise ValueError("delimiter and quotechar must differ")
        _check_encoding(encoding)
        self.path = path
        self.conn_id = conn_id
        self.delimiter = delimiter
        self.encoding = encoding
        self.quotechar = quotechar
        if is_literal(path):
            self._check_path()

    def files(self) -> list[str]:
        """Return the path, which can be a pattern or a folder."""
        check_not_empty(self.path, "the path of FileRows")
        return [str(self.path)]

    def _check_path(self) -> None:
        from airflow_provider_retell.bulk.files.formats import format_of

        check_not_empty(self.path, "the path of FileRows")
        path = str(self.path)
        check_no_secrets("the path of FileRows", path)
        if format_of(path) is None and not path.endswith("/"):
            raise RetellInputError(
                "the path of FileRows must end in .jsonl, .ndjson, .csv or .tsv, optionally followed by .gz, in "
                f".parquet, or in / for a folder of such files, not {safe_path(path)!r}"
            )

    def read(self) -> Iterator[Row]:
        """Yield the rows of the files, and a header ahead of the rows of a CSV or Parquet file."""
        from airflow_provider_retell.bulk.errors import SourceError
        from airflow_provider_retell.bulk.files.parts import files_of

        self._check_path()
        path, damage = str(self.path), None
        with secrets_hidden(path):
            try:
                files = files_of(path, self.conn_id)
            except SourceError as error:
                raise SourceError(f"rows: {safe_path(path)}: {error}") from None
            for file in files:
                # The path as it was given, unless it means several files.
                name = path if len(files) == 1 and file.name in path else str(file)
                try:
                    yield from self._read_file(file, name)
                except SourceError as error:
                    damage = damage or error
        if damage is not None:
            raise damage

    def _read_file(self, location: Any, path: str) -> Iterator[Row]:
        from airflow_provider_retell.bulk.errors import IncompleteFileError, SourceError

        try:
            with location.open("rb") as file:
                yield from self._read_content(file, path)
        except (FileNotFoundError, IsADirectoryError):
            raise SourceError(f"rows: the file {safe_path(path)} does not exist") from None
        except (SourceError, *_DAMAGE) as error:
            kind = IncompleteFileError if isinstance(error, (EOFError, IncompleteFileError)) else SourceError
            fault = str(error) if isinstance(error, SourceError) else "its compressed data is damaged"
            if isinstance(error, EOFError):
                fault = "its compressed data is incomplete"
            raise kind(
                f"rows: the file {safe_path(path)} cannot be read to its end: {fault}. The rows that could "
                "be read were processed. Replace the file and run the task again"
            ) from None

    def _read_content(self, file: Any, path: str) -> Iterator[Row]:
        from airflow_provider_retell.bulk.errors import SourceError
        from airflow_provider_retell.bulk.files.csv_lines import read_csv
        from airflow_provider_retell.bulk.files.formats import check_parquet, format_of, open_text
        from airflow_provider_retell.bulk.files.json_lines import read_json_lines
        from airflow_provider_retell.bulk.files.parquet_rows import read_parquet

        kind = format_of(path)
        if kind is None:
            raise SourceError("its name has no known suffix")
        if kind == "parquet":
            check_parquet(file)
            return read_parquet(file)
        content = open_text(file, path, self.encoding)
        if kind in ("csv", "tsv"):
            delimiter = self.delimiter or ("\t" if kind == "tsv" else ",")
            return read_csv(content, self.encoding, delimiter, self.quotechar)
        return read_json_lines(content, self.encoding)


def _check_character(name: str, value: object) -> None:
    if value is not None and (not isinstance(value, str) or len(value) != 1 or value in "\r\n "):
        raise ValueError(f"{name} must be one character, and neither a space nor the end of a line")


def _check_encoding(encoding: object) -> None:
    try:
        known = codecs.lookup(encoding) if isinstance(encoding, str) else None
    except (LookupError, ValueError):
        known = None
    if known is None or not known._is_text_encoding:
        raise ValueError("encoding must be the name of an encoding of text in Python, for example 'cp1252'")
