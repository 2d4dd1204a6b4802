"""Read the rows of a source in chunks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.bulk.errors import SourceError
from airflow_provider_retell.bulk.rows import Header, Row, Rows

log = logging.getLogger(__name__)

CHUNK = 1000
"""Rows per chunk: the largest number of records in one page of a listing, as Retell documents it."""


@contextmanager
def open_rows(
    source: Rows, check_header: Callable[[Collection[str]], None]
) -> Iterator[Iterator[tuple[int, Row]]]:
    """Open the rows of *source* with their numbers, and close it at the end of the block, on the same thread.

    :param check_header: called with the names of the columns, if the source announces them.
    """
    rows: Any = iter(source.read())
    try:
        yield _numbered(source, rows, check_header)
    finally:
        try:
            getattr(rows, "close", lambda: None)()
        except Exception:
            log.warning("The source of the rows could not be closed", exc_info=True)


def _numbered(
    source: Rows, rows: Iterator[Row], check_header: Callable[[Collection[str]], None]
) -> Iterator[tuple[int, Row]]:
    number = 0
    for row in rows:
        if isinstance(row, Header):
            try:
                check_header(row)
            except RetellInputError as error:
                if not number:
                    raise
                raise SourceError(
                    f"After row {number:,}, {error.fault}. The rows up to it were processed. Correct the source, and "
                    "run the task again"
                ) from None
        else:
            number += 1
            yield source.row_number or number, row


def take(rows: Iterator[tuple[int, Row]], most: int) -> tuple[list[tuple[int, Row]], Exception | None]:
    """Return the next rows with their numbers, and the error of the source after them."""
    taken: list[tuple[int, Row]] = []
    try:
        for row in islice(rows, most):
            taken.append(row)
    except Exception as error:
        return taken, error
    return taken, None
