"""Read rows in chunks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from airflow_provider_retell.bulk.rows import Header, Row, Rows

log = logging.getLogger(__name__)


@contextmanager
def open_rows(source: Rows, check_header: Callable[[Collection[str]], None]) -> Iterator[Iterator[Row]]:
    """Open *source*, and close it at the end of the block, on the same thread.

    :param check_header: called with the names of the columns, if the source announces them.
    """
    rows: Any = iter(source.read())
    try:
        yield _without_headers(rows, check_header)
    finally:
        try:
            getattr(rows, "close", lambda: None)()
        except Exception:
            log.warning("The source of the rows could not be closed", exc_info=True)


def _without_headers(rows: Iterator[Row], check_header: Callable[[Collection[str]], None]) -> Iterator[Row]:
    for row in rows:
        if isinstance(row, Header):
            check_header(row)
        else:
            yield row


def take(rows: Iterator[Row], most: int) -> tuple[list[Row], Exception | None]:
    """Return the next rows, and the error of the source after them."""
    taken: list[Row] = []
    try:
        for row in islice(rows, most):
            taken.append(row)
    except Exception as error:
        return taken, error
    return taken, None
