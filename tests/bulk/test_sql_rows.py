"""Rows of a query."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections import namedtuple
from contextlib import closing
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from full_disk import full_file

from airflow_provider_retell._compat import AirflowFailException, BaseHook
from airflow_provider_retell.api.encode import to_json
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.bulk import FailedRows, SqlRows
from airflow_provider_retell.bulk.sql.drivers import values
from airflow_provider_retell.bulk.sql.spool import Spool
from airflow_provider_retell.bulk.sql.statement import is_plain_select, written_by
from airflow_provider_retell.bulk.sql.wire import decoder
from airflow_provider_retell.common.disk import DiskFullError
from airflow_provider_retell.documents import SqlDocuments
from airflow_provider_retell.emulator import Emulator, Fault


@pytest.fixture
def define_hook(mocker: Any) -> Any:
    """Let the connection ``warehouse`` have a given hook, or one of a given database. Return its ``hook_params``."""
    real = BaseHook.get_connection

    def define_hook(hook: Any) -> list[Any]:
        if isinstance(hook, FakeDatabase):
            hook = SimpleNamespace(get_conn=lambda database=hook: database, get_records=None)
        given: list[Any] = []
        connection = SimpleNamespace(get_hook=lambda hook_params: given.append(hook_params) or hook)
        mocker.patch.object(
            BaseHook, "get_connection", lambda name: connection if name == "warehouse" else real(name)
        )
        return given

    return define_hook


@pytest.mark.parametrize("native", [False, True])
def test_a_query_can_have_templates_and_parameters(
    emulator: Emulator, run: Any, warehouse: Any, native: bool
) -> None:
    emulator.add_calls(["a", "b", "c"])
    rows = [("a", "2026-11-21", "gold", 1.5), ("b", "2026-11-21", "tin", None), ("c", "2026-11-20", "x", 1)]
    warehouse.executemany("insert into facts values (?, ?, ?, ?)", rows)
    source = SqlRows(
        "{{ where }}",
        "select id, tier, ltv from facts where day = '{{ day }}' and tier <> ?",
        ["{{ not_this }}"],
    )
    task = run(
        rows=source,
        call_id_column="id",
        metadata_columns={"tier": "customer_tier", "ltv": "ltv"},
        native=native,
        context={"where": "warehouse", "day": "2026-11-21", "not_this": "tin"},
    )
    task.check(rows=1)
    assert emulator.calls["a"]["metadata"] == {"customer_tier": "gold", "ltv": 1.5}
    assert source.sql.count("{{") == 1, "the DAG's own object was rendered"


class FakeDatabase:
    """A database whose cursor counts what happens to it."""

    def __init__(self, emulator: Emulator, batches: int, close: Any = lambda: None) -> None:
        self.emulator, self.batches, self.close_cursor = emulator, batches, close
        self.log: list[str] = []
        self.description = (("call_id",),)
        self.fetched = 0

    def cursor(self) -> Any:
        return SimpleNamespace(
            description=self.description,
            execute=lambda sql: self.log.append("execute"),
            fetchmany=self.fetchmany,
            close=self.close_cursor,
        )

    def fetchmany(self, size: int) -> list[tuple[str]]:
        assert size == 1000
        assert not self.emulator.requests, "the database waits for Retell"
        self.fetched += 1
        start = (self.fetched - 1) * size
        return [(f"call_{n}",) for n in range(start, start + size)] if self.fetched <= self.batches else []

    def commit(self) -> None:
        self.log.append("commit")

    def close(self) -> None:
        self.log.append("close")


@pytest.fixture
def spools(mocker: Any) -> list[Any]:
    """The temporary files with rows of queries."""
    files: list[Any] = []
    create = tempfile.TemporaryFile

    def record(*arguments: Any, **options: Any) -> Any:
        file = create(*arguments, **options)
        if options.get("prefix") == "retell-rows-":
            files.append(file)
        return file

    # Not mocker.spy, which replaces the file in older versions.
    mocker.patch.object(tempfile, "TemporaryFile", record)
    return files


def test_the_result_is_copied_and_the_database_closed_before_the_first_request(
    emulator: Emulator, run: Any, define_hook: Any, spools: list[Any]
) -> None:
    database = FakeDatabase(emulator, batches=10)
    define_hook(database)
    emulator.add_calls([f"call_{n}" for n in range(10_000)])
    assert run(rows=SqlRows("warehouse", "select")).counts == {"unchanged": 10_000}
    assert database.log == ["execute", "commit", "close"]
    assert [spool.closed for spool in spools] == [True]


def test_a_full_disk_is_no_error_of_the_database(
    emulator: Emulator, run: Any, define_hook: Any, mocker: Any
) -> None:
    database = FakeDatabase(emulator, batches=1)
    define_hook(database)
    mocker.patch.object(tempfile, "TemporaryFile", full_file)
    error = run(rows=SqlRows("warehouse", "select"), fails=True, report_path=None).error
    assert str(error) == (
        f"A temporary file could not be written to {tempfile.gettempdir()}: No space left on device. Free space "
        "there, or set TMPDIR to another folder where the task runs"
    )
    assert type(error) is DiskFullError
    assert database.log[-1] == "close"


def test_the_temporary_file_is_closed_if_the_run_fails(
    emulator: Emulator, run: Any, define_hook: Any, spools: list[Any]
) -> None:
    database = FakeDatabase(emulator, batches=3)
    define_hook(database)
    emulator.faults.add(Fault.status(401), route="list-calls", times=0)
    task = run(rows=SqlRows("warehouse", "select"), fails=True)
    assert "401" in str(task.error)
    assert [spool.closed for spool in spools] == [True]


def test_a_cursor_that_cannot_be_closed_is_logged(
    emulator: Emulator, run: Any, define_hook: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def close() -> None:
        raise OSError("the server is gone")

    database = FakeDatabase(emulator, 1, close)
    define_hook(database)
    emulator.add_calls([f"call_{n}" for n in range(1000)])
    assert run(rows=SqlRows("warehouse", "select")).counts == {"unchanged": 1000}
    assert "The database could not be closed (OSError)" in caplog.text


def test_a_stop_ends_the_copying_of_an_endless_result(warehouse: Any) -> None:
    endless = "with recursive n(i) as (select 0 union all select i + 1 from n) select 'call_' || i as call_id from n"
    source = SqlRows("warehouse", endless)
    thread = threading.Thread(target=lambda: list(source.read()))
    thread.start()
    while source._query is None:
        thread.join(0.01)
    source.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_the_log_has_the_rows_to_come_and_the_time_left(
    emulator: Emulator, run: Any, warehouse: Any, caplog: pytest.LogCaptureFixture, no_sleep: Any
) -> None:
    emulator.add_calls([f"call_{n}" for n in range(60)])
    warehouse.executemany(
        "insert into facts values (?, ?, ?, ?)", [(f"call_{n}", "d", "x", 1) for n in range(60)]
    )
    with caplog.at_level("INFO"):
        run(rows=SqlRows("warehouse", "select id as call_id, tier from facts"), quota="2/1")
    lines = [message for message in caplog.messages if " of 60 rows done after" in message]
    assert lines
    assert " rows left, about " in lines[0]


@pytest.mark.parametrize(
    "sql",
    [
        "update facts set tier = 'x' returning id as call_id, tier",
        "with gone as (delete from facts returning *) select * from gone",
        "/* select */ insert into facts values ('b', 'd', 'x', 1) returning *",
        "select 1; drop table facts",
        "with a as (select 1) update facts set tier = 'x' returning *",
        "select * into other from facts",
        "create table other as select * from facts",
    ],
)
def test_a_statement_that_writes_is_rejected_before_it_runs(
    emulator: Emulator, run: Any, warehouse: Any, sql: str
) -> None:
    warehouse.execute("insert into facts values ('a', 'd', 'gold', 1.5)")
    task = run(rows=SqlRows("warehouse", sql), fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert "the statement must only read, and this one has" in str(task.error)
    assert warehouse.execute("select * from facts").fetchall() == [("a", "d", "gold", 1.5)]


@pytest.mark.parametrize(
    "sql",
    [
        "select 'delete', replace(id, 'a', 'b'), \"update\" from facts -- drop table facts",
        "select * from (select 1) t where insert(a, 1, 1, '') = '' for update",
        "set search_path = mart; select 1",
        "create temp table t as select 1; select * from t",
        "alter session set timezone = 'UTC'",
        "show tables",
        "select $body$ ; delete from facts $body$",
    ],
)
def test_statements_that_read_are_accepted(sql: str) -> None:
    assert written_by(sql) is None


@pytest.mark.parametrize(
    ("sql", "plain"),
    [
        ("select 1", True),
        (" (select 1) union (select 2); ", True),
        ("-- a comment\nwith a as (select ';') select * from a", True),
        ("values (1)", True),
        ("set search_path = mart; select 1", False),
        ("show tables", False),
        ("explain select 1", False),
        ("with a as (delete from b returning *) select * from a", False),
    ],
)
def test_only_a_plain_select_gets_a_cursor_on_the_server(sql: str, plain: bool) -> None:
    assert is_plain_select(sql) is plain


def sqlite_row() -> sqlite3.Row:
    with closing(sqlite3.connect(":memory:")) as database:
        database.row_factory = sqlite3.Row
        row: sqlite3.Row = database.execute("select 'a' as id, 1 as n").fetchone()
        return row


class Point:
    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


@pytest.mark.parametrize(
    "row",
    [
        ("a", 1),
        ["a", 1],
        {"n": 1, "id": "a"},
        namedtuple("Row", "id n")("a", 1),
        Point(id="a", n=1),
        sqlite_row(),
    ],
)
def test_rows_of_any_class_are_read(row: Any) -> None:
    assert values(row, ["id", "n"]) == ("a", 1)


def test_the_value_of_the_only_column_is_a_row_too() -> None:
    assert values("call_a", ["id"]) == ("call_a",)
    with pytest.raises(RetellInputError, match="Use a cursor that returns tuples or dicts"):
        values("ab", ["id", "n"])


def test_hook_params_reach_the_hook_and_are_not_shown(emulator: Emulator, run: Any, define_hook: Any) -> None:
    given = define_hook(FakeDatabase(emulator, batches=0))
    source = SqlRows("warehouse", "select", hook_params={"role": "{{ role }}"})
    run(rows=source, context={"role": "PRIVATE"})
    assert given == [{"role": "PRIVATE"}]
    assert str(source) == "SqlRows(conn_id='warehouse', sql='select')"


BIGQUERY = [
    ("at", "TIMESTAMP"),
    ("ltv", "NUMERIC"),
    ("note", "STRING"),
    ("tags", "STRING"),
    ("facts", "RECORD"),
]


def test_wire_formats_are_converted_by_the_schema() -> None:
    decode = decoder(BIGQUERY)
    assert decode is not None
    row = decode((1795341600.123456, "18250.40", "1795341600.1", ["a"], None))
    assert row == (
        datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=timezone.utc),
        Decimal("18250.40"),
        "1795341600.1",
        ["a"],
        None,
    )


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (5, "INTEGER"),
        (1.5, "FLOAT"),
        (True, "TIMESTAMP"),
        ("2026-11-22", "TIMESTAMP"),
        ("1.5", "STRING"),
        ("many", "NUMERIC"),
        (1, 16),
        ([], "STRING"),
        ([{"v": "a", "w": "b"}], "RECORD"),
        ({"v": "a", "w": "b"}, "RECORD"),
        ({"f": "a"}, "RECORD"),
        ({"f": [1, 2]}, "RECORD"),
        ({"f": [{"v": "a"}], "g": 1}, "RECORD"),
    ],
)
def test_other_values_are_not_converted(value: Any, kind: Any) -> None:
    decode = decoder([("call_id", "STRING"), ("x", kind)])
    assert decode is not None
    found = decode(("a", value))[1]
    assert (type(found), found) == (type(value), value)


def test_rows_of_a_driver_without_names_of_types_are_not_converted() -> None:
    assert decoder([("call_id", 1043), ("x", None)]) is None
    assert decoder([("call_id",)]) is None


@pytest.mark.parametrize(
    "value",
    [
        {"f": [{"v": "gold"}, {"v": "3"}]},
        [{"v": "a"}, {"v": "b"}],
        {"v": "a"},
    ],
)
def test_wire_formats_that_need_another_schema_are_rejected(
    emulator: Emulator, run: Any, define_hook: Any, value: Any
) -> None:
    database = FakeDatabase(emulator, batches=1)
    database.description = (("call_id", "STRING"), ("facts", "RECORD"))
    batches = iter([[("a", value)], []])
    database.fetchmany = lambda size: next(batches)  # type: ignore[method-assign]
    define_hook(database)
    task = run(rows=SqlRows("warehouse", "select"), fails=True)
    assert "returns column facts in the format of its server" in str(task.error)
    assert not emulator.requests


def test_a_value_that_cannot_be_stored_costs_its_row_only() -> None:
    with Spool() as spool:
        spool.add([("a", memoryview(b"x")), ("b", lambda: None), ("c", 1)])
        rows = list(spool.read())
    assert rows[0] == ("a", b"x")
    assert rows[2] == ("c", 1)
    with pytest.raises(RetellInputError, match="metadata is a DriverValue, which has no JSON form"):
        to_json(rows[1][1], "metadata")


@pytest.mark.parametrize("rows", [0, 1])
def test_a_column_that_the_query_lacks_is_named_before_anything_is_sent(
    emulator: Emulator, run: Any, warehouse: Any, rows: int
) -> None:
    warehouse.executemany("insert into facts values (?, ?, ?, ?)", [("a", "d", "gold", 1.5)] * rows)
    task = run(
        rows=SqlRows("warehouse", "select id, tier from facts"),
        metadata_columns=["tier", "ltv"],
        data_storage_setting_column="keeps",
        fails=True,
    )
    assert not emulator.requests
    assert isinstance(task.error, AirflowFailException)
    assert "the rows have no column call_id, ltv, keeps; they have: id, tier" in str(task.error)


def test_a_query_can_be_in_a_file(emulator: Emulator, run: Any, warehouse: Any, tmp_path: Path) -> None:
    emulator.add_calls(["a"])
    warehouse.execute("insert into facts values ('a', 'd', 'gold', 1.5)")
    (tmp_path / "query.sql").write_text("select id, tier from facts where day = '{{ day }}'")
    (tmp_path / "empty.jsonl").write_text("")
    query = SqlRows("warehouse", "query.sql")
    for source in (query, FailedRows(query, str(tmp_path / "empty.jsonl"))):
        task = run(rows=source, call_id_column="id", context={"day": "d"})
        assert task.manifest["rows"] == 1
    assert emulator.calls["a"]["metadata"] == {"tier": "gold"}


def test_a_connection_without_a_database_is_rejected(emulator: Emulator, run: Any, define_hook: Any) -> None:
    define_hook(SimpleNamespace())
    task = run(rows=SqlRows("warehouse", "select"), fails=True)
    assert "connection 'warehouse' must be a connection to a SQL database" in str(task.error)


@pytest.mark.parametrize("source", [SqlRows, SqlDocuments])
def test_a_query_in_place_of_the_connection_fails_when_the_dag_is_read(source: Any) -> None:
    with pytest.raises(ValueError, match="conn_id must be the id of a connection") as caught:
        source("select call_id from enriched", "warehouse")
    assert "enriched" not in str(caught.value)
    source("{{ var.value.warehouse }}", "select call_id from enriched")
