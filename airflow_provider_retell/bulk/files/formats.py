"""The format of a file, according to its name and to its first bytes."""

from __future__ import annotations

import gzip
import io
import re
from typing import Any, cast

from airflow_provider_retell.bulk.errors import IncompleteFileError, SourceError
from airflow_provider_retell.bulk.files.text_lines import is_utf8
from airflow_provider_retell.common.paths import file_name

FORMATS = ("jsonl", "ndjson", "csv", "tsv", "parquet")

_GZIP = b"\x1f\x8b"
_UTF8_MARK = b"\xef\xbb\xbf"
_BINARY = (
    (re.compile(re.escape(_GZIP)), "compressed with gzip: give it a name that ends in .gz"),
    (re.compile(re.escape(b"PK\x03\x04")), "a ZIP archive, for example of Excel: save it as text"),
    (re.compile(rb"BZh[1-9]1AY&SY"), "compressed with bzip2: compress it with gzip"),
    (re.compile(re.escape(b"\xfd7zXZ\x00")), "compressed with xz: compress it with gzip"),
    (re.compile(re.escape(b"\x28\xb5\x2f\xfd")), "compressed with zstd: compress it with gzip"),
    (re.compile(re.escape(b"\x04\x22\x4d\x18")), "compressed with LZ4: compress it with gzip"),
    (re.compile(b"PAR1"), "a Parquet file: give it a name that ends in .parquet"),
    (re.compile(b"ARROW1|ORC|Obj\x01|SQLite format 3\x00|%PDF-"), "not text"),
)
_MARKS = (  # the longer marks first
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def format_of(path: str) -> str | None:
    """Return the format that the name of *path* has, or None if it has another suffix."""
    name = file_name(path)
    found = name.removesuffix(".gz").rpartition(".")[2]
    return found if found in FORMATS and not name.endswith(".parquet.gz") else None


def open_text(file: Any, path: str, encoding: str) -> io.BufferedIOBase:
    """Return the content of *file*, decompressed if the name of *path* ends in ``.gz``.

    :raises SourceError: if the first bytes show that the file is not what its name says.
    """
    content: io.BufferedReader | gzip.GzipFile = io.BufferedReader(cast("io.RawIOBase", _Raw(file)))
    if file_name(path).endswith(".gz"):
        first = content.peek(2)
        if not first:
            raise IncompleteFileError("the file is empty, although its name ends in .gz")
        if not first.startswith(_GZIP):
            raise SourceError("the file is not compressed with gzip, although its name ends in .gz")
        content = gzip.GzipFile(fileobj=content)
    first = content.peek(16)
    for pattern, fault in _BINARY:
        if pattern.match(first):
            raise SourceError(f"the file is {fault}")
    mark = next((name for mark, name in _MARKS if first.startswith(mark)), None)
    if first.startswith(_UTF8_MARK) and not is_utf8(encoding):
        raise SourceError(
            f"the file begins with the byte order mark of UTF-8, but the encoding is {encoding!r}"
        )
    if mark and not encoding.lower().replace("_", "-").startswith(mark):
        raise SourceError(
            f"the file begins with the byte order mark of {mark.upper()}: set encoding={mark!r} in FileRows"
        )
    return cast("io.BufferedIOBase", content)


def check_parquet(file: Any) -> None:
    """Raise :class:`SourceError` if *file* does not begin as a Parquet file does."""
    first = file.read(4)
    file.seek(0)
    if not first:
        raise SourceError("the file is empty")
    if first not in (b"PAR1", b"PARE"):
        raise SourceError("the file is not a Parquet file, although its name ends in .parquet")


class _Raw(io.RawIOBase):
    """A file of any storage as a raw stream. Some storages return files without ``peek`` and ``readinto``."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)
