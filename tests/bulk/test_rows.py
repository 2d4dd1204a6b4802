"""Where rows come from, and what their columns mean."""

from __future__ import annotations

import csv
import gzip
import json
import sqlite3
import threading
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_retell._compat import AirflowFailException, BaseHook
from airflow_provider_retell.bulk import FailedRows, FileRows, SqlRows
from airflow_provider_retell.bulk.digest_set import DigestSet
from airflow_provider_retell.bulk.outcome import Result
from airflow_provider_retell.bulk.report import Report
from airflow_provider_retell.bulk.rows import BadRow
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators.list_calls import ListCallsOperator

PRIVATE = "Ada's private note"


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> sqlite3.Connection:
    pytest.importorskip("airflow.providers.sqlite")
    path = tmp_path / "warehouse.db"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("create table facts (id text, day text, tier text, ltv real)")
    return database


# -- a list, an upstream task's output, a function


def test_a_function_is_called_when_the_task_runs(emulator: Emulator, run: Any) -> None:
    emulator.add_calls(["a", "b"])

    def rows() -> Any:
        for call_id in "ab":
            yield {"call_id": call_id, "thread": threading.current_thread().name}

    assert run(rows=rows).counts == {"updated": 2}
    assert emulator.calls["a"]["metadata"]["thread"].startswith("retell-rows")


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("source", ["output", "template", "json"])
def test_an_upstream_tasks_output(emulator: Emulator, run: Any, native: bool, source: str) -> None:
    emulator.add_calls(["a"])
    given = [{"call_id": "a", "note": PRIVATE, "template": "{{ not_rendered }}"}]

    class Output(list):  # stands for XComArg, which the e2e tests use
        pass

    rows = {"output": Output(given), "template": "{{ given }}", "json": "{{ given | tojson }}"}[source]
    if source == "output":
        rows[0] = {**given[0], "template": "rendered is {{ 'code' }}"}
    assert run(rows=rows, native=native, context={"given": given}).counts == {"updated": 1}
    assert emulator.calls["a"]["metadata"]["note"] == PRIVATE


def test_text_that_is_no_list_is_refused_without_a_word_of_it(emulator: Emulator, run: Any) -> None:
    for given in (f"{PRIVATE} [", "None", "", '{"call_id": "a"}'):
        task = run(rows="{{ given }}", context={"given": given}, fails=True, report_path=None)
        assert isinstance(task.error, AirflowFailException)
        assert "rows rendered to" in str(task.error)
        assert PRIVATE not in str(task.error)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (lambda: None, "not a NoneType"),
        (lambda: {"call_id": "a"}, "not a dict"),
        (lambda: "text", "not text"),
        ({"call_id": "a"}, "not a dict"),
    ],
)
def test_what_is_no_rows_is_said(emulator: Emulator, run: Any, rows: Any, says: str) -> None:
    task = run(rows=rows, fails=True)
    assert says in str(task.error)
    assert isinstance(task.error, AirflowFailException)
    assert not emulator.requests


def test_rows_that_are_no_rows_are_invalid(emulator: Emulator, run: Any) -> None:
    emulator.add_calls(["a"])
    task = run(rows=lambda: iter([{"call_id": "a"}, ["a"], "a", None, {"call_id": "b", 1: 2}]), fails=True)
    task.check(rows=5)
    assert task.counts == {"unchanged": 1, "invalid": 4}
    assert task.outcome(2)[1] == "the row is a list, not a mapping"
    assert task.outcome(5)[1] == "the row has a column whose name is not text"


def test_an_error_of_the_source_fails_the_task_and_keeps_what_was_done(emulator: Emulator, run: Any) -> None:
    emulator.add_calls([f"call_{n}" for n in range(1500)])
    closed = []

    def rows() -> Any:
        try:
            yield from ({"call_id": f"call_{n}", "n": n} for n in range(1500))
            raise KeyError("the source broke")
        finally:
            closed.append(True)

    task = run(rows=rows, fails=True)
    assert isinstance(task.error, KeyError)
    task.check(rows=1500)
    assert task.counts == {"updated": 1500}
    assert closed == [True]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("retell-bulk")]


# -- SQL


@pytest.mark.parametrize("native", [False, True])
def test_a_query_with_templates_and_parameters(
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


def test_a_query_is_streamed(emulator: Emulator, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tenth chunk is not fetched before the first is planned, and fetchmany is all that is used."""
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
    hook = SimpleNamespace(get_conn=lambda: database, get_records=None)
    connection = SimpleNamespace(get_hook=lambda: hook)
    real = BaseHook.get_connection
    monkeypatch.setattr(
        BaseHook, "get_connection", lambda name: connection if name == "warehouse" else real(name)
    )
    emulator.add_calls([f"call_{n}" for n in range(10_000)], metadata={"n": 1})
    assert run(rows=SqlRows("warehouse", "select")).counts == {"unchanged": 10_000}
    assert fetched[-1] == (0, 0)
    sizes, chunks_planned = zip(*fetched[:-1], strict=True)
    assert set(sizes) == {1000}
    assert [planned - n for n, planned in enumerate(chunks_planned)] == [0] * 11


def test_sqlite_gives_rows_while_it_still_computes_them(emulator: Emulator, run: Any, warehouse: Any) -> None:
    """A query without end is read in part, then stopped."""
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
        fails=rows > 0,
    )
    assert not emulator.requests
    if rows:
        assert isinstance(task.error, AirflowFailException)
        assert "the rows have no column call_id, ltv, keeps; they have: id, tier" in str(task.error)


def test_a_query_from_a_file(emulator: Emulator, run: Any, warehouse: Any, tmp_path: Path) -> None:
    emulator.add_calls(["a"])
    warehouse.execute("insert into facts values ('a', 'd', 'gold', 1.5)")
    (tmp_path / "query.sql").write_text("select id, tier from facts where day = '{{ day }}'")
    for source in (
        SqlRows("warehouse", "query.sql"),
        FailedRows(SqlRows("warehouse", "query.sql"), "none.jsonl"),
    ):
        (tmp_path / "none.jsonl").write_text("")
        if isinstance(source, FailedRows):
            source.report = str(tmp_path / "none.jsonl")
        task = run(rows=source, call_id_column="id", context={"day": "d"})
        assert task.manifest["rows"] == 1
    assert emulator.calls["a"]["metadata"] == {"tier": "gold"}


def test_a_statement_that_is_no_query_is_said(emulator: Emulator, run: Any, warehouse: Any) -> None:
    task = run(rows=SqlRows("warehouse", "update facts set tier = 'x'"), fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert "the statement returns no rows" in str(task.error)


def test_a_connection_that_is_no_database_is_said(emulator: Emulator, run: Any, monkeypatch: Any) -> None:
    connection = SimpleNamespace(get_hook=SimpleNamespace)
    real = BaseHook.get_connection
    monkeypatch.setattr(
        BaseHook, "get_connection", lambda name: connection if name == "bucket" else real(name)
    )
    task = run(rows=SqlRows("bucket", "select"), fails=True)
    assert "'bucket' is not one to a SQL database" in str(task.error)


# -- files


LINES = [
    b'\xef\xbb\xbf{"call_id": "a", "tier": "gold"}',
    b"",
    b'{"call_id": "b", "tier": ',
    b'["b"]',
    b'{"call_id": "b", "tier": "\xff"}',
    b"[" * 100_000,
    b'{"call_id": "c", "tier": NaN}',
    b'  {"call_id": "b", "tier": "caf\xc3\xa9"}  \r',
    b'{"tier": "gold"}',
]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.ndjson", "rows.JSONL", "rows.jsonl.gz"])
def test_json_lines(emulator: Emulator, run: Any, tmp_path: Path, name: str) -> None:
    emulator.add_calls(["a", "b"])
    content = b"\n".join(LINES)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    task = run(rows=FileRows(str(tmp_path / "{{ name }}")), context={"name": name}, fails=True)
    task.check(rows=8)
    assert [line["outcome"] for line in task.report] == ["updated", *["invalid"] * 5, "updated", "invalid"]
    assert [task.outcome(row)[1] for row in (2, 3, 6, 8)] == [
        "the line is not JSON",
        "the line is not a JSON object",
        "metadata.tier is NaN or infinite, which JSON cannot hold: send null or leave the key out",
        "the row has no 'call_id'",
    ]
    assert task.report[5]["call_id"] == "c"
    assert emulator.calls["b"]["metadata"] == {"tier": "café"}


def test_csv(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    emulator.add_calls(["a", "b", "c"])
    path = tmp_path / "rows.csv"
    huge = "x" * (csv.field_size_limit() + 1)
    path.write_bytes(
        b"\xef\xbb\xbfcall_id,tier\nshort\na,gold,too long\n"
        + f'b,"{huge}"\n'.encode()
        + b'b,"two\nlines"\nc,\xff\na,gold'
    )
    task = run(rows=FileRows(str(path)), fails=True)
    task.check(rows=6)
    assert [line["outcome"] for line in task.report] == [*["invalid"] * 3, "updated", "invalid", "updated"]
    assert task.outcome(1)[1] == "the line has more or fewer columns than the header"
    assert "field larger than field limit" in task.outcome(3)[1]
    assert "half a surrogate pair" in task.outcome(5)[1]
    assert emulator.calls["b"]["metadata"] == {"tier": "two\nlines"}


def test_a_column_that_the_csv_lacks_is_named_at_the_start(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text("id,tier\na,gold\n")
    task = run(rows=FileRows(str(tmp_path / "rows.csv")), metadata_columns=["tier"], fails=True)
    assert "the rows have no column call_id; they have: id, tier" in str(task.error)


@pytest.mark.parametrize("kind", ["query", "csv", "parquet"])
def test_two_columns_of_one_name_are_refused(
    emulator: Emulator, run: Any, tmp_path: Path, request: Any, kind: str
) -> None:
    emulator.add_calls(["a"])
    if kind == "query":
        request.getfixturevalue("warehouse").execute("insert into facts values ('a', 'd', 'gold', 1.5)")
        source: Any = SqlRows("warehouse", "select id as call_id, tier, ltv as tier from facts")
    elif kind == "csv":
        (tmp_path / "rows.csv").write_text("call_id,tier,tier\na,gold,silver\n")
        source = FileRows(str(tmp_path / "rows.csv"))
    else:
        pyarrow = pytest.importorskip("pyarrow")
        columns = [pyarrow.array([value]) for value in ("a", "gold", "silver")]
        table = pyarrow.Table.from_arrays(columns, names=["call_id", "tier", "tier"])
        pytest.importorskip("pyarrow.parquet").write_table(table, tmp_path / "rows.parquet")
        source = FileRows(str(tmp_path / "rows.parquet"))
    task = run(rows=source, fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert "the rows have two columns of the same name: tier. Nothing was sent" in str(task.error)
    assert not emulator.requests


@pytest.mark.parametrize("line", ["a,+14155550101,Ada Lovelace", "a,+14155550101,+14155550101"])
def test_values_of_a_csv_without_a_header_stay_out_of_the_error(
    emulator: Emulator, run: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, line: str
) -> None:
    (tmp_path / "rows.csv").write_text(f"{line}\nb,+14155550102,Grace\n")
    task = run(rows=FileRows(str(tmp_path / "rows.csv")), metadata_columns=["tier"], fails=True)
    said = str(task.error) + caplog.text
    assert "no column call_id, tier; they have: a, column 2, column 3" in said or "columns 2 and 3" in said
    assert "14155550101" not in said
    assert "Ada" not in said


def test_parquet(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    emulator.add_calls([f"call_{n}" for n in range(2500)])
    table = {"call_id": [f"call_{n}" for n in range(2500)], "ltv": [Decimal(n) / 4 for n in range(2500)]}
    parquet.write_table(pyarrow.table(table), tmp_path / "rows.parquet")
    assert run(rows=FileRows(str(tmp_path / "rows.parquet"))).counts == {"updated": 2500}
    assert emulator.calls["call_5"]["metadata"] == {"ltv": 1.25}


def test_a_file_of_another_kind_or_none(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    assert "must end in .jsonl" in str(run(rows=FileRows("/tmp/rows.xlsx"), fails=True).error)
    (tmp_path / "folder.csv").mkdir()
    for name in ("none.csv", "*.csv", "folder.csv"):
        task = run(rows=FileRows(str(tmp_path / name)), fails=True)
        assert isinstance(task.error, AirflowFailException)
        assert f"there is no file {tmp_path / name}" in str(task.error)
    assert not emulator.requests


@pytest.mark.parametrize(
    "name", ["rows.jsonl.gz", "rows.csv.gz", "cut.jsonl.gz", "rows.parquet", "empty.parquet"]
)
def test_a_damaged_file_fails_the_task_for_good(
    emulator: Emulator, run: Any, tmp_path: Path, name: str
) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    whole = gzip.compress(b'{"call_id": "a"}\n' * 10)
    content = {"cut.jsonl.gz": whole[:-9], "empty.parquet": b""}.get(name, b"{}" * 100)
    (tmp_path / name).write_bytes(content)
    task = run(rows=FileRows(str(tmp_path / name)), fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert f"the file {tmp_path / name} is damaged, cut off, or not" in str(task.error)


# -- rows that are exports


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_whole_calls_are_not_copied_into_metadata(
    emulator: Emulator, run: Any, tmp_path: Path, kind: str
) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    emulator.add_call(call_id="a", from_number="+14155550101")
    path = str(tmp_path / f"calls.{kind}")
    ListCallsOperator(task_id="list", path=path, by=None).execute(
        {"ti": SimpleNamespace(xcom_push=lambda **_: None)}
    )
    task = run(rows=FileRows(path), fails=True)
    assert task.counts == {"invalid": 1}
    assert task.outcome(1)[1].startswith("the row is a whole call")
    assert not emulator.calls["a"]["metadata"]
    assert run(rows=FileRows(path), metadata_columns=["agent_id"]).counts == {"updated": 1}


# -- the rows that an earlier run did not do


@pytest.mark.parametrize("kind", ["list", "function", "file"])
def test_failed_rows_are_those_not_done(emulator: Emulator, run: Any, tmp_path: Path, kind: str) -> None:
    ids = [f"call_{n}" for n in range(6)]
    emulator.add_calls(ids)
    given = [{"call_id": call_id, "a": 1} for call_id in ids]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, given)))
    source = {"list": given, "function": lambda: given, "file": FileRows("{{ folder }}/rows.jsonl")}[kind]
    outcomes = ["updated", "failed", "not_ended", "invalid"]
    report = [{"row": n, "call_id": "x", "outcome": outcome} for n, outcome in enumerate(outcomes, start=1)]
    # Row 5 and 6 were never come to, and the last line broke off when the process was killed.
    (tmp_path / "old.jsonl").write_text("\n".join(map(json.dumps, report)) + '\n{"row": 5, "ca')
    task = run(rows=FailedRows(source, "{{ folder }}/old.jsonl"), context={"folder": str(tmp_path)})
    assert [line["call_id"] for line in task.report] == [f"call_{n}" for n in range(1, 6)]
    assert task.counts == {"updated": 5}
    task = run(
        rows=FailedRows(source, str(tmp_path / "old.jsonl"), outcomes=["invalid"]),
        context={"folder": str(tmp_path)},
    )
    assert [line["call_id"] for line in task.report] == ["call_3", "call_4", "call_5"]
    misspelled = FailedRows(source, str(tmp_path / "old.jsonl"), outcomes=["invald"])  # type: ignore[list-item]
    task = run(rows=misspelled, context={"folder": str(tmp_path)}, fails=True)
    assert "not invald" in str(task.error)


def test_a_second_row_of_a_call_is_refused_by_the_next_run_too(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    emulator.add_calls(["a", "b", "c"])
    rows = [{"call_id": call, "n": n} for n, call in enumerate(["a", "b", "c", "a", "b"])]
    emulator.faults.add(Fault.status(400), route="update-call", call_id="b", times=0)
    first = run(rows=rows, fails=True, metadata_columns=["n"])
    assert first.counts == {"updated": 2, "failed": 1, "invalid": 2}
    emulator.faults.clear()
    again = run(rows=FailedRows(rows, str(first.path)), report_path=str(tmp_path / "again.jsonl"), fails=True)
    assert again.counts == {"updated": 1, "invalid": 2}
    assert {call: emulator.calls[call]["metadata"]["n"] for call in "abc"} == {"a": 0, "b": 1, "c": 2}
    # Rows that were done are taken on request, though another row of their call was not.
    again = run(
        rows=FailedRows(rows, str(first.path), outcomes=["updated"]),
        report_path=str(tmp_path / "third.jsonl"),
    )
    assert again.counts == {"unchanged": 2}


# -- the report among the files that are read


@pytest.mark.parametrize(
    "report", ["{0}/rows.jsonl", "file://{0}/rows.jsonl", "{0}/../{1}/rows.jsonl", "{0}/link.jsonl"]
)
@pytest.mark.parametrize("kind", ["input", "old report", "input of an old report"])
def test_a_report_does_not_overwrite_what_is_read(
    emulator: Emulator, run: Any, tmp_path: Path, report: str, kind: str
) -> None:
    emulator.add_calls(["a"])
    path = tmp_path / "rows.jsonl"
    path.write_text('{"call_id": "a", "x": 1}\n')
    (tmp_path / "link.jsonl").symlink_to(path)
    source = {
        "input": FileRows(str(path)),
        "old report": FailedRows([{"call_id": "a"}], str(path)),
        "input of an old report": FailedRows(FileRows(str(path)), str(tmp_path / "old.jsonl")),
    }[kind]
    task = run(rows=source, report_path=report.format(tmp_path, tmp_path.name), fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert "report_path is a file that the rows are read from" in str(task.error)
    assert path.read_text() == '{"call_id": "a", "x": 1}\n'
    assert not emulator.requests


def test_a_report_in_a_bucket_is_compared_without_its_connection() -> None:
    report = Report("s3://bucket/a.jsonl")
    report.check(["s3://bucket/b.jsonl", "gs://bucket/a.jsonl", "/bucket/a.jsonl"])
    with pytest.raises(ValueError, match="another path"):
        report.check(["s3://conn@bucket/a.jsonl"])


# -- the report's name


@pytest.mark.parametrize("name", ["report.jsonl", "report.ndjson", "report.jsonl.gz", "REPORT.JSONL.GZ"])
def test_a_report_is_read_back_whatever_its_name(
    emulator: Emulator, run: Any, tmp_path: Path, name: str
) -> None:
    ids = [f"call_{n}" for n in range(600)]
    emulator.add_calls(ids)
    emulator.faults.add(Fault.status(400), route="update-call", call_id="call_7")
    given = [{"call_id": call_id, "x": 1} for call_id in ids]
    path = tmp_path / name
    assert run(rows=given, report_path=str(path), fails=True).counts == {"updated": 599, "failed": 1}
    content = path.read_bytes()
    lines = gzip.decompress(content) if name.lower().endswith(".gz") else content
    assert len(lines.splitlines()) == 600
    assert run(rows=FailedRows(given, str(path)), report_path=None).manifest["rows"] == 1


def test_the_compressed_report_of_a_killed_run_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    report = Report(str(tmp_path / "report.jsonl.gz"))
    report.open()
    report.write(Result(row, "a", "updated") for row in range(1, 1001))
    (tmp_path / "killed.jsonl.gz").write_bytes((tmp_path / "report.jsonl.gz").read_bytes())
    report.close()
    for name, left in (("report", 5), ("killed", 5)):
        rows = FailedRows([{"call_id": "a"}] * 1005, str(tmp_path / f"{name}.jsonl.gz"))
        assert len(list(rows.read())) == left


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("{{ none }}", "rendered to nothing"),
        ("", "rendered to nothing"),
        ("{{ '' }}", "rendered to nothing"),
        ("report.json", "must end in .jsonl"),
        ("report", "must end in .jsonl"),
        ("s3://bucket/report.csv.gz", "must end in .jsonl"),
    ],
)
def test_a_report_path_that_cannot_be_meant_is_refused(
    emulator: Emulator, run: Any, tmp_path: Path, monkeypatch: Any, native: bool, path: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    task = run(rows=[{"call_id": "a"}], report_path=path, native=native, context={"none": None}, fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert says in str(task.error)
    assert not list(tmp_path.iterdir())
    assert not emulator.requests


# -- columns


@pytest.mark.parametrize(
    ("columns", "metadata"),
    [
        (None, {"tier": "gold", "ltv": 1, "day": "monday"}),
        ([], {}),
        (["tier", "ltv"], {"tier": "gold", "ltv": 1}),
        (("tier",), {"tier": "gold"}),
        ({"tier": "customer.tier"}, {"customer.tier": "gold"}),
    ],
)
def test_columns(emulator: Emulator, run: Any, columns: Any, metadata: Any) -> None:
    emulator.add_calls(["a"])
    row = {"id": "a", "tier": "gold", "ltv": 1, "day": "monday", "keeps": "everything_except_pii", "t": "x"}
    run(
        rows=[row],
        call_id_column="id",
        metadata_columns=columns,
        custom_attribute_columns={"t": "attr_tier"},
        data_storage_setting_column="keeps",
    )
    call = emulator.calls["a"]
    assert (call["metadata"], call["custom_attributes"]) == (metadata, {"attr_tier": "x"})
    assert call["data_storage_setting"] == "everything_except_pii"


@pytest.mark.parametrize("kind", ["list", "function", "file"])
@pytest.mark.parametrize(
    "names",
    [
        {"metadata_columns": {"teir": "tier", "ltv": "ltv"}},
        {"metadata_columns": ["ltv"], "custom_attribute_columns": ["teir"]},
        {"metadata_columns": ["ltv"], "data_storage_setting_column": "teir"},
    ],
)
def test_a_column_that_no_row_has_fails_the_task_when_the_rest_is_done(
    emulator: Emulator, run: Any, tmp_path: Path, kind: str, names: Any
) -> None:
    emulator.add_calls([f"call_{n}" for n in range(50)])
    given: list[Any] = [{"call_id": f"call_{n}", "tier": "gold", "ltv": n} for n in range(50)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, given)))
    source = {"list": given, "function": lambda: given, "file": FileRows(str(tmp_path / "rows.jsonl"))}[kind]
    task = run(rows=source, fails=True, **names)
    assert isinstance(task.error, AirflowFailException)
    assert str(task.error).startswith("No row has the column teir, ")
    task.check(rows=50)
    assert task.counts == {"updated": 50}
    assert emulator.calls["call_49"]["metadata"] == {"ltv": 49}


def test_a_column_that_one_row_has_is_enough(emulator: Emulator, run: Any) -> None:
    emulator.add_calls([f"call_{n}" for n in range(1500)])
    given: list[Any] = [{"call_id": f"call_{n}"} for n in range(1500)]
    given[1400]["tier"] = "gold"
    assert run(rows=given, metadata_columns=["tier"]).counts == {"updated": 1, "unchanged": 1499}


@pytest.mark.parametrize(("rows", "counts"), [([], {}), (["a", None], {"invalid": 2})])
def test_columns_are_missed_in_readable_rows_only(
    emulator: Emulator, run: Any, rows: Any, counts: Any
) -> None:
    task = run(rows=rows, metadata_columns=["tier"], fails=bool(rows))
    assert task.counts == counts
    assert "No row has" not in str(task.error)


@pytest.mark.parametrize("columns", [["x"], {"a": "x"}])
def test_a_key_that_is_set_and_removed_is_refused(emulator: Emulator, run: Any, columns: Any) -> None:
    task = run(rows=[], metadata_columns=columns, remove_metadata_keys=["x"], fails=True, report_path=None)
    assert "takes away what metadata_columns sets: x" in str(task.error)


@pytest.mark.parametrize("columns", ["tier", {"a": "same", "b": "same"}])
def test_columns_that_cannot_be_meant_fail_the_task(emulator: Emulator, run: Any, columns: Any) -> None:
    for name in ("metadata_columns", "custom_attribute_columns"):
        task = run(rows=[{"call_id": "a"}], fails=True, report_path=None, **{name: columns})
        assert isinstance(task.error, AirflowFailException)
    assert not emulator.requests


def test_call_ids_that_are_numbers(emulator: Emulator, run: Any) -> None:
    emulator.add_calls(["12345"])
    rows = [
        {"call_id": 12345, "a": 1},
        {"call_id": True},
        {"call_id": 1.5},
        {"call_id": None},
        {"call_id": ""},
    ]
    task = run(rows=rows, fails=True)
    assert [line["outcome"] for line in task.report] == ["updated", *["invalid"] * 4]
    assert task.outcome(4)[1] == "call_id is null"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (float("inf"), "metadata.x is NaN or infinite"),
        (2**60, "metadata.x is an integer beyond 2**53 - 1"),
        (b"bytes", "metadata.x is bytes"),
        (
            datetime(2026, 1, 1),  # noqa: DTZ001
            "metadata.x is a date and time without a zone",
        ),
        ({"y": [1, {2}]}, "metadata.x.y[1] is a set"),
        (PRIVATE * 4000, "is 72,0"),
        ({"+14155550199": {"Ada Lovelace": [{2}]}}, "metadata.x.[..].[..][0] is a set"),
        (Decimal("0.12345678901234567890123"), "metadata.x is a Decimal with more digits"),
    ],
)
def test_values_that_cannot_be_sent_make_an_invalid_row(
    emulator: Emulator, run: Any, caplog: pytest.LogCaptureFixture, value: Any, says: str
) -> None:
    emulator.add_calls(["a"])
    task = run(rows=[{"call_id": "a", "x": value}], fails=True)
    assert (task.counts, task.report[0]["call_id"]) == ({"invalid": 1}, "a")
    assert says in task.outcome(1)[1]
    assert PRIVATE not in task.path.read_text() + caplog.text + str(task.error)


def test_attributes_that_cannot_be_sent_make_an_invalid_row(emulator: Emulator, run: Any) -> None:
    emulator.add_calls(["a"])
    task = run(rows=[{"call_id": "a", "x": [PRIVATE]}], custom_attribute_columns=["x"], fails=True)
    assert task.counts == {"invalid": 1}
    assert "custom_attributes.x" in task.outcome(1)[1]
    assert PRIVATE not in task.path.read_text()


def test_merged_metadata_that_grows_too_large_is_an_invalid_row(emulator: Emulator, run: Any) -> None:
    emulator.add_call(call_id="a", metadata={"old": "x" * 30_000})
    task = run(rows=[{"call_id": "a", "new": "x" * 30_000}], fails=True)
    assert task.counts == {"invalid": 1}
    assert "metadata is 60,019 bytes of JSON" in task.outcome(1)[1]


def test_a_second_row_for_a_call_is_invalid_wherever_it_stands(emulator: Emulator, run: Any) -> None:
    ids = [f"call_{n}" for n in range(1001)]
    emulator.add_calls(ids)
    rows = [{"call_id": call_id, "n": 1} for call_id in ids] + [
        {"call_id": "call_0", "n": 2},
        {"call_id": "call_1000"},
        {"call_id": "call_x", "n": float("nan")},
        {"call_id": "call_x", "n": 3},
    ]
    task = run(rows=rows, fails=True)
    task.check(rows=1005)
    assert task.counts == {"updated": 1001, "invalid": 4}
    assert task.outcome(1005)[1] == "the call stands in an earlier row already"
    assert (
        task.outcome(1002) == task.outcome(1003) == ("invalid", "the call stands in an earlier row already")
    )
    assert emulator.calls["call_0"]["metadata"] == {"n": 1}
    assert emulator.count("update-call") == 1001


def test_seen_keeps_sixteen_bytes_or_less_and_forgets_nothing() -> None:
    seen = DigestSet()
    texts = [f"call_{n:x}" for n in range(50_000)]
    assert all(map(seen.add, texts))
    assert not any(map(seen.add, texts))
    assert seen.add("another")
    assert len(seen._table) * seen._table.itemsize <= 32 * len(texts)


def test_a_bad_row_is_like_an_empty_one() -> None:
    assert (dict(BadRow("why")), BadRow("why").reason) == ({}, "why")
