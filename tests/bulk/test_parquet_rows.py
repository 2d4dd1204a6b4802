"""Parquet files: their values, and damage."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.bulk import FileRows
from airflow_provider_retell.emulator import Emulator

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def write(folder: Path, columns: dict[str, Any], **options: Any) -> FileRows:
    parquet.write_table(pyarrow.table(columns), folder / "rows.parquet", **options)
    return FileRows(str(folder / "rows.parquet"))


def test_rows_of_several_batches(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    ids = [f"call_{n}" for n in range(2500)]
    emulator.add_calls(ids)
    rows = write(tmp_path, {"call_id": ids, "ltv": [Decimal(n) / 4 for n in range(2500)]}, row_group_size=700)
    task = run(rows=rows)
    assert task.counts == {"updated": 2500}
    assert [line["call_id"] for line in task.report] == ids
    assert emulator.calls["call_5"]["metadata"] == {"ltv": 1.25}


fixed_size = pytest.mark.skipif(
    int(pyarrow.__version__.partition(".")[0]) < 26,
    reason="older versions of Arrow cannot read a null among lists of a fixed size",
)
TEXTS = pyarrow.map_(pyarrow.string(), pyarrow.string())
NANOSECONDS = 1_795_341_600_123_456_789


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([[("tier", "gold"), ("plan", "pro")]], TEXTS, {"tier": "gold", "plan": "pro"}),
        ([[]], TEXTS, {}),
        ([{"m": [("a", 0.1)]}], pyarrow.struct([("m", pyarrow.map_("string", "float"))]), {"m": {"a": 0.1}}),
        ([[[("a", "b")], None]], pyarrow.list_(TEXTS), [{"a": "b"}, None]),
        ([0.1], pyarrow.float32(), 0.1),
        ([16777216.0], pyarrow.float32(), 16777216.0),
        ([3.4028234663852886e38], pyarrow.float32(), 3.4028235e38),
        ([0.1], pyarrow.float16(), 0.1),
        ([0.1], pyarrow.float64(), 0.1),
        ([[0.1, 0.7]], pyarrow.list_(pyarrow.float32()), [0.1, 0.7]),
        pytest.param([[0.1, 0.7]], pyarrow.list_(pyarrow.float32(), 2), [0.1, 0.7], marks=fixed_size),
        ([1], pyarrow.timestamp("s", "UTC"), "1970-01-01T00:00:01+00:00"),
        ([1], pyarrow.timestamp("ms", "Europe/Berlin"), "1970-01-01T00:00:00.001000+00:00"),
        ([NANOSECONDS], pyarrow.timestamp("ns", "UTC"), "2026-11-22T10:00:00.123456789+00:00"),
        ([NANOSECONDS], pyarrow.timestamp("ns", "+01:00"), "2026-11-22T10:00:00.123456789+00:00"),
        ([-1], pyarrow.timestamp("ns", "UTC"), "1969-12-31T23:59:59.999999999+00:00"),
        ([1_000], pyarrow.timestamp("ns", "UTC"), "1970-01-01T00:00:00.000001+00:00"),
        ([0.1], pyarrow.dictionary(pyarrow.int8(), pyarrow.float32()), 0.1),
    ],
)
def test_values_are_written_as_the_source_shows_them(
    emulator: Emulator, run: Any, tmp_path: Path, values: list[Any], kind: Any, expected: Any
) -> None:
    emulator.add_calls("ab")
    if pyarrow.types.is_dictionary(kind):
        column = pyarrow.array([*values, None], kind.value_type).dictionary_encode()
    else:
        column = pyarrow.array([*values, None], kind)
    task = run(rows=write(tmp_path, {"call_id": ["a", "b"], "x": column}))
    assert task.counts == {"updated": 1, "unchanged": 1}
    assert emulator.calls["a"]["metadata"] == {"x": expected}


def test_a_map_with_the_same_key_twice_is_invalid(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    emulator.add_calls("ab")
    column = pyarrow.array([[("a", "1"), ("a", "2")], [("a", "1")]], TEXTS)
    task = run(rows=write(tmp_path, {"call_id": ["a", "b"], "x": column}), fails=True)
    assert task.counts == {"updated": 1, "invalid": 1}
    assert task.outcome(1)[1] == "x has a value that cannot be converted to Python (ValueError)"


def test_nanoseconds_survive_another_zone_and_other_fields() -> None:
    from airflow_provider_retell.bulk.arrow_values import NanosecondTime

    time = NanosecondTime.of(datetime(2026, 11, 22, 10, 0, 0, 5, timezone.utc).replace(tzinfo=None), 7)
    assert time.replace(tzinfo=timezone.utc).isoformat() == "2026-11-22T10:00:00.000005007+00:00"
    assert time.isoformat() == "2026-11-22T10:00:00.000005007"


def test_nanoseconds_are_of_the_second_time_when_clocks_go_back() -> None:
    from airflow_provider_retell.bulk.arrow_values import NanosecondTime

    zone = ZoneInfo("Europe/Berlin")
    first, second = (
        NanosecondTime.of(datetime(2026, 10, 25, 2, 30, tzinfo=zone, fold=fold), 7) for fold in (0, 1)
    )
    assert first.isoformat() == "2026-10-25T02:30:00.000000007+02:00"
    assert second.isoformat() == "2026-10-25T02:30:00.000000007+01:00"


def test_a_value_that_python_lacks_makes_only_its_row_invalid(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    emulator.add_calls("abc")
    days = pyarrow.array([0, 10_000_000, 1], pyarrow.date32())  # 10,000,000 days after 1970 is the year 29349
    task = run(rows=write(tmp_path, {"call_id": list("abc"), "day": days}), fails=True)
    assert task.counts == {"updated": 2, "invalid": 1}
    assert task.outcome(2) == (
        "invalid",
        "day has a value that cannot be converted to Python (OverflowError)",
    )
    assert emulator.calls["c"]["metadata"] == {"day": "1970-01-02"}


def test_a_name_that_may_be_private_is_not_shown(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    emulator.add_calls("a")
    days = pyarrow.array([10_000_000], pyarrow.date32())
    rows = write(tmp_path, {"call_id": ["a"], "+1 415": days})
    task = run(rows=rows, metadata_columns={"+1 415": "day"}, fails=True)
    assert task.outcome(1) == (
        "invalid",
        "column 2 has a value that cannot be converted to Python (OverflowError)",
    )


def test_a_damaged_page_costs_the_rows_of_its_row_group(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    ids = [f"call_{n}" for n in range(50)]
    emulator.add_calls(ids)
    rows = write(tmp_path, {"call_id": ids, "n": ids}, row_group_size=10, compression="snappy")
    path = tmp_path / "rows.parquet"
    chunk = parquet.ParquetFile(path).metadata.row_group(2).column(1)
    content = bytearray(path.read_bytes())
    start = chunk.dictionary_page_offset
    content[start + 20 : start + 60] = b"\xff" * 40
    path.write_bytes(content)
    task = run(rows=rows, max_failed_rows=50, fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert f"the file {path} cannot be read to its end: 10 of 50 rows are damaged" in str(task.error)
    assert task.counts == {"updated": 40, "invalid": 10}
    invalid = [line["row"] for line in task.report if line["outcome"] == "invalid"]
    assert invalid == list(range(21, 31))
    assert task.outcome(21)[1].startswith("row group 3 of the Parquet file is damaged from here on")


@pytest.mark.parametrize("use_dictionary", [False, True])
@pytest.mark.parametrize("compression", ["none", "snappy"])
def test_a_page_with_another_checksum_is_damaged(
    emulator: Emulator, run: Any, tmp_path: Path, compression: str, use_dictionary: bool
) -> None:
    ids = [f"call_{n}" for n in range(30)]
    emulator.add_calls(ids)
    options: Any = {
        "compression": compression,
        "use_dictionary": use_dictionary,
        "row_group_size": 10,
        "write_statistics": False,
    }
    texts = [f"{n:02}-{'abcdefghijklmnopqrstuvwxyz'[n % 26 :]}" for n in range(30)]
    rows = write(tmp_path, {"call_id": ids, "n": texts}, write_page_checksum=True, **options)
    path = tmp_path / "rows.parquet"
    content = path.read_bytes()
    assert content.count(b"10-klmn") == 1
    path.write_bytes(content.replace(b"10-klmn", b"99-KLMN"))
    task = run(rows=rows, max_failed_rows=30, fails=True)
    assert f"the file {path} cannot be read to its end: 10 of 30 rows are damaged" in str(task.error)
    assert task.counts == {"updated": 20, "invalid": 10}
    assert not emulator.calls["call_10"]["metadata"]


def test_an_error_of_the_storage_is_not_taken_for_damage(
    emulator: Emulator, run: Any, tmp_path: Path, mocker: Any
) -> None:
    rows = write(tmp_path, {"call_id": ["a"]})
    mocker.patch.object(parquet, "ParquetFile", side_effect=OSError(5, "Input/output error"))
    task = run(rows=rows, fails=True)
    assert type(task.error) is OSError


def test_a_file_without_rows_is_checked_for_its_columns(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    rows = write(tmp_path, {"call_id": pyarrow.array([], "string"), "n": pyarrow.array([], "string")})
    assert run(rows=rows, metadata_columns=["n"]).counts == {}
    assert "no column tier" in str(run(rows=rows, metadata_columns=["tier"], fails=True).error)
