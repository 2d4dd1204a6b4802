"""Rows of a database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from airflow_provider_retell.bulk.rows import BATCH, Row, Rows


class SqlRows(Rows):
    """The result of a query, streamed from the cursor.

    :param conn_id: an Airflow connection to a SQL database, of any type whose hook is a ``DbApiHook`` (templated).
    :param sql: the query, or the path of a ``.sql`` file as Airflow's other SQL operators take it (templated).
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
        from airflow_provider_retell.api.errors import RetellConfigError, RetellInputError
        from airflow_provider_retell.bulk.columns import check_distinct

        connection: Any = BaseHook.get_connection(self.conn_id)
        hook = connection.get_hook()
        if not hasattr(hook, "get_conn") or not hasattr(hook, "get_records"):
            raise RetellConfigError(f"connection {self.conn_id!r} is not one to a SQL database")
        with closing(hook.get_conn()) as database, closing(_streaming_cursor(database)) as cursor:
            cursor.execute(self.sql, *([] if self.parameters is None else [self.parameters]))
            batch = cursor.fetchmany(BATCH)  # before the names: a server-side cursor has none until then
            if cursor.description is None:
                raise RetellInputError("rows: the statement returns no rows; give a select")
            names = [column[0] for column in cursor.description]
            check_distinct(names)
            while batch:
                for row in batch:
                    yield dict(zip(names, row, strict=True))
                batch = cursor.fetchmany(BATCH)


def _streaming_cursor(database: Any) -> Any:
    """Return a cursor that leaves the result on the server, for drivers that would fetch all of it otherwise."""
    driver = type(database).__module__.partition(".")[0]
    if driver in ("psycopg2", "psycopg"):
        cursor = database.cursor(name="retell_bulk_update")
        cursor.itersize = BATCH
        return cursor
    if driver == "MySQLdb":
        from MySQLdb.cursors import SSCursor  # type: ignore[import-not-found, import-untyped, unused-ignore]

        return database.cursor(SSCursor)
    return database.cursor()
