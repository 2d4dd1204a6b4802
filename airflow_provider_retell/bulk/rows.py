"""Where the rows of a bulk update come from.

Light to import, because DAG files do: Airflow's hooks and file systems are imported when the rows are read. All
sources give one row at a time and never hold all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

BATCH = 1000
"""How many rows a source fetches at once."""


class BadRow(dict[str, Any]):
    """A row that could not be read; the run goes on and reports it as invalid."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class Rows(ABC):
    """A source of rows.

    :cvar fixed_columns: True if all rows have the same columns, so that a missing one is a mistake in the DAG.
    """

    template_fields: Sequence[str] = ()
    fixed_columns = False

    @abstractmethod
    def read(self) -> Iterator[Row]:
        """Yield the rows. Runs in a thread of its own, from the first row to the last."""

    def size(self) -> int | None:
        """Return how many rows there are, if that is known before they are read."""
        return None

    def files(self) -> list[str]:
        """Return the paths of all files that are read, so that the report does not overwrite one of them."""
        return []

    def done_calls(self) -> Iterator[str]:
        """Yield the ids of calls of which a row is done already, so that another row of such a call is refused."""
        return iter(())

    def __str__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.template_fields)
        return f"{type(self).__name__}({fields})"

    __repr__ = __str__

    def serialize(self) -> str:
        """Return what Airflow shows under "Rendered Templates"."""
        return str(self)


class GivenRows(Rows):
    """Rows that are at hand: a list, or what stands for one."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = rows

    def __str__(self) -> str:
        size = self.size()
        return "rows" if size is None else f"{size} rows"

    __repr__ = __str__

    def size(self) -> int | None:
        """Return how many there are, if that costs nothing: the length of Airflow's lazy sequences is a query."""
        return len(self._rows) if isinstance(self._rows, (list, tuple)) else None

    def read(self) -> Iterator[Row]:
        """Yield the rows."""
        for row in self._rows:
            checked: Any = row
            is_row = isinstance(checked, Mapping)
            yield row if is_row else BadRow(f"the row is a {type(checked).__name__}, not a mapping")


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
        _check(rows)
        yield from GivenRows(rows).read()


def as_rows(source: Any) -> Rows:
    """Return *source* as :class:`Rows`; raise :class:`RetellInputError` if it cannot be one."""
    if isinstance(source, Rows):
        return source
    if isinstance(source, Iterator):
        from airflow_provider_retell.api.errors import RetellInputError

        raise RetellInputError(
            "rows is an iterator, which another try finds empty: give the function that makes it"
        )
    _check(source)
    return GivenRows(source)


def _check(rows: Any) -> None:
    if isinstance(rows, (str, bytes, Mapping)) or not isinstance(rows, Iterable):
        from airflow_provider_retell.api.errors import RetellInputError

        what = "text" if isinstance(rows, str) else f"a {type(rows).__name__}"
        raise RetellInputError(
            f"rows must be SqlRows, FileRows, a list of dicts or a function that returns dicts, not {what}"
        )
