"""Rows of files."""

from __future__ import annotations

import csv
import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import tasks

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.bulk import FileRows
from airflow_provider_retell.emulator import Emulator
from airflow_provider_retell.operators import ListCallsOperator

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
def test_a_bad_json_line_is_invalid_and_the_others_are_processed(
    emulator: Emulator, run: Any, tmp_path: Path, name: str
) -> None:
    emulator.add_calls(["a", "b"])
    content = b"\n".join(LINES)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    task = run(rows=FileRows(str(tmp_path / "{{ name }}")), context={"name": name}, fails=True)
    task.check(rows=8)
    assert [line["outcome"] for line in task.report] == ["updated", *["invalid"] * 5, "updated", "invalid"]
    assert [task.outcome(row)[1] for row in (2, 3, 6, 8)] == [
        "the line is not JSON",
        "the line is not a JSON object",
        "metadata.tier is NaN or infinite, which JSON cannot represent: send null or leave the key out",
        "the row has no 'call_id'",
    ]
    assert task.report[5]["call_id"] == "c"
    assert emulator.calls["b"]["metadata"] == {"tier": "café"}


def test_a_bad_csv_line_is_invalid_and_the_others_are_processed(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
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
    assert "half of a surrogate pair" in task.outcome(5)[1]
    assert emulator.calls["b"]["metadata"] == {"tier": "two\nlines"}


def test_a_column_that_the_csv_lacks_is_named_at_the_start(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text("id,tier\na,gold\n")
    task = run(rows=FileRows(str(tmp_path / "rows.csv")), metadata_columns=["tier"], fails=True)
    assert "the rows have no column call_id; they have: id, tier" in str(task.error)
    assert not emulator.requests


@pytest.mark.parametrize("line", ["a,+14155550101,Ada Lovelace", "a,+14155550101,+14155550101"])
def test_an_error_has_no_values_of_a_csv_without_a_header(
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


def test_another_suffix_is_rejected_when_the_dag_is_read() -> None:
    with pytest.raises(ValueError, match=r"must end in .jsonl.*not '/tmp/rows.xlsx'"):
        FileRows("/tmp/rows.xlsx")


def test_another_suffix_of_a_template_is_rejected_when_the_task_runs(emulator: Emulator, run: Any) -> None:
    task = run(rows=FileRows("/tmp/{{ name }}"), context={"name": "rows.xlsx"}, fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert "must end in .jsonl" in str(task.error)
    assert not emulator.requests


def test_a_missing_file_a_pattern_or_a_folder_fails_the_task_for_good(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    (tmp_path / "folder.csv").mkdir()
    for name in ("none.csv", "*.csv", "folder.csv"):
        task = run(rows=FileRows(str(tmp_path / name)), fails=True)
        assert isinstance(task.error, AirflowFailException)
        assert f"the file {tmp_path / name} does not exist" in str(task.error)
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
    assert f"the file {tmp_path / name} is damaged, incomplete, or has another format" in str(task.error)


def test_a_damaged_page_of_a_parquet_file_fails_the_task_for_good(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "rows.parquet"
    parquet.write_table(pyarrow.table({"call_id": ["a", "b"]}), path)
    content = bytearray(path.read_bytes())
    content[4] ^= 0xFF  # the first byte of the header of the first page
    path.write_bytes(content)
    task = run(rows=FileRows(str(path)), fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert "is damaged, incomplete, or has another format" in str(task.error)


def test_an_error_of_the_storage_is_not_taken_for_a_damaged_parquet_file(
    emulator: Emulator, run: Any, tmp_path: Path, mocker: Any
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "rows.parquet").touch()
    mocker.patch.object(parquet, "ParquetFile", side_effect=OSError(5, "Input/output error"))
    task = run(rows=FileRows(str(tmp_path / "rows.parquet")), fails=True)
    assert type(task.error) is OSError


def test_a_parquet_value_that_python_lacks_makes_only_its_row_invalid(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    emulator.add_calls("abc")
    days = pyarrow.array([0, 10_000_000, 1], pyarrow.date32())  # 10,000,000 days after 1970 is the year 29349
    parquet.write_table(pyarrow.table({"call_id": list("abc"), "day": days}), tmp_path / "rows.parquet")
    task = run(rows=FileRows(str(tmp_path / "rows.parquet")), fails=True)
    assert task.counts == {"updated": 2, "invalid": 1}
    assert task.outcome(2) == ("invalid", "a value cannot be converted to Python (OverflowError)")
    assert emulator.calls["c"]["metadata"] == {"day": "1970-01-02"}


def test_a_csv_header_that_is_not_utf_8_fails_the_task_before_the_first_update(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    emulator.add_calls(["a"])
    (tmp_path / "rows.csv").write_bytes("call_id,größe\na,5\n".encode("latin-1"))
    task = run(rows=FileRows(str(tmp_path / "rows.csv")), fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert "the header of the CSV file is not UTF-8" in str(task.error)
    assert not emulator.requests


def test_a_csv_header_that_is_too_long_fails_the_task_for_good(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text("x" * (csv.field_size_limit() + 1))
    task = run(rows=FileRows(str(tmp_path / "rows.csv")), fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert "is damaged, incomplete, or has another format" in str(task.error)


def test_a_json_line_with_half_of_a_surrogate_pair_in_a_key_is_invalid(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    emulator.add_calls("ab")
    (tmp_path / "rows.jsonl").write_text('{"call_id": "a", "\\ud83d": 1}\n{"call_id": "b", "n": 1}\n')
    task = run(rows=FileRows(str(tmp_path / "rows.jsonl")), fails=True)
    assert task.counts == {"updated": 1, "invalid": 1}
    assert task.outcome(1)[1].startswith("a key of metadata is text with half of a surrogate pair")


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_whole_calls_are_not_copied_into_metadata(
    emulator: Emulator, run: Any, tmp_path: Path, kind: str
) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    emulator.add_call(call_id="a", from_number="+14155550101")
    path = str(tmp_path / f"calls.{kind}")
    tasks.run_task(ListCallsOperator(task_id="list", path=path, by=None))
    task = run(rows=FileRows(path), fails=True)
    assert task.counts == {"invalid": 1}
    assert task.outcome(1)[1].startswith("the row is a whole call")
    assert not emulator.calls["a"]["metadata"]
    assert run(rows=FileRows(path), metadata_columns=["agent_id"]).counts == {"updated": 1}
