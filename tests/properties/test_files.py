"""Readers of CSV, JSONL and Parquet files, on arbitrary bytes."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import itertools
import json
import re
from pathlib import Path
from typing import Any, cast

import pytest
import strategies
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_retell.api.calls.kind import CALLS
from airflow_provider_retell.api.calls.models import CallState
from airflow_provider_retell.api.errors import RetellError, RetellInputError
from airflow_provider_retell.bulk.errors import InvalidRowError, SourceError
from airflow_provider_retell.bulk.failed_rows import FailedRows
from airflow_provider_retell.bulk.file_rows import FileRows
from airflow_provider_retell.bulk.outcome import Result
from airflow_provider_retell.bulk.records.columns import Columns
from airflow_provider_retell.bulk.records.updates import PlannedUpdate, RecordUpdates
from airflow_provider_retell.bulk.rows import BadRow, Header

ENDED = CallState(call_id="call_1", call_status="ended")


def read(folder: Path, name: str, content: bytes) -> list[Any]:
    path = folder / name
    path.write_bytes(content)
    return [row for row in FileRows(str(path)).read() if not isinstance(row, Header)]


def check_rows(rows: list[Any], columns: Columns = Columns()) -> None:  # noqa: B008
    """Plan every row: the result is an outcome, or a request that can be sent."""
    updates = RecordUpdates(cast("Any", None), columns, CALLS)  # without a server
    for row in rows:
        try:
            call_id, change = updates.read_row(row)
        except InvalidRowError as error:
            assert error.fault
            continue
        planned = updates.plan_row(1, call_id, ENDED, change)
        if isinstance(planned, PlannedUpdate):
            json.loads(planned.request.body or b"")
        else:
            assert isinstance(planned, Result)


lines = st.one_of(
    st.binary(max_size=30),
    st.dictionaries(
        st.sampled_from(["call_id", "a"]) | st.text(max_size=3), strategies.server_values, max_size=3
    ).map(lambda row: json.dumps(row).encode()),
    st.sampled_from(
        [b"", b" ", b"[" * 5000, b"9" * 5000, b'{"call_id": "call_1"}', b"\xef\xbb\xbf{}", b"\x00"]
    ),
)


@given(st.lists(lines, max_size=6), st.sampled_from([b"\n", b"\r\n"]))
def test_every_line_of_json_is_a_row(tmp_path: Path, parts: list[bytes], end: bytes) -> None:
    content = end.join(parts)
    try:
        rows = read(tmp_path, "rows.jsonl", content)
    except SourceError as error:
        # The first bytes are those of another format.
        assert re.search(
            "the file (is (compressed|a ZIP|a Parquet|not text)|begins with the byte order mark of)",
            str(error),
        )
        return
    blank = (line.removeprefix(b"\xef\xbb\xbf").strip() == b"" for line in content.split(b"\n"))
    assert len(rows) == sum(not is_blank for is_blank in blank)
    check_rows(rows)


@given(st.lists(strategies.objects, max_size=4))
def test_objects_survive_a_file_of_json_lines(tmp_path: Path, rows: list[Any]) -> None:
    content = "\n".join(json.dumps(row) for row in rows).encode()
    assert read(tmp_path, "rows.jsonl", content) == rows
    assert read(tmp_path, "rows.ndjson.gz", gzip.compress(content)) == rows


cells = st.text(max_size=5) | st.sampled_from(['"', ",", "\n", "\r\n", "\u00df", "call_1"])


@given(
    st.binary(max_size=60) | st.lists(cells).map(lambda parts: "".join(parts).encode("latin-1", "replace"))
)
@example(b"call_id,gr\xf6\xdfe\ncall_1,5\n")
@example(b"call_id,a\ncall_1,\xff\n")
@example(b"x" * 140_000)
@example(b"a\n" + b"x" * 140_000)
@example(b'call_id\n"' + b"x" * 200_000)
@example(b"\x00\n\x00")
def test_every_csv_file_has_rows_or_an_error_of_this_package(tmp_path: Path, content: bytes) -> None:
    try:
        rows = read(tmp_path, "rows.csv", content)
    except (SourceError, RetellInputError):
        return
    assert all(isinstance(row, dict) for row in rows)
    check_rows(rows)


@given(
    st.lists(
        strategies.texts.filter(lambda name: name and "\0" not in name), min_size=1, max_size=4, unique=True
    ),
    st.lists(st.lists(strategies.texts, min_size=4, max_size=4), max_size=4),
)
def test_texts_survive_a_csv_file(tmp_path: Path, names: list[str], values: list[list[str]]) -> None:
    rows = [dict(zip(names, row, strict=False)) for row in values]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    content = text.getvalue().encode()
    assert read(tmp_path, "rows.csv", content) == rows
    assert read(tmp_path, "rows.csv.gz", gzip.compress(content)) == rows


@pytest.mark.parametrize("name", ["rows.csv.gz", "rows.jsonl.gz"])
@given(
    cut=st.integers(0, 400), flips=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 255)), max_size=3)
)
def test_damaged_archive_ends_with_an_error_of_this_package(
    tmp_path: Path, name: str, cut: int, flips: list[tuple[int, int]]
) -> None:
    content = bytearray(gzip.compress(b'{"call_id": "call_1"}\n' * 20))
    for place, bits in flips:
        content[place % len(content)] ^= bits
    with contextlib.suppress(SourceError, RetellInputError):
        read(tmp_path, name, bytes(content[: len(content) - cut % len(content)]))


@pytest.fixture(scope="module")
def parquet() -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    table = pyarrow.table(
        {"call_id": [f"call_{n}" for n in range(50)], "n": list(range(50)), "text": ["a", "\u00df"] * 25}
    )
    file = io.BytesIO()
    write_table(table, file)
    return file.getvalue()


@given(st.data())
def test_damaged_parquet_file_ends_with_an_error_of_this_package(
    tmp_path: Path, parquet: bytes, data: st.DataObject
) -> None:
    content = bytearray(parquet)
    for _ in range(data.draw(st.integers(0, 3), label="flips")):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    content = content[: data.draw(st.sampled_from([len(content)] * 4) | st.integers(0, len(content)))]
    try:
        rows = read(tmp_path, "rows.parquet", bytes(content))
    except (SourceError, RetellInputError):
        return
    check_rows(rows)


report_lines = st.fixed_dictionaries(
    {},
    optional={
        "row": st.integers(1, 6) | strategies.server_values | st.sampled_from([-1, 0, 10**15, True]),
        "call_id": st.integers(1, 6).map(lambda n: f"call_{n}")
        | strategies.server_values
        | st.just("\ud83d"),
        "outcome": st.sampled_from(["updated", "unchanged", "failed", "invalid"]) | strategies.server_values,
    },
).map(lambda line: json.dumps(line).encode())


@given(st.lists(report_lines | lines, max_size=6))
@example([b'{"row": -1, "outcome": "updated"}'])
@example([b'{"row": 1000000000000000, "outcome": "updated"}'])
@example([b'{"row": 1, "call_id": "\\ud83d", "outcome": "updated"}'])
def test_any_file_can_be_taken_for_the_report_of_an_earlier_run(tmp_path: Path, parts: list[bytes]) -> None:
    from airflow_provider_retell.bulk.digest_map import DigestMap

    path = tmp_path / "report.jsonl"
    path.write_bytes(b"\n".join(parts))
    rows = [{"call_id": f"call_{n}"} for n in range(1, 6)]
    again = FailedRows(rows, str(path))
    try:
        taken = list(again.read())
        done = DigestMap()
        for call_id in again.done_records():
            done[call_id] = 1
    except RetellError:
        return
    assert all(not isinstance(row, BadRow) for row in taken)
    # The rows come in order, and none comes twice.
    assert [row for row in rows if row in taken] == taken
    assert len(list(itertools.groupby(taken))) == len(taken)
