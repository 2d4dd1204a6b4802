"""The differences between databases and their drivers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from airflow_provider_retell.api.errors import RetellConfigError, RetellInputError
from airflow_provider_retell.bulk.rows import BATCH
from airflow_provider_retell.bulk.sql.errors import DatabaseError
from airflow_provider_retell.bulk.sql.statement import is_plain_select

_MISSING = object()


def sql_hook(conn_id: str, hook_params: Mapping[str, Any] | None) -> Any:
    """Return the hook of a SQL database.

    :param hook_params: arguments of the hook, as Airflow's SQL operators accept them.
    :raises RetellConfigError: if the connection leads to no SQL database.
    """
    from airflow_provider_retell._compat import BaseHook

    connection: Any = BaseHook.get_connection(conn_id)
    arguments = dict(hook_params or {})
    if getattr(connection, "conn_type", None) == "google_cloud_platform":
        from airflow.providers.google.cloud.hooks.bigquery import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
            BigQueryHook,
        )

        return BigQueryHook(gcp_conn_id=conn_id, **{"use_legacy_sql": False, **arguments})
    hook = connection.get_hook(hook_params=arguments)
    if not hasattr(hook, "get_conn") or not hasattr(hook, "get_records"):
        raise RetellConfigError(f"connection {conn_id!r} must be a connection to a SQL database")
    return hook


def open_database(hook: Any) -> Any:
    """Return an open DB-API connection of *hook*.

    :raises DatabaseError: if another process has a DuckDB file open for writing.
    """
    if any(kind.__name__ == "BigQueryHook" for kind in type(hook).__mro__):
        # Airflow's own cursor for BigQuery returns the values of the REST API. Google's client converts them.
        from google.cloud.bigquery import dbapi  # type: ignore[import-not-found,import-untyped,unused-ignore]

        client = hook.get_client(project_id=hook.project_id, location=hook.location)
        return dbapi.connect(client, prefer_bqstorage_client=False)
    try:
        return hook.get_conn()
    except Exception as error:
        if "duckdb" not in type(error).__module__ or "lock" not in str(error):
            raise
    # Not in the except clause, so that DuckDB's error is not logged with it.
    raise DatabaseError(
        "Another process has locked the DuckDB file: either one process can write to it, or several can read it. Set "
        '{"read_only": true} in the extra of the connection, and run the task again when the other process has closed '
        "the file"
    )


def open_cursor(database: Any, sql: str) -> Any:
    """Return a cursor that leaves the result on the server, for drivers that fetch all of it by default."""
    driver = type(database).__module__.partition(".")[0]
    # PostgreSQL declares cursors in transactions only.
    if driver in ("psycopg2", "psycopg") and is_plain_select(sql) and database.autocommit is not True:
        cursor = database.cursor(name="retell_bulk_update")
        cursor.itersize = BATCH
        return cursor
    if driver in ("MySQLdb", "pymysql"):
        return database.cursor(import_module(f"{driver}.cursors").SSCursor)
    return database.cursor()


def commit(hook: Any, database: Any) -> None:
    """Commit the changes of functions in the query. Airflow's hooks commit after each statement too."""
    get_autocommit = getattr(hook, "get_autocommit", lambda found: getattr(found, "autocommit", False))
    if not get_autocommit(database) and hasattr(database, "commit"):
        database.commit()


def values(row: Any, names: Sequence[str]) -> tuple[Any, ...]:
    """Return the values of *row* in the order of the columns, whatever class the cursor makes of its rows.

    :raises RetellInputError: if the class does not show its values.
    """
    kind = type(row)
    if kind is tuple:
        found: tuple[Any, ...] = row
    elif isinstance(row, Mapping):
        found = tuple(row[name] for name in names) if row.keys() >= set(names) else tuple(row.values())
    elif isinstance(row, (str, bytes)) or not hasattr(row, "__getitem__"):
        # An object with an attribute for each column, or the value of the only column.
        found = tuple(getattr(row, name, _MISSING) for name in names)
        if _MISSING in found:
            found = (row,)
    else:
        found = tuple(row)
    if len(found) != len(names):
        raise RetellInputError(
            f"the cursor returns rows of the type {kind.__name__}, which do not have the columns of the query. "
            "Use a cursor that returns tuples or dicts"
        )
    return found


def first_batch(cursor: Any, size: int) -> Sequence[Any]:
    """Return the first rows of an executed statement.

    Of several statements, it is the first one that returns rows: ``set search_path = mart; select …``.

    :raises RetellInputError: if no statement returns rows.
    """
    while True:
        # A server-side cursor has no description before the first fetch, and others cannot fetch without one.
        if cursor.description is not None or getattr(cursor, "name", None):
            batch: Sequence[Any] = cursor.fetchmany(size)
            if cursor.description is not None:
                return batch
        if not _next_result(cursor):
            raise RetellInputError("the statement returns no rows. Use a select statement")


def _next_result(cursor: Any) -> bool:
    try:
        return bool(cursor.nextset())
    except Exception:  # optional in PEP 249, so some drivers have no such method, and psycopg2 raises
        return False
