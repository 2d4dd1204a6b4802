"""The base class of the sources of rows, and functions that read a source in chunks.

DAG files import this module, so it imports neither Airflow nor other libraries. A source yields one row at a time and
never holds all of them.
"""

from __future__ import annotations

import inspect
import logging
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.bulk.errors import SourceError
from airflow_provider_retell.bulk.source import Source

if TYPE_CHECKING:
    from typing_extensions import Self

log = logging.getLogger(__name__)

Row = Mapping[str, Any]

BATCH = 1000
"""The number of rows that a source fetches at once."""

CHUNK = 1000
"""Rows per chunk: the largest number of records in one page of a listing, as Retell documents it."""


class BadRow(dict[str, Any]):
    """A row that could not be read. It is reported as invalid, and the run continues.

    :ivar reason: the reason in the report.
    """

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class Header(dict[str, Any]):
    """The columns of the rows that follow. It is not a row.

    A source whose rows have the same columns yields it ahead of them. A missing column then fails the task at the
    start, even if there are no rows.
    """

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(dict.fromkeys(names))


class Rows(Source):
    """Base class of the sources of rows.

    :ivar key_column: the column that identifies a row. The operator sets it before it reads the rows.
    :ivar row_number: the number of the row that :meth:`read` has yielded last, if it leaves out rows. None counts
        the rows.
    """

    key_column = "call_id"
    row_number: int | None = None

    @abstractmethod
    def read(self) -> Iterator[Row]:
        """Yield the rows. The engine calls this in a thread that it uses for nothing else.

        A :class:`Header` can come before the first row, and wherever the columns change.
        """

    def size(self) -> int | None:
        """Return the number of rows if it is known, otherwise None. It may become known with the first row."""
        return None

    def stop(self) -> None:
        """Let :meth:`read` end soon if it is not between two rows. The engine calls this in another thread."""

    def empty_text(self) -> str:
        """Return the reason why :meth:`read` has yielded no row, as a sentence without a period."""
        return "The source has no rows"

    def label(self) -> str:
        """Return a text that names the source in messages, without SQL; empty if the source has no name."""
        return str(self)

    def files(self) -> list[str]:
        """Return the paths of all files that the source reads. The report must not overwrite them."""
        return []

    def done_records(self) -> Iterator[str]:
        """Yield the ids of calls that an earlier run has updated. Further rows of these calls are duplicates."""
        return iter(())

    def serialize(self) -> dict[str, Any]:
        """Return the arguments of the source, so that a task can return it to XCom."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    @classmethod
    def deserialize(cls, data: dict[str, Any], _version: int) -> Self:
        """Return the source that a task has returned to XCom.

        Airflow calls this if ``[core] allowed_deserialization_classes`` has this class.
        """
        return cls(**data)


class SourceField:
    """A source in a template field of an operator: Airflow shows its text, without private values."""

    template_fields = ("source",)

    def __init__(self, source: Rows) -> None:
        self.source = source

    def __str__(self) -> str:
        return str(self.source)

    def serialize(self) -> str:
        """Return the text for the UI."""
        return str(self.source)


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
