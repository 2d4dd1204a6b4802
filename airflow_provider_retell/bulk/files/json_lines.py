"""Rows of files with one JSON object per line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from airflow_provider_retell.api.encode import safe_name
from airflow_provider_retell.bulk.files.text_lines import TextLines, is_valid, not_encoded
from airflow_provider_retell.bulk.rows import BadRow, Row

_SPACE = " \t\n\r\x0b\f"


class _DuplicateKeyError(ValueError):
    """An object has two members of the same name."""


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
        row = json.loads(text, object_pairs_hook=_distinct)
    except _DuplicateKeyError as error:
        return BadRow(str(error))
    except (ValueError, RecursionError):
        return BadRow("the line is not JSON")
    return row if isinstance(row, dict) else BadRow("the line is not a JSON object")


def _distinct(members: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(members)
    if len(row) < len(members):
        names = [name for name, _ in members]
        twice = next(name for number, name in enumerate(names) if name in names[:number])
        raise _DuplicateKeyError(f"the line has the key {safe_name(twice)} twice")
    return row
