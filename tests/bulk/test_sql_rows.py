"""Rows of a query."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_retell._compat import AirflowFailException, BaseHook
from airflow_provider_retell.bulk import FailedRows, SqlRows
from airflow_provider_retell.emulator import Emulator, Fault


@pytest.fixture
def define_hook(mocker: Any) -> Any:
    """Let an Airflow connection have a given hook."""
    real = BaseHook.get_connection

    def define_hook(conn_id: str, hook: Any) -> None:
        connection = SimpleNamespace(get_hook=lambda: hook)
        mocker.patch.object(
            BaseHook, "get_connection", lambda name: connection if name == conn_id else real(name)
        )

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


def test_a_query_is_streamed(emulator: Emulator, run: Any, define_hook: Any) -> None:
    """The tenth chunk is not fetched before the first is planned, and only fetchmany is used."""
    fetched: list[tuple[int, int]] = []

    class Cursor:
        description = (("call_id",), ("n",))

        def execute(self, sql: str) -> None:
            self.left = 10_000

        def fetchmany(self, size: int) -> list[tuple[str, int]]:
            fetched.append((size, emulator.count("list-calls")))
            start, self.left = 10_000 - self.left, max(self.left - size, 0)
            return [(f"call_{n}", 1) for n in range(start, 10_000 - self.left)]

        def close(self) -> None:
            fetched.append((0, 0))

    database = SimpleNamespace(cursor=Cursor, close=lambda: None)
    define_hook("warehouse", SimpleNamespace(get_conn=lambda: database, get_records=None))
    emulator.add_calls([f"call_{n}" for n in range(10_000)], metadata={"n": 1})
    assert run(rows=SqlRows("warehouse", "select")).counts == {"unchanged": 10_000}
    assert fetched[-1] == (0, 0)
    sizes, chunks_planned = zip(*fetched[:-1], strict=True)
    assert set(sizes) == {1000}
    assert [planned - n for n, planned in enumerate(chunks_planned)] == [0] * 11


def test_a_cursor_that_cannot_be_closed_is_logged_and_hides_no_error(
    emulator: Emulator, run: Any, define_hook: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Cursor:
        description = (("call_id",),)

        def execute(self, sql: str) -> None: ...

        def fetchmany(self, size: int) -> list[tuple[str]]:
            return [("a",)] * size

        def close(self) -> None:
            raise OSError("the server is gone")

    database = SimpleNamespace(cursor=Cursor, close=lambda: None)
    define_hook("warehouse", SimpleNamespace(get_conn=lambda: database, get_records=None))
    emulator.faults.add(Fault.status(401), route="list-calls", times=0)
    task = run(rows=SqlRows("warehouse", "select"), fails=True)
    assert "401" in str(task.error)
    assert "The source of the rows could not be closed" in caplog.text


def test_sqlite_yields_rows_while_it_computes_them(emulator: Emulator, run: Any, warehouse: Any) -> None:
    """An endless query is read in part, and then stopped."""
    emulator.add_calls([f"call_{n}" for n in range(3000)])
    emulator.faults.add(Fault.status(401), route="list-calls", after=2, times=0)
    endless = "with recursive n(i) as (select 0 union all select i + 1 from n) select 'call_' || i as call_id from n"
    task = run(rows=SqlRows("warehouse", endless), fails=True)
    assert task.counts == {"unchanged": 2000}


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


def test_a_statement_without_rows_is_rejected(emulator: Emulator, run: Any, warehouse: Any) -> None:
    task = run(rows=SqlRows("warehouse", "update facts set tier = 'x'"), fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert "the statement returns no rows" in str(task.error)


def test_a_connection_without_a_database_is_rejected(emulator: Emulator, run: Any, define_hook: Any) -> None:
    define_hook("bucket", SimpleNamespace())
    task = run(rows=SqlRows("bucket", "select"), fails=True)
    assert "connection 'bucket' must be a connection to a SQL database" in str(task.error)
