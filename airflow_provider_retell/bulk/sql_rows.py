"""Rows of a database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from airflow_provider_retell.api.errors import RetellConfigError, RetellInputError
from airflow_provider_retell.bulk.column_names import check_distinct
from airflow_provider_retell.bulk.rows import BATCH, Header, Row, Rows


class SqlRows(Rows):
    """The rows of a query, streamed from the cursor.

    ::

        BulkUpdateCallOperator(
            task_id="enrich",
            rows=SqlRows("warehouse", "select call_id, tier from enriched where day = %s", ["{{ ds }}"]),
        )

    The query must return the column with the call's id and all columns that the task names, or the task fails before
    the first update.

    Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/bulk.html

    :param conn_id: the Airflow connection of a SQL database; any type whose hook is a ``DbApiHook`` (templated).
    :param sql: the query, or the path of a ``.sql`` file, as Airflow's other SQL operators accept it (templated).
    :param parameters: values for the placeholders of the query, in the form of the database's driver (templated).
        Default: no parameters.
    :raises RetellConfigError: when the task runs, if the connection is not a SQL connection.
    :raises RetellInputError: when the task runs, if the statement returns no rows or two columns of the same name.
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
        # Without the parameters, which are values.
        return f"SqlRows(conn_id={self.conn_id!r}, sql={self.sql!r})"

    __repr__ = __str__

    def read(self) -> Iterator[Row]:
        """Yield the rows of the result as dicts."""
        from airflow_provider_retell._compat import BaseHook

        connection: Any = BaseHook.get_connection(self.conn_id)
        hook = connection.get_hook()
        if not hasattr(hook, "get_conn") or not hasattr(hook, "get_records"):
            raise RetellConfigError(f"connection {self.conn_id!r} must be a connection to a SQL database")
        with closing(hook.get_conn()) as database, closing(_streaming_cursor(database)) as cursor:
            cursor.execute(self.sql, *([] if self.parameters is None else [self.parameters]))
            # Fetch before reading the names: a server-side cursor has no description before the first fetch.
            batch = cursor.fetchmany(BATCH)
            if cursor.description is None:
                raise RetellInputError("rows: the statement returns no rows. Use a select statement")
            names = [column[0] for column in cursor.description]
            check_distinct(names)
            yield Header(names)
            while batch:
                for row in batch:
                    yield dict(zip(names, row, strict=True))
                batch = cursor.fetchmany(BATCH)


def _streaming_cursor(database: Any) -> Any:
    """Return a cursor that leaves the result on the server, for drivers that fetch all of it by default."""
    driver = type(database).__module__.partition(".")[0]
    if driver in ("psycopg2", "psycopg"):
        cursor = database.cursor(name="retell_bulk_update")
        cursor.itersize = BATCH
        return cursor
    if driver == "MySQLdb":
        from MySQLdb.cursors import SSCursor  # type: ignore[import-not-found, import-untyped, unused-ignore]

        return database.cursor(SSCursor)
    return database.cursor()
