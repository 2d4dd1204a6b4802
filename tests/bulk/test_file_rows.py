"""Rows of files."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
import tasks

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.bulk import FileRows
from airflow_provider_retell.bulk.files.parts import covers, is_pattern
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
        "the row has no 'call_id'; it has: tier",
    ]
    assert task.report[5]["call_id"] == "c"
    assert emulator.calls["b"]["metadata"] == {"tier": "café"}


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


def test_another_suffix_is_rejected_when_the_dag_is_read() -> None:
    with pytest.raises(ValueError, match=r"must end in .jsonl.*not '/tmp/rows.xlsx'"):
        FileRows("/tmp/rows.xlsx")


def test_another_suffix_of_a_template_is_rejected_when_the_task_runs(emulator: Emulator, run: Any) -> None:
    task = run(rows=FileRows("/tmp/{{ name }}"), context={"name": "rows.xlsx"}, fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert "must end in .jsonl" in str(task.error)
    assert not emulator.requests


EMPTY = {
    "rows.csv": (b"", "there is no header: the file is empty"),
    "mark.csv": (b"\xef\xbb\xbf", "there is no header: the file is empty"),
    "blank.csv": (b"\n \r\n", "there is no header: the file is empty"),
    "marker.csv": (b"sep=;\n", "there is no header: the file is empty"),
    "rows.csv.gz": (b"", "the file is empty, although its name ends in .gz"),
    "rows.jsonl.gz": (b"", "the file is empty, although its name ends in .gz"),
    "rows.parquet": (b"", "the file is empty"),
}
OTHER = {
    "plain.csv.gz": (b"call_id\n", "is not compressed with gzip, although its name ends in .gz"),
    "plain.jsonl.gz": (b"{}" * 100, "is not compressed with gzip"),
    "rows.csv": (gzip.compress(b"call_id\n"), "compressed with gzip: give it a name that ends in .gz"),
    "rows.jsonl": (gzip.compress(b""), "compressed with gzip: give it a name that ends in .gz"),
    "twice.csv.gz": (gzip.compress(gzip.compress(b"call_id\n")), "compressed with gzip"),
    "excel.csv": (b"PK\x03\x04...", "a ZIP archive, for example of Excel"),
    "zstd.jsonl": (b"\x28\xb5\x2f\xfd...", "compressed with zstd"),
    "parquet.jsonl": (b"PAR1....", "a Parquet file: give it a name that ends in .parquet"),
    "text.parquet": (b"call_id\na\n", "is not a Parquet file"),
    "cut.jsonl.gz": (gzip.compress(b'{"call_id": "a"}\n' * 10)[:-9], "its compressed data is incomplete"),
    "wide.jsonl": (
        '{"call_id": "a"}'.encode("utf-16"),
        "the byte order mark of UTF-16: set encoding='utf-16'",
    ),
    "wide.csv": ("call_id\na\n".encode("utf-32"), "the byte order mark of UTF-32: set encoding='utf-32'"),
    "unmarked.csv": ("call_id\na\n".encode("utf-16-le"), "its encoding is UTF-16: set the encoding"),
}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [pytest.param(name, *case, id=name) for name, case in [*EMPTY.items(), *OTHER.items()]],
)
def test_an_empty_file_or_one_that_is_not_what_its_name_says_fails_the_task(
    emulator: Emulator, run: Any, tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    emulator.add_calls(["a"])
    (tmp_path / name).write_bytes(content)
    task = run(rows=FileRows(str(tmp_path / name)), fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert f"the file {tmp_path / name} cannot be read to its end" in str(task.error)
    assert says in str(task.error)


@pytest.mark.parametrize("metadata_columns", [None, ["tier"]])
def test_a_header_without_the_named_columns_fails_even_without_rows(
    emulator: Emulator, run: Any, tmp_path: Path, metadata_columns: Any
) -> None:
    (tmp_path / "rows.csv").write_text("id,level\n")
    task = run(rows=FileRows(str(tmp_path / "rows.csv")), metadata_columns=metadata_columns, fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert "they have: id, level" in str(task.error)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.jsonl", b""),
        ("mark.jsonl", b"\xef\xbb\xbf"),
        ("rows.csv", b"call_id,tier"),
        ("rows.jsonl.gz", None),
    ],
)
def test_an_empty_result_with_the_right_columns_succeeds(
    emulator: Emulator, run: Any, tmp_path: Path, name: str, content: bytes | None
) -> None:
    (tmp_path / name).write_bytes(gzip.compress(b"") if content is None else content)
    assert run(rows=FileRows(str(tmp_path / name)), metadata_columns=["tier"]).counts == {}


def test_a_missing_file_fails_the_task_for_good(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    task = run(rows=FileRows(str(tmp_path / "none.csv")), fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert f"the file {tmp_path / 'none.csv'} does not exist" in str(task.error)


@pytest.mark.parametrize(
    "options",
    [
        {"delimiter": ""},
        {"delimiter": "||"},
        {"delimiter": "\n"},
        {"quotechar": 1},
        {"delimiter": '"'},
        {"encoding": "utf-9"},
        {"encoding": "base64"},
        {"encoding": None},
    ],
)
def test_an_option_that_cannot_be_used_is_rejected_when_the_dag_is_read(options: Any) -> None:
    with pytest.raises(ValueError, match="must be|must differ"):
        FileRows("rows.csv", **options)


def test_a_json_line_in_another_encoding_is_named(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    emulator.add_calls(["a", "b"])
    content = '{"call_id": "a", "n": "1"}\n\n{"call_id": "b", "n": "ä"}\n'.encode("cp1252")
    (tmp_path / "rows.jsonl").write_bytes(content)
    task = run(rows=FileRows(str(tmp_path / "rows.jsonl")), fails=True)
    assert task.outcome(2) == (
        "invalid",
        "line 3 is not utf-8: set the encoding of FileRows, for example to 'cp1252'",
    )
    assert run(rows=FileRows(str(tmp_path / "rows.jsonl"), encoding="cp1252")).manifest["updated"] == 1
    assert emulator.calls["b"]["metadata"] == {"n": "ä"}


@pytest.mark.parametrize("member", ['"n": 1, "n": 2', '"o": {"n": 1, "n": 1}', '"l": [{"n": 1, "n": 2}]'])
def test_a_json_line_with_the_same_key_twice_is_invalid(
    emulator: Emulator, run: Any, tmp_path: Path, member: str
) -> None:
    emulator.add_calls(["a"])
    (tmp_path / "rows.jsonl").write_text('{"call_id": "a", ' + member + "}\n")
    task = run(rows=FileRows(str(tmp_path / "rows.jsonl")), fails=True)
    assert task.outcome(1) == ("invalid", "the line has the key n twice")
    assert not emulator.calls["a"]["metadata"]


# -- several files


@pytest.mark.parametrize("path", ["parts.csv", "parts.csv/", "parts.csv/*.csv", "p*.csv/part-*.csv"])
def test_a_folder_and_a_pattern_are_read_in_the_order_of_the_names(
    emulator: Emulator, run: Any, tmp_path: Path, path: str
) -> None:
    emulator.add_calls(["a", "b", "c"])
    folder = tmp_path / "parts.csv"
    folder.mkdir()
    (folder / "part-1.csv").write_text("n,call_id\n1,c\n")
    (folder / "part-0.csv").write_text("call_id,n\nb,1\na,1\n")
    for name in ("_SUCCESS", ".part-0.csv.crc"):
        (folder / name).touch()
    task = run(rows=FileRows(f"{tmp_path}/{path}"))
    assert [line["call_id"] for line in task.report] == ["b", "a", "c"]
    assert task.counts == {"updated": 3}


@pytest.mark.parametrize(
    ("files", "path", "says"),
    [
        ([], "none/*.csv", "no file matches the pattern"),
        ([], "none/", "has no files"),
        (["out/_SUCCESS"], "out/", "has no files"),
        (["out/a.csv", "out/b.jsonl"], "out/", "must have files of one format only"),
        (["out/a.csv", "out/read.me"], "out/", "must have files of one format only"),
        (["out/day=1/a.csv"], "out/", "has folders in it"),
        (["out/_temporary/a.csv", "out/a.csv"], "out/", "is incomplete"),
        (["out/_delta_log/a.json", "out/a.parquet"], "out/", "is a table of Delta"),
    ],
)
def test_a_folder_that_is_not_parts_of_one_format_fails_the_task(
    emulator: Emulator, run: Any, tmp_path: Path, files: list[str], path: str, says: str
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("call_id\n")
    task = run(rows=FileRows(f"{tmp_path}/{path}"), fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert says in str(task.error)


def test_every_part_must_have_the_named_columns(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    emulator.add_calls(["a"])
    (tmp_path / "1.csv").write_text("call_id,n\na,1\n")
    (tmp_path / "2.csv").write_text("call_id,m\n")
    task = run(rows=FileRows(f"{tmp_path}/*.csv"), metadata_columns=["n"], fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert "After row 1, the rows have no column n; they have: call_id, m. The rows up to" in str(task.error)
    assert "Nothing was sent" not in str(task.error)
    assert task.counts == {"updated": 1}


def test_a_damaged_part_costs_no_rows_of_the_others(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    emulator.add_calls(["a", "b"])
    (tmp_path / "1.csv").write_text('call_id,n\na,1\nb,"2')
    (tmp_path / "2.csv").write_text("call_id,n\nb,3\n")
    task = run(rows=FileRows(f"{tmp_path}/*.csv"), fails=True)
    assert "1.csv cannot be read to its end: line 3 has a quote that is never closed" in str(task.error)
    assert task.counts == {"updated": 2}


def test_names_with_the_other_characters_of_patterns_are_names(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    emulator.add_calls(["a", "b"])
    (tmp_path / "rows [1]?.csv").write_text("call_id,n\na,1\n")
    assert run(rows=FileRows(str(tmp_path / "rows [1]?.csv"))).counts == {"updated": 1}
    assert run(rows=FileRows(f"{tmp_path}/rows [1]?*.csv")).counts == {"unchanged": 1}


def test_pattern_can_match_folders(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    emulator.add_calls("ab")
    for name in "ab":
        (tmp_path / f"day={name}").mkdir()
        (tmp_path / f"day={name}/part-0.csv").write_text(f"call_id,n\n{name},1\n")
    assert run(rows=FileRows(f"{tmp_path}/day=*/")).counts == {"updated": 2}


@pytest.mark.parametrize(
    ("path", "other", "expected"),
    [
        ("/data/rows.csv", "/data/rows.csv", True),
        ("/data/rows.csv", "/data/rows-csv", False),
        ("/data/rows", "/data/rows/part.csv", True),
        ("/data/rows/", "/data/rows/part.csv", True),
        ("/data/rows", "/data/rows.csv", False),
        ("/data/*.csv", "/data/rows.csv", True),
        ("/data/*.csv", "/data/rows.jsonl", False),
        ("/data/day=*/", "/data/day=1/part.csv", True),
    ],
)
def test_path_covers_its_matches_and_what_is_below_it(path: str, other: str, expected: bool) -> None:
    assert covers(path, other) is expected


def test_asterisk_in_a_web_address_is_no_pattern() -> None:
    assert is_pattern("s3://bucket/*.csv")
    assert not is_pattern("s3://bucket/rows.csv")
    assert not is_pattern("https://example.com/*.csv")
    assert not is_pattern("HTTPS://example.com/*.csv")


def test_patterns_and_folders_of_another_storage(emulator: Emulator, run: Any, memory: Any) -> None:
    emulator.add_calls("abc")
    for number, call_id in enumerate("abc"):
        memory.pipe(f"/bucket/out/part-{number}.csv", f"call_id,n\n{call_id},1\n".encode())
    memory.pipe("/bucket/out/_SUCCESS", b"")
    assert run(rows=FileRows("memory://bucket/out/*-1.csv")).counts == {"updated": 1}
    assert run(rows=FileRows("memory://bucket/out/")).counts == {"updated": 2, "unchanged": 1}


@pytest.mark.parametrize("path", ["rows.csv", "*.csv", ""])
def test_files_are_read_with_the_connection_of_their_storage(
    emulator: Emulator, run: Any, private_memory: Any, path: str
) -> None:
    emulator.add_calls("a")
    private_memory.pipe("/bucket/out/rows.csv", b"call_id,n\na,1\n")
    rows = FileRows(f"memory://bucket/out/{path}", "private_storage")
    assert run(rows=rows).counts == {"updated": 1}


# -- names of columns


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (",call_id,n", "the name of a column is empty"),
        ("call_id, n", "the name of a column begins or ends with a space"),
        ("call_id,n,,", "the name of a column is empty"),
        ("call_id,metadata", "the column metadata would become one key of the metadata"),
    ],
)
def test_a_column_that_nobody_would_make_a_key_must_be_named(
    emulator: Emulator, run: Any, tmp_path: Path, header: str, says: str
) -> None:
    emulator.add_calls(["a"])
    cells = ",".join("a" if name == "call_id" else "1" for name in header.split(","))
    (tmp_path / "rows.csv").write_text(f"{header}\n{cells}\n")
    rows = FileRows(str(tmp_path / "rows.csv"))
    task = run(rows=rows, fails=True)
    assert task.report[0]["call_id"] == "a"
    assert says in task.outcome(1)[1]
    assert not emulator.calls["a"]["metadata"]
    columns = {"metadata": "facts"} if "metadata" in header else {header.split(",")[-1] or "n": "facts"}
    assert run(rows=rows, metadata_columns=columns).counts == {"updated": 1}
    assert emulator.calls["a"]["metadata"] == {"facts": "1"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("call_id;tier;ltv\na;gold;1,5\n", "separated by semicolons: set the delimiter"),
        ("call_id\ttier\na\tgold\n", "separated by tabs: set the delimiter"),
        ("call_id|tier\n", "separated by vertical bars: set the delimiter"),
        ("x,y;call_id;tier\n1,2;a;gold\n", "separated by semicolons: set the delimiter"),
        ("call_id, tier\na, gold\n", "The name tier has spaces before or after it"),
        ("CALL_ID,TIER\na,gold\n", "Names are case-sensitive"),
    ],
)
def test_the_reason_for_missing_columns_is_guessed(
    emulator: Emulator, run: Any, tmp_path: Path, content: str, says: str
) -> None:
    (tmp_path / "rows.csv").write_text(content)
    task = run(rows=FileRows(str(tmp_path / "rows.csv")), metadata_columns=["tier"], fails=True)
    assert says in str(task.error)
    assert not emulator.requests


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
