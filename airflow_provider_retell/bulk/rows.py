"""Sources of rows, and the sources for rows that are in memory.

DAG files import this module, so it imports neither Airflow nor other libraries. A source yields one row at a time and
never holds all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_retell.api.errors import RetellInputError

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

    A source yields it ahead of the rows that it is about, so that the columns are checked even if there are no rows.
    """

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(dict.fromkeys(names))


class Rows(ABC):
    """Base class of the sources.

    :cvar template_fields: the attributes that Airflow renders.
    :cvar fixed_columns: True if all rows have the same columns. A missing column then fails the task at the start.
    :ivar call_id_column: the column with the call's id. The operator sets it before it reads the rows.
    """

    template_fields: Sequence[str] = ()
    fixed_columns = False
    call_id_column = "call_id"

    @abstractmethod
    def read(self) -> Iterator[Row]:
        """Yield the rows. The engine calls this in a thread that it uses for nothing else.

        A :class:`Header` can come before the first row, and wherever the columns change.
        """

    def size(self) -> int | None:
        """Return the number of rows if it is known before they are read, otherwise None."""
        return None

    def files(self) -> list[str]:
        """Return the paths of all files that the source reads. The report must not overwrite them."""
        return []

    def done_calls(self) -> Iterator[str]:
        """Yield the ids of calls that an earlier run has updated. Further rows of these calls are duplicates."""
        return iter(())

    def __str__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.template_fields)
        return f"{type(self).__name__}({fields})"

    __repr__ = __str__

    def serialize(self) -> str:
        """Return the text for "Rendered Templates" in Airflow's UI."""
        return str(self)


class GivenRows(Rows):
    """Rows of a list or another iterable."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = rows

    def __str__(self) -> str:
        size = self.size()
        return "rows" if size is None else f"{size} rows"

    __repr__ = __str__

    def size(self) -> int | None:
        """Return the length of a list or a tuple. The length of Airflow's lazy sequences costs a query."""
        return len(self._rows) if isinstance(self._rows, (list, tuple)) else None

    def read(self) -> Iterator[Row]:
        """Yield the rows."""
        for row in self._rows:
            item: Any = row
            if isinstance(item, Mapping):
                yield row
            else:
                yield BadRow(f"the row is a {type(item).__name__}, not a mapping")


class CallableRows(Rows):
    """Rows that a function returns or yields.

    :param function: called without arguments when the task runs.
    """

    def __init__(self, function: Callable[[], Iterable[Row]]) -> None:
        self._function = function

    def __str__(self) -> str:
        return f"rows of {getattr(self._function, '__name__', 'a function')}()"

    __repr__ = __str__

    def read(self) -> Iterator[Row]:
        """Yield the rows."""
        rows = self._function()
        _check_iterable(rows)
        yield from GivenRows(rows).read()


def as_rows(source: Any) -> Rows:
    """Return *source* as :class:`Rows`; raise :class:`RetellInputError` if that is impossible."""
    if isinstance(source, Rows):
        return source
    check_not_iterator(source)
    _check_iterable(source)
    return GivenRows(source)


def check_not_iterator(rows: Any) -> None:
    """Raise :class:`RetellInputError` if *rows* is an iterator, because a retry would find it empty."""
    if isinstance(rows, Iterator):
        raise RetellInputError(
            "rows must not be an iterator, because a retry would find it empty. Use the function that creates it"
        )


def _check_iterable(rows: Any) -> None:
    if isinstance(rows, (str, bytes, Mapping)) or not isinstance(rows, Iterable):
        kind = "text" if isinstance(rows, str) else f"a {type(rows).__name__}"
        raise RetellInputError(
            f"rows must be SqlRows, FileRows, a list of dicts or a function that returns dicts, not {kind}"
        )
