"""Rows of CSV files, read strictly.

A quote that is not closed would put the rest of the file into one cell. The rows before such damage are yielded, and
:class:`SourceError` ends the file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Any

from airflow_provider_retell.bulk.column_names import check_distinct
from airflow_provider_retell.bulk.errors import SourceError
from airflow_provider_retell.bulk.files.text_lines import MAX_LINE, TextLines, is_utf8, is_valid, not_encoded
from airflow_provider_retell.bulk.rows import BadRow, Header, Row

# Excel writes the delimiter into a line before the header, and reads it from there.
_DELIMITER_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)


def read_csv(file: Any, encoding: str, delimiter: str, quotechar: str | None) -> Iterator[Row]:
    """Yield the header and the rows of *file*.

    :param quotechar: the character around cells that contain the delimiter. None reads all quotes as text.
    :raises SourceError: at the first line that hides where the next cells begin, without a header, or if the last
        line is cut off.
    """
    records = _Records(TextLines(file, encoding, ""), encoding, quotechar)
    names = records.header(delimiter)
    yield Header(names)
    columns = len(names)
    for cells in records:
        if isinstance(cells, BadRow):
            yield cells
        elif len(cells) == columns:
            yield dict(zip(names, cells, strict=True))
        else:
            records.check_complete(cells, columns)
            yield BadRow(f"line {records.start} has {len(cells)} cells, and the header has {columns} columns")


class _Records:
    """The records of a file, without empty lines.

    :ivar start: the number of the latest record's first line.
    """

    def __init__(self, lines: TextLines, encoding: str, quotechar: str | None) -> None:
        self._lines = lines
        self._encoding = "UTF-8" if is_utf8(encoding) else encoding
        self._quotechar = quotechar
        self._reader: Iterator[list[str]] = iter(())
        self.start = 0

    def header(self, delimiter: str) -> list[str]:
        first = next((line for line in self._lines if line.strip()), None)
        if first is None:
            raise SourceError("there is no header: the file is empty")
        first = first.removeprefix("\ufeff")  # the byte order mark
        if marked := _DELIMITER_LINE.fullmatch(first):
            delimiter = marked[1] if delimiter == "," else delimiter
            first = next(self._lines, "")
        self._open(first, delimiter)
        cells = next(self, None)
        if cells is None:
            raise SourceError("there is no header: the file is empty")
        if isinstance(cells, BadRow):
            raise SourceError(f"the header cannot be read: {cells.reason}")
        if any("\0" in name for name in cells):
            raise SourceError(
                "the header has null characters, so the file is not text, or its encoding is UTF-16: set the "
                "encoding of FileRows"
            )
        check_distinct(cells)
        return cells

    def _open(self, first: str, delimiter: str) -> None:
        def lines() -> Iterator[str]:
            yield first
            yield from self._lines

        quotes: dict[str, Any] = {"quotechar": self._quotechar}
        if self._quotechar is None:
            quotes = {"quoting": csv.QUOTE_NONE}
        # The default of 131,072 characters is less than a long transcript. The limit is one for the whole process.
        csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE))
        self._reader = csv.reader(lines(), delimiter=delimiter, strict=True, **quotes)
        self._is_first = True

    def __iter__(self) -> _Records:
        return self

    def __next__(self) -> list[str] | BadRow:
        while True:
            self.start = self._lines.number + (not self._is_first)
            self._is_first = False
            try:
                cells = next(self._reader)
            except csv.Error as error:
                return self._bad_row(str(error))
            if not cells:
                continue
            if not all(map(is_valid, cells)):
                return BadRow(not_encoded(self.start, self._encoding))
            return cells

    def _bad_row(self, error: str) -> BadRow:
        """Return the row that cannot be read; raise :class:`SourceError` if the next one is unknown too."""
        lines, line = self._lines, self._lines.line
        place = f"line {self.start}"
        if "unexpected end" in error:
            raise SourceError(f"{place} has a quote that is never closed, or the file is cut off there")
        if "expected after" in error:
            if lines.number > self.start:
                place = f"line {lines.number}, in the cells that begin in {place},"
            raise SourceError(f"{place} has text after a closing quote, or a quote that is never closed")
        is_whole = lines.number == self.start and not line.count(self._quotechar or "\0") % 2
        if not is_whole:
            raise SourceError(f"{place} has a quote that is never closed, or cannot be read: {error}")
        return BadRow(f"{place} is not CSV ({error})")

    def check_complete(self, cells: list[str], columns: int) -> None:
        """Raise :class:`SourceError` if the latest record is the end of a file that is cut off."""
        line = self._lines.line
        if len(cells) < columns and not line.endswith(("\n", "\r")):
            raise SourceError(
                f"line {self.start}, the last one, is cut off: it has {len(cells)} of {columns} cells"
            )
