"""Rows of a database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.bulk.rows import Row, Rows
from airflow_provider_retell.bulk.source import shown_field
from airflow_provider_retell.params import checks

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.bulk.sql.query import Query


class SqlRows(Rows):
    """The rows of a query.

    ::

        from airflow_provider_retell.bulk import SqlRows
        from airflow_provider_retell.operators import BulkUpdateCallOperator

        BulkUpdateCallOperator(
            task_id="enrich",
            rows=SqlRows("warehouse", "select call_id, tier from enriched where day = %s", ["{{ ds }}"]),
        )

    The query must return the column with the call's id and all columns that the task names, or the task fails before
    the first update. It must only read. The result is copied to a private temporary file before the first update, so
    that the database does not wait for Retell's quota.

    Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/rows.html#databases

    :param conn_id: the Airflow connection of a SQL database: any type whose hook is a ``DbApiHook``, or Google Cloud
        for BigQuery (templated).
    :param sql: the query, or the path of a ``.sql`` file, as Airflow's other SQL operators accept it (templated).
    :param parameters: values for the placeholders of the query, in the form of the database's driver (templated).
        Default: no parameters.
    :param hook_params: arguments of the connection's hook, as in Airflow's SQL operators, for example
        ``{"warehouse": "LARGE"}`` for Snowflake (templated).
    :raises ValueError: if *conn_id* has spaces, as a query has.
    :raises RetellConfigError: when the task runs, if the connection is not a SQL connection.
    :raises RetellInputError: when the task runs, if the statement writes or returns no rows, or if two columns have
        the same name.
    """

    template_fields = ("conn_id", "sql", "parameters", "hook_params")
    # Not the values of parameters, and hooks may have passwords among their arguments.
    shown_fields = ("conn_id", "sql")

    def __init__(
        self,
        conn_id: str | XComArg,
        sql: str | XComArg,
        parameters: Sequence[Any] | Mapping[str, Any] | XComArg | None = None,
        hook_params: Mapping[str, Any] | XComArg | None = None,
    ) -> None:
        checks.connection_id("conn_id", conn_id)
        self.conn_id = conn_id
        self.sql = sql
        self.parameters = parameters
        self.hook_params = hook_params
        self._query: Query | None = None

    def read(self) -> Iterator[Row]:
        """Yield the rows of the result as dicts."""
        from airflow_provider_retell.bulk.sql.query import Query

        parameters: Any = self.parameters
        hook_params: Any = self.hook_params
        self._query = Query(str(self.conn_id), str(self.sql), parameters, hook_params)
        yield from self._query.read()

    def size(self) -> int | None:
        """Return the number of rows after the result was copied."""
        return self._query.size if self._query else None

    def label(self) -> str:
        """Return the class and the connection."""
        return f"{type(self).__name__}(conn_id={shown_field(self.conn_id)})"

    def stop(self) -> None:
        """Stop copying the result."""
        if self._query:
            self._query.stop()
