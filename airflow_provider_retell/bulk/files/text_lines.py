"""Lines of text files."""

from __future__ import annotations

import codecs
import io
from typing import Any

from airflow_provider_retell.bulk.errors import SourceError

MAX_LINE = 16 * 1024 * 1024
"""The longest line in characters. A longer one would only fill the memory."""


class TextLines:
    """The lines of a file, with their ends, and the number of the latest one.

    Bytes of another encoding become surrogates, which :func:`is_valid` finds, so that they cost only their own line.

    :ivar number: the number of the latest line, from 1.
    :ivar line: the latest line.
    """

    def __init__(self, file: Any, encoding: str, newline: str) -> None:
        self._encoding = encoding
        self._file = io.TextIOWrapper(file, encoding=encoding, errors="surrogateescape", newline=newline)
        self.number = 0
        self.line = ""

    def __iter__(self) -> TextLines:
        return self

    def __next__(self) -> str:
        try:
            line = self._file.readline(MAX_LINE)
        except UnicodeError:
            raise SourceError(f"line {self.number + 1} is not {self._encoding}") from None
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == MAX_LINE and not line.endswith(("\n", "\r")):
            raise SourceError(f"line {self.number} is longer than {MAX_LINE:,} characters")
        self.line = line
        return line


def is_valid(text: str) -> bool:
    """Return False if *text* has surrogates, which bytes of another encoding become."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def not_encoded(line: int, encoding: str) -> str:
    """Return the reason for a line that is not in its encoding."""
    other = "'cp1252'" if is_utf8(encoding) else "'utf-8'"
    return f"line {line} is not {encoding}: set the encoding of FileRows, for example to {other}"


def is_utf8(encoding: str) -> bool:
    """Return True for all names of UTF-8."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
