"""Where the rows of a bulk update come from.

Light to import, because DAG files do: Airflow's hooks and file systems are imported when the rows are read. All
sources give one row at a time and never hold all of them.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

Row = Mapping[str, Any]

_BATCH = 1000


class BadRow(dict[str, Any]):
    """A row that could not be read; the run goes on and reports it as invalid."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class Rows:
    """A source of rows.

    :cvar fixed_columns: True if all rows have the same columns, so that a missing one is a mistake in the DAG.
    """

    template_fields: Sequence[str] = ()
    fixed_columns = False

    def read(self) -> Iterator[Row]:
        """Yield the rows. Runs in a thread of its own, from the first row to the last."""
        raise NotImplementedError

    def size(self) -> int | None:
        """Return how many rows there are, if that is known before they are read."""
        return None

    def __str__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.template_fields)
        return f"{type(self).__name__}({fields})"

    __repr__ = __str__

    def serialize(self) -> str:
        """Return what Airflow shows under "Rendered Templates"."""
        return str(self)


class SqlRows(Rows):
    """The result of a query, streamed from the cursor.

    :param conn_id: an Airflow connection to a SQL database, of any type whose hook is a ``DbApiHook`` (templated).
    :param sql: the query (templated).
    :param parameters: values for the query's placeholders, as the database's driver takes them (templated).
    """

    template_fields = ("conn_id", "sql", "parameters")
    fixed_columns = True

    def __init__(
        self, conn_id: str, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> None:
        self.conn_id = conn_id
        self.sql = sql
        self.parameters = parameters

    def __str__(self) -> str:
        # Not the parameters: they are values.
        return f"SqlRows(conn_id={self.conn_id!r}, sql={self.sql!r})"

    __repr__ = __str__

    def read(self) -> Iterator[Row]:
        """Yield the rows of the result as dicts."""
        from airflow_provider_retell._compat import BaseHook
        from airflow_provider_retell.api.errors import RetellConfigError

        connection: Any = BaseHook.get_connection(self.conn_id)
        hook = connection.get_hook()
        if not hasattr(hook, "get_conn") or not hasattr(hook, "get_records"):
            raise RetellConfigError(f"connection {self.conn_id!r} is not one to a SQL database")
        with closing(hook.get_conn()) as database, closing(_streaming_cursor(database)) as cursor:
            cursor.execute(self.sql, *([] if self.parameters is None else [self.parameters]))
            batch = cursor.fetchmany(_BATCH)  # before the names: a server-side cursor has none until then
            names = [column[0] for column in cursor.description]
            while batch:
                for row in batch:
                    yield dict(zip(names, row, strict=True))
                batch = cursor.fetchmany(_BATCH)


def _streaming_cursor(database: Any) -> Any:
    """Return a cursor that leaves the result on the server, for drivers that would fetch all of it otherwise."""
    driver = type(database).__module__.partition(".")[0]
    if driver in ("psycopg2", "psycopg"):
        cursor = database.cursor(name="retell_bulk_update")
        cursor.itersize = _BATCH
        return cursor
    if driver == "MySQLdb":
        from MySQLdb.cursors import SSCursor  # type: ignore[import-not-found, import-untyped, unused-ignore]

        return database.cursor(SSCursor)
    return database.cursor()


class FileRows(Rows):
    """The rows of a file on any storage that Airflow's ``ObjectStoragePath`` reaches.

    ``.jsonl`` (or ``.ndjson``): an object per line. ``.csv``: a header, and text values. ``.parquet``: needs
    pyarrow. The first two may be compressed (``.jsonl.gz``).

    :param path: a local path or a URL such as ``s3://bucket/rows.jsonl`` (templated).
    :param conn_id: the Airflow connection to the storage, if its default will not do (templated).
    """

    template_fields = ("path", "conn_id")

    def __init__(self, path: str, conn_id: str | None = None) -> None:
        self.path = path
        self.conn_id = conn_id

    @property
    def fixed_columns(self) -> bool:  # type: ignore[override]
        """All rows have the same columns unless each line is an object of its own."""
        return self._kind() not in ("jsonl", "ndjson")

    def _kind(self) -> str:
        return str(self.path).removesuffix(".gz").rpartition(".")[2].lower()

    def read(self) -> Iterator[Row]:
        """Yield the rows of the file as dicts."""
        from airflow_provider_retell._compat import storage_path
        from airflow_provider_retell.api.errors import RetellInputError

        readers = {"jsonl": _json_lines, "ndjson": _json_lines, "csv": _csv, "parquet": _parquet}
        reader = readers.get(self._kind())
        if reader is None:
            kinds = ".jsonl, .ndjson, .csv (or these with .gz) or .parquet"
            raise RetellInputError(f"rows: {self.path} must end in {kinds}")
        with storage_path(str(self.path), self.conn_id).open("rb") as file:
            plain: Any = gzip.GzipFile(fileobj=file) if str(self.path).endswith(".gz") else file
            yield from reader(plain)


def _json_lines(file: Any) -> Iterator[Row]:
    for line in iter(file.readline, b""):  # not all files of a storage can be iterated over
        text = line.removeprefix(b"\xef\xbb\xbf").strip()
        if not text:
            continue
        try:
            row = json.loads(text.decode())
        except (ValueError, RecursionError):
            yield BadRow("the line is not JSON")
            continue
        yield row if isinstance(row, dict) else BadRow("the line is not a JSON object")


def _csv(file: Any) -> Iterator[Row]:
    # Bytes that are no UTF-8 become what JSON cannot hold: their row is refused then, the others are not.
    lines = csv.DictReader(io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline=""))
    while True:
        try:
            row = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(f"the line is not CSV ({error})")
            continue
        if None in row or None in row.values():
            yield BadRow("the line has more or fewer columns than the header")
        else:
            yield row


def _parquet(file: Any) -> Iterator[Row]:
    from pyarrow.parquet import ParquetFile  # type: ignore[import-not-found,import-untyped,unused-ignore]

    for batch in ParquetFile(file).iter_batches(batch_size=_BATCH):
        yield from batch.to_pylist()


class FailedRows(Rows):
    """The rows of another source that an earlier run did not do: those it failed at, and those it never came to.

    :param rows: the source that the reported run read: anything that the operator takes, in the same order.
    :param report: path of that run's report (templated).
    :param outcomes: which of the rows in the report to take.
    :param conn_id: the Airflow connection to the report's storage, if its default will not do (templated).
    """

    template_fields = ("rows", "report", "conn_id")

    def __init__(
        self,
        rows: Rows | Iterable[Row] | Callable[[], Iterable[Row]],
        report: str,
        outcomes: Sequence[str] = ("failed", "not_ended"),
        conn_id: str | None = None,
    ) -> None:
        self.rows = CallableRows(rows) if callable(rows) else rows
        self.report = report
        self.outcomes = tuple(outcomes)
        self.conn_id = conn_id

    @property
    def fixed_columns(self) -> bool:  # type: ignore[override]
        """As the source's rows."""
        return as_rows(self.rows).fixed_columns

    def __str__(self) -> str:
        return f"FailedRows({as_rows(self.rows)}, report={self.report!r})"

    __repr__ = __str__

    def read(self) -> Iterator[Row]:
        """Yield the rows but those whose number stands in the report with another outcome."""
        done = bytearray()  # one byte per row
        for line in FileRows(self.report, self.conn_id).read():
            number = line.get("row")
            if isinstance(number, int) and line.get("outcome") not in self.outcomes:
                done.extend(bytes(max(number + 1 - len(done), 0)))
                done[number] = 1
        for number, row in enumerate(as_rows(self.rows).read(), start=1):
            if number >= len(done) or not done[number]:
                yield row


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

        raise RetellInputError(
            f"rows must be SqlRows, FileRows, a list of dicts or a function that returns dicts, not {_what(rows)}"
        )


def _what(source: Any) -> str:
    if isinstance(source, str):
        return (
            "text (for a list from a template, use the task's output or render_template_as_native_obj=True)"
        )
    return f"a {type(source).__name__}"
