"""Rows of files with one JSON object per line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow_provider_retell.bulk.files.text_lines import TextLines, is_valid, not_encoded
from airflow_provider_retell.bulk.rows import BadRow, Row
from airflow_provider_retell.common.distinct_keys import DuplicateKeyError, parse_json

_SPACE = " \t\n\r\x0b\f"


def read_json_lines(file: Any, encoding: str) -> Iterator[Row]:
    """Yield the rows of *file*. Lines without text are no rows.

    A line that is not a JSON object, or has the same key twice, is a :class:`BadRow`.
    """
    lines = TextLines(file, encoding, "\n")
    for line in lines:
        text = line.removeprefix("\ufeff").strip(_SPACE)
        if text:
            yield _read(text) if is_valid(text) else BadRow(not_encoded(lines.number, encoding))


def _read(text: str) -> Row:
    try:
        row = parse_json(text)
    except DuplicateKeyError as error:
        return BadRow(f"the line has {error}")
    except (ValueError, RecursionError):
        return BadRow("the line is not JSON")
    return row if isinstance(row, dict) else BadRow("the line is not a JSON object")
