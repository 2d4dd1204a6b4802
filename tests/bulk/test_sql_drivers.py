"""The differences between the drivers of databases."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from airflow_provider_retell._compat import BaseHook
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.bulk.sql.drivers import (
    commit,
    first_batch,
    open_cursor,
    open_database,
    sql_hook,
    values,
)
from airflow_provider_retell.bulk.sql.errors import DatabaseError


class Database:
    """A connection of a driver with the given name. Its cursors show their arguments."""

    autocommit: Any = False

    def cursor(self, *args: Any, **options: Any) -> Any:
        return SimpleNamespace(args=args, options=options)


def connect(driver: str, autocommit: Any = False) -> Database:
    kind = type("connection", (Database,), {"__module__": f"{driver}.extensions", "autocommit": autocommit})
    database: Database = kind()
    return database


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
def test_postgresql_keeps_the_result_of_a_plain_select_on_the_server(driver: str) -> None:
    cursor = open_cursor(connect(driver), "select 1")
    assert list(cursor.options) == ["name"]
    assert cursor.options["name"]
    assert cursor.itersize == 1000


@pytest.mark.parametrize(
    ("driver", "sql", "autocommit"),
    [
        ("psycopg2", "show tables", False),
        ("psycopg2", "select 1", True),
        ("psycopg", "set x = 1; select 1", False),
        ("sqlite3", "select 1", False),
    ],
)
def test_other_statements_and_drivers_get_a_plain_cursor(driver: str, sql: str, autocommit: bool) -> None:
    cursor = open_cursor(connect(driver, autocommit), sql)
    assert (cursor.args, cursor.options) == ((), {})


@pytest.mark.parametrize("driver", ["MySQLdb", "pymysql"])
def test_mysql_keeps_the_result_on_the_server(driver: str, mocker: Any) -> None:
    cursors: Any = ModuleType(f"{driver}.cursors")
    cursors.SSCursor = object()
    mocker.patch.dict(sys.modules, {driver: ModuleType(driver), f"{driver}.cursors": cursors})
    assert open_cursor(connect(driver), "show tables").args == (cursors.SSCursor,)


class BigQueryHook:
    """A hook with the name and the attributes of Airflow's."""

    project_id, location = "project", "EU"

    def __init__(self, **options: Any) -> None:
        self.options = options

    def get_client(self, **options: Any) -> Any:
        return options


def test_bigquery_is_read_with_the_client_of_google(mocker: Any) -> None:
    google: Any = ModuleType("google.cloud.bigquery")
    google.dbapi = SimpleNamespace(connect=lambda client, **options: (client, options))
    mocker.patch.dict(sys.modules, {"google.cloud.bigquery": google})
    client, options = open_database(type("OwnHook", (BigQueryHook,), {})())
    assert client == {"project_id": "project", "location": "EU"}
    assert options == {"prefer_bqstorage_client": False}


@pytest.mark.parametrize(("hook_params", "legacy"), [(None, False), ({"use_legacy_sql": True}, True)])
def test_connection_of_google_cloud_leads_to_bigquery(mocker: Any, hook_params: Any, legacy: bool) -> None:
    name = "airflow.providers.google.cloud.hooks.bigquery"
    bigquery: Any = ModuleType(name)
    bigquery.BigQueryHook = BigQueryHook
    mocker.patch.dict(sys.modules, {name: bigquery})
    connection = SimpleNamespace(conn_type="google_cloud_platform")
    mocker.patch.object(BaseHook, "get_connection", return_value=connection)
    hook = sql_hook("lake", hook_params)
    assert hook.options == {"gcp_conn_id": "lake", "use_legacy_sql": legacy}


class IOException(Exception):  # noqa: N818
    """DuckDB's."""

    __module__ = "_duckdb"


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (IOException('IO Error: Could not set lock on file "/data/w.duckdb": in use (PID 7)'), DatabaseError),
        (IOException('IO Error: Cannot open file "/data/w.duckdb"'), IOException),
        (OSError("a lock"), OSError),
    ],
)
def test_a_locked_duckdb_file_has_advice(error: Exception, raised: type[Exception]) -> None:
    def get_conn() -> Any:
        raise error

    with pytest.raises(raised) as caught:
        open_database(SimpleNamespace(get_conn=get_conn))
    if raised is DatabaseError:
        assert '"read_only": true' in str(caught.value)
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    else:
        assert caught.value is error


@pytest.mark.parametrize(
    ("hook", "autocommit", "commits"),
    [
        (SimpleNamespace(), False, 1),
        (SimpleNamespace(), True, 0),
        (SimpleNamespace(get_autocommit=lambda database: True), False, 0),
        (SimpleNamespace(get_autocommit=lambda database: database.autocommit), False, 1),
    ],
)
def test_changes_of_functions_are_committed_once(hook: Any, autocommit: bool, commits: int) -> None:
    committed: list[None] = []
    commit(hook, SimpleNamespace(autocommit=autocommit, commit=lambda: committed.append(None)))
    assert len(committed) == commits


def test_a_database_without_transactions_is_not_committed() -> None:
    commit(SimpleNamespace(), SimpleNamespace())


def test_values_of_a_mapping_with_other_names_keep_their_order() -> None:
    assert values({"ID": "a", "N": 1}, ["id", "n"]) == ("a", 1)
    assert values({"n": 1, "more": 2, "id": "a"}, ["id", "n"]) == ("a", 1)
    with pytest.raises(RetellInputError, match="rows of the type dict, which do not have the columns"):
        values({"id": "a"}, ["id", "n"])


class Cursor:
    """A cursor with the results of several statements; None for a statement that returns no rows."""

    def __init__(self, *results: list[Any] | None, name: str | None = None) -> None:
        self.results = list(results)
        self.name = name
        self.is_fetched = False

    @property
    def description(self) -> Any:
        if self.results[0] is None or (self.name and not self.is_fetched):
            return None
        return (("call_id",),)

    def fetchmany(self, size: int) -> Any:
        self.is_fetched = True
        return (self.results[0] or [])[:size]

    def nextset(self) -> Any:
        self.results.pop(0)
        return True if self.results else None


ROWS = [("a",), ("b",), ("c",)]


@pytest.mark.parametrize(
    "cursor", [Cursor(ROWS), Cursor(None, None, ROWS), Cursor([], ROWS), Cursor(ROWS, name="server_side")]
)
def test_first_batch_is_of_the_first_statement_with_a_result(cursor: Cursor) -> None:
    assert first_batch(cursor, 2) == (cursor.results[0] or [])[:2]
    assert len(cursor.results) <= 2


@pytest.mark.parametrize("cursor", [Cursor(None), Cursor(None, None), SimpleNamespace(description=None)])
def test_statements_without_a_result_are_rejected(cursor: Any) -> None:
    with pytest.raises(RetellInputError, match="the statement returns no rows. Use a select statement"):
        first_batch(cursor, 2)
