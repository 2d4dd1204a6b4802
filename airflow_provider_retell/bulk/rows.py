"""The base class of the sources of rows.

DAG files import this module, so it imports neither Airflow nor other libraries. A source yields one row at a time and
never holds all of them.
"""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.bulk.source import Source

if TYPE_CHECKING:
    from typing_extensions import Self

Row = Mapping[str, Any]

BATCH = 1000
"""The number of rows that a source fetches at once."""


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
