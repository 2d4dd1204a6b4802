"""CSV files, which are read strictly."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.bulk import FileRows
from airflow_provider_retell.emulator import Emulator


def csv_file(folder: Path, content: bytes, name: str = "rows.csv", **options: Any) -> FileRows:
    (folder / name).write_bytes(content)
    return FileRows(str(folder / name), **options)


@pytest.fixture(autouse=True)
def _field_size_limit() -> Iterator[None]:
    limit = csv.field_size_limit(131_072)
    yield
    csv.field_size_limit(limit)


@pytest.fixture
def small_cells(mocker: Any) -> None:
    """A cell can have 1,000 characters."""
    mocker.patch("airflow_provider_retell.bulk.files.csv_lines.MAX_LINE", 1000)
    csv.field_size_limit(1000)


@pytest.mark.parametrize("line", ["x" * 100, "x" * 200_000])
def test_a_cell_can_be_long(emulator: Emulator, run: Any, tmp_path: Path, line: str) -> None:
    emulator.add_calls("ab")
    text = f"{line}\n" * 2000 if len(line) == 100 else line
    rows = csv_file(tmp_path, f'call_id,transcript,n\na,"{text}",1\nb,short,2\n'.encode())
    assert run(rows=rows, metadata_columns=["n"]).counts == {"updated": 2}
    assert csv.field_size_limit() > 131_072


def test_a_larger_limit_for_cells_is_kept(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    csv.field_size_limit(2**31 - 1)
    emulator.add_calls("a")
    run(rows=csv_file(tmp_path, b"call_id,n\na,1\n"))
    assert csv.field_size_limit() == 2**31 - 1


def test_a_cell_of_several_lines_that_is_too_long_ends_the_file(
    emulator: Emulator, run: Any, tmp_path: Path, small_cells: None
) -> None:
    emulator.add_calls("ab")
    content = b'call_id,n\na,1\nb,"' + b"0123456789\n" * 200 + b'"\n'
    task = run(rows=csv_file(tmp_path, content), fails=True)
    assert "line 3 has a quote that is never closed, or cannot be read: field larger" in str(task.error)
    assert task.counts == {"updated": 1}


def test_a_bad_csv_line_is_invalid_and_the_others_are_processed(
    emulator: Emulator, run: Any, tmp_path: Path, small_cells: None
) -> None:
    emulator.add_calls(["a", "b", "c"])
    huge = "x" * 1001
    content = (
        b"\xef\xbb\xbfcall_id,tier\nshort\na,gold,too long\n"
        + f'b,"{huge}"\n'.encode()
        + b'b,"two\nlines"\nc,\xff\na,gold'
    )
    task = run(rows=csv_file(tmp_path, content), fails=True)
    task.check(rows=6)
    assert [line["outcome"] for line in task.report] == [*["invalid"] * 3, "updated", "invalid", "updated"]
    assert task.outcome(1)[1] == "line 2 has 1 cells, and the header has 2 columns"
    assert "field larger than field limit" in task.outcome(3)[1]
    assert task.outcome(5)[1] == (
        "line 7 is not UTF-8: set the encoding of FileRows, for example to 'cp1252'"
    )
    assert emulator.calls["b"]["metadata"] == {"tier": "two\nlines"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'call_id,n\na,1\nb,"half a note\nc,2\nd,3\n', "line 3 has a quote that is never closed"),
        (
            b'call_id,n\na,1\nb,"half\nc,"x"\nd,3\n',
            "line 4, in the cells that begin in line 3, has text after",
        ),
        (b'call_id,n\na,1\nb,"5" pipe"\nc,2\nd,3\n', "line 3 has text after a closing quote"),
        (b'call_id,n\na,1\nb,"cut', "line 3 has a quote that is never closed, or the file is cut off"),
        (b"call_id,n\na,1\nb", "line 3, the last one, is cut off: it has 1 of 2 cells"),
        (
            b'call_id,n\na,1\nb,"' + b"x" * 140_000 + b"\nc,2\nd,3\n",
            "line 3 has a quote that is never closed",
        ),
        (b'call_id,n\r\na,1\r\nb,"half\r\nc,2\r\n', "line 3 has a quote that is never closed"),
    ],
)
@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz"])
def test_a_file_is_damaged_from_the_first_line_whose_cells_are_unknown(
    emulator: Emulator, run: Any, tmp_path: Path, content: bytes, says: str, name: str
) -> None:
    emulator.add_calls("abcd")
    packed = gzip.compress(content) if name.endswith(".gz") else content
    # A damaged file is an error even if the task accepts failed rows.
    task = run(rows=csv_file(tmp_path, packed, name), max_failed_rows=9, fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert says in str(task.error)
    assert task.counts == {"updated": 1}
    assert [call["metadata"] for call in emulator.calls.values()] == [{"n": "1"}, {}, {}, {}]


def test_a_cell_can_have_quotes_delimiters_and_ends_of_lines(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    emulator.add_calls("ab")
    content = b'\r\n"call_id","n"\r\n\r\n"a","5"" pipe, or\r\ntwo"\r\nb,5" pipe'
    assert run(rows=csv_file(tmp_path, content)).counts == {"updated": 2}
    assert emulator.calls["a"]["metadata"] == {"n": '5" pipe, or\r\ntwo'}
    assert emulator.calls["b"]["metadata"] == {"n": '5" pipe'}


@pytest.mark.parametrize(
    ("content", "name", "options", "value"),
    [
        (b"call_id;n\na;1,5\n", "rows.csv", {"delimiter": ";"}, "1,5"),
        (b"call_id;n\na;1,5\n", "rows.csv", {"delimiter": ";", "quotechar": "'"}, "1,5"),
        (b"call_id,n\na,'1,5'\n", "rows.csv", {"quotechar": "'"}, "1,5"),
        (b'call_id\tn\na\t"5 inches\n', "rows.tsv", {"quotechar": None}, '"5 inches'),
        (b"call_id\tn\na\t1,5\n", "rows.TSV", {}, "1,5"),
        (b"sep=;\r\ncall_id;n\r\na;1,5\r\n", "rows.csv", {}, "1,5"),
        (b"\xef\xbb\xbfsep=;\r\ncall_id;n\r\na;1,5\r\n", "rows.csv", {}, "1,5"),
        ("call_id,n\na,\u00e4\n".encode("cp1252"), "rows.csv", {"encoding": "cp1252"}, "\u00e4"),
        ("call_id,n\na,\u00e4\n".encode("utf-16"), "rows.csv", {"encoding": "UTF_16"}, "\u00e4"),
        ("call_id,n\na,\u00e4\n".encode("utf-16-le"), "rows.csv", {"encoding": "utf-16-le"}, "\u00e4"),
        ("\ufeffcall_id,n\na,\u00e4\n".encode("utf-16-le"), "rows.csv", {"encoding": "utf-16-le"}, "\u00e4"),
    ],
)
def test_delimiter_encoding_and_quotes_can_be_set(
    emulator: Emulator, run: Any, tmp_path: Path, content: bytes, name: str, options: Any, value: str
) -> None:
    emulator.add_calls("a")
    assert run(rows=csv_file(tmp_path, content, name, **options)).counts == {"updated": 1}
    assert emulator.calls["a"]["metadata"] == {"n": value}


@pytest.mark.parametrize(
    ("content", "encoding", "says"),
    [
        (
            "call_id,gr\u00f6\u00dfe\na,5\n".encode("latin-1"),
            "utf-8",
            "the header cannot be read: line 1 is not UTF-8",
        ),
        (
            b"\xef\xbb\xbfcall_id,n\na,5\n",
            "latin-1",
            "begins with the byte order mark of UTF-8, but the encoding is 'latin-1'",
        ),
        (b"x" * 1001, "utf-8", "the header cannot be read: line 1 is not CSV"),
    ],
)
def test_a_header_that_cannot_be_read_fails_the_task_before_the_first_update(
    emulator: Emulator, run: Any, tmp_path: Path, content: bytes, encoding: str, says: str, small_cells: None
) -> None:
    emulator.add_calls(["a"])
    task = run(rows=csv_file(tmp_path, content, encoding=encoding), fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert says in str(task.error)
    assert not emulator.requests


def test_a_line_without_an_end_does_not_fill_the_memory(
    emulator: Emulator, run: Any, tmp_path: Path, mocker: Any
) -> None:
    mocker.patch("airflow_provider_retell.bulk.files.text_lines.MAX_LINE", 100)
    task = run(rows=csv_file(tmp_path, b"call_id,n\n" + b"x" * 200), fails=True)
    assert "line 2 is longer than 100 characters" in str(task.error)
