"""Rows in memory: lists, tables, and functions that return or yield rows.

DAG files import this module, so it imports neither Airflow nor other libraries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.bulk.function_context import call_with_context
from airflow_provider_retell.bulk.rows import BadRow, Row, Rows, SourceField
from airflow_provider_retell.bulk.table_rows import TableRows, is_table
from airflow_provider_retell.params.checks import is_literal
from airflow_provider_retell.params.rendered import as_list


class GivenRows(Rows):
    """Rows of a list or another iterable.

    :param rows: dicts, named tuples, or lists of them, such as the output of a mapped task.
    :param names: the names of the columns, for rows that are plain tuples or lists.
    """

    def __init__(self, rows: Iterable[Any], names: Sequence[str] | None = None) -> None:
        self._rows = rows
        self._names = names
        self._are_dicts: bool | None = None

    def __str__(self) -> str:
        return f"{len(self._rows)} rows" if isinstance(self._rows, (list, tuple)) else "rows"

    def label(self) -> str:
        """Return no name, because a list has none."""
        return ""

    def serialize(self) -> dict[str, Any]:
        """Raise an error: a task returns the list itself."""
        raise _not_in_xcom("a list of rows", "Return the list itself")

    def size(self) -> int | None:
        """Return the length of a list of dicts. The length of Airflow's lazy sequences costs a query."""
        if not isinstance(self._rows, (list, tuple)):
            return None
        if self._are_dicts is None:
            # Once: a run asks for the size after every chunk.
            self._are_dicts = all(isinstance(row, Mapping) for row in self._rows)
        return len(self._rows) if self._are_dicts else None

    def read(self) -> Iterator[Row]:
        """Yield the rows."""
        return self._read(self._rows)

    def _read(self, items: Iterable[Any]) -> Iterator[Row]:
        for item in items:
            if isinstance(item, Mapping):
                yield item
            elif hasattr(item, "_asdict"):  # a named tuple, for example of DataFrame.itertuples()
                yield item._asdict()
            elif is_table(item):
                yield from TableRows(item).read()
            elif not isinstance(item, (list, tuple)):
                yield BadRow(f"the row is a {type(item).__name__}, not a dict")
            elif all(isinstance(part, (Mapping, list, tuple)) for part in item):
                yield from self._read(item)
            else:
                yield self._named(item)

    def _named(self, values: Sequence[Any]) -> Row:
        if self._names is None:
            return BadRow(f"the row is a {type(values).__name__}, not a dict: set column_names")
        if len(values) != len(self._names):
            return BadRow(f"the row has {len(values)} values, and column_names has {len(self._names)}")
        return dict(zip(self._names, values, strict=True))


class CallableRows(Rows):
    """Rows that a function returns or yields.

    :param function: called when the task runs, with the parts of the task's context that it has parameters for.
    :param names: the names of the columns, for rows that are plain tuples or lists.
    """

    def __init__(self, function: Callable[..., Any], names: Sequence[str] | None = None) -> None:
        self._function = function
        self._names = names
        self._context: Mapping[str, Any] = {}

    def __str__(self) -> str:
        return f"rows of {getattr(self._function, '__name__', 'a function')}()"

    def serialize(self) -> dict[str, Any]:
        """Raise an error: a function cannot be in XCom."""
        raise _not_in_xcom("a function", "Return its rows, or use it in the DAG file")

    def bind(self, context: Mapping[str, Any]) -> None:
        """Receive the context for the function."""
        self._context = context

    def read(self) -> Iterator[Row]:
        """Yield the rows."""
        rows = call_with_context(self._function, self._context)
        if isinstance(rows, Rows):
            # The checks of the report's path, for example, need the source before the rows are read.
            raise RetellInputError(
                f"the function of rows must return or yield rows, not {type(rows).__name__}. Use the source itself "
                "as rows"
            )
        if isinstance(rows, Iterator):
            yield from GivenRows(rows, self._names).read()
            return
        yield from as_rows(rows, self._names).read()


def as_rows(source: Any, names: Sequence[str] | None = None) -> Rows:
    """Return *source* as :class:`Rows`; raise :class:`RetellInputError` if that is impossible.

    :param names: the names of the columns, for rows that are plain tuples or lists.
    """
    if isinstance(source, Rows):
        return source
    if is_table(source):
        return TableRows(source)
    if callable(source):
        return CallableRows(source, names)
    check_not_iterator(source)
    if isinstance(source, (str, bytes, Mapping)) or not isinstance(source, Iterable):
        kind = "text" if isinstance(source, str) else f"a {type(source).__name__}"
        raise RetellInputError(
            f"rows must be SqlRows, FileRows, a list of dicts or a function that returns dicts, not {kind}"
        )
    return GivenRows(source, names)


def as_field(rows: Any, names: Sequence[str] | None) -> Any:
    """Return the value of an operator's parameter in a form whose templates Airflow can render."""
    check_not_iterator(rows)
    if is_literal(rows) and not rows.lstrip().startswith("["):
        raise RetellInputError(
            "rows must not be text, unless it is a template that renders to a JSON list. For a file, use "
            "FileRows(path); for a query, use SqlRows(conn_id, sql)"
        )
    # Airflow would call a function in a template field itself, with its own arguments.
    return (
        SourceField(as_rows(rows, names))
        if isinstance(rows, Rows) or callable(rows) or is_table(rows)
        else rows
    )


def from_field(rows: Any, names: Sequence[str] | None) -> Rows:
    """Return the source in an operator's field after rendering."""
    if isinstance(rows, SourceField):
        rows = rows.source
    return as_rows(as_list(rows, "rows") if rows is None or isinstance(rows, str) else rows, names)


def check_not_iterator(rows: Any) -> None:
    """Raise :class:`RetellInputError` if *rows* is an iterator, because a retry would find it empty."""
    if isinstance(rows, Iterator):
        raise RetellInputError(
            "rows must not be an iterator, because a retry would find it empty. Use the function that creates it"
        )


def _not_in_xcom(what: str, advice: str) -> RetellInputError:
    return RetellInputError(f"a source with {what} cannot be returned to XCom. {advice}")
