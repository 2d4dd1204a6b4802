"""The meaning of columns, and values that cannot be sent."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.bulk import FileRows, SqlRows
from airflow_provider_retell.bulk.column_names import names_by_column
from airflow_provider_retell.emulator import Emulator

PRIVATE = "Ada's private note"


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
def test_columns_become_metadata_attributes_and_the_storage_setting(
    emulator: Emulator, run: Any, columns: Any, metadata: Any
) -> None:
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
def test_a_column_that_no_row_has_fails_the_task_after_the_last_row(
    emulator: Emulator, run: Any, tmp_path: Path, kind: str, names: Any
) -> None:
    emulator.add_calls([f"call_{n}" for n in range(50)])
    given: list[Any] = [{"call_id": f"call_{n}", "tier": "gold", "ltv": n} for n in range(50)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, given)))
    source = {"list": given, "function": lambda: given, "file": FileRows(str(tmp_path / "rows.jsonl"))}[kind]
    task = run(rows=source, fails=True, **names)
    assert isinstance(task.error, AirflowFailException)
    assert str(task.error).startswith(
        "No row has the column teir; the first row has: call_id, tier, ltv. Check the spelling. "
    )
    task.check(rows=50)
    assert task.counts == {"updated": 50}
    assert emulator.calls["call_49"]["metadata"] == {"ltv": 49}


def test_a_column_needs_only_one_row_that_has_it(emulator: Emulator, run: Any) -> None:
    emulator.add_calls([f"call_{n}" for n in range(1500)])
    given: list[Any] = [{"call_id": f"call_{n}"} for n in range(1500)]
    given[1400]["tier"] = "gold"
    assert run(rows=given, metadata_columns=["tier"]).counts == {"updated": 1, "unchanged": 1499}


@pytest.mark.parametrize("kind", ["query", "csv", "parquet"])
def test_two_columns_of_one_name_are_rejected(
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


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ("tier", "columns must be a list or dict of strings, not text"),
        (["tier", 1], "columns must be a list or dict of strings; it contains 1"),
        ({"a": 1}, "the values of columns must be a list of strings; it contains 1"),
        ({1: "a"}, "the keys of columns must be a list of strings; it contains 1"),
        ({"a": "same", "b": "same"}, "columns must give each column a name of its own"),
    ],
)
def test_columns_that_are_neither_a_list_nor_a_dict_of_texts_are_rejected(columns: Any, says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        names_by_column("columns", columns)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (float("inf"), "metadata.x is NaN or infinite"),
        (2**60, "metadata.x is an integer beyond 2**53 - 1"),
        (b"bytes", "metadata.x is bytes"),
        (datetime(2026, 1, 1), "metadata.x is a datetime without a time zone"),  # noqa: DTZ001
        ({"y": [1, {2}]}, "metadata.x.y[1] is a set"),
        (PRIVATE * 4000, "is 72,0"),
        ({"+14155550199": {"Ada Lovelace": [{2}]}}, "metadata.x.[..].[..][0] is a set"),
        (Decimal("0.12345678901234567890123"), "metadata.x is a Decimal with more digits"),
    ],
)
@pytest.mark.usefixtures("whole_log")
def test_a_row_with_a_value_that_cannot_be_sent_is_invalid(
    emulator: Emulator, run: Any, caplog: pytest.LogCaptureFixture, value: Any, says: str
) -> None:
    emulator.add_calls(["a"])
    task = run(rows=[{"call_id": "a", "x": value}], fails=True)
    assert (task.counts, task.report[0]["call_id"]) == ({"invalid": 1}, "a")
    assert says in task.outcome(1)[1]
    assert PRIVATE not in task.path.read_text() + caplog.text + str(task.error)


def test_a_row_is_invalid_if_its_merged_metadata_is_too_large(emulator: Emulator, run: Any) -> None:
    emulator.add_call(call_id="a", metadata={"old": "x" * 30_000})
    task = run(rows=[{"call_id": "a", "new": "x" * 30_000}], fails=True)
    assert task.counts == {"invalid": 1}
    assert "metadata is 60,019 bytes of JSON" in task.outcome(1)[1]


def test_a_second_row_of_a_call_is_invalid_wherever_it_is(emulator: Emulator, run: Any) -> None:
    ids = [f"call_{n}" for n in range(1001)]
    emulator.add_calls(ids)
    rows = [{"call_id": call_id, "n": 1} for call_id in ids] + [
        {"call_id": "call_0", "n": 2},
        {"call_id": "call_1000"},
        {"call_id": "call_x", "n": float("nan")},
        {"call_id": "call_x", "n": 3},
        {"call_id": "call_1", "n": float("nan")},
    ]
    task = run(rows=rows, fails=True)
    task.check(rows=1006)
    assert task.counts == {"updated": 1001, "invalid": 5}
    earlier_rows = {1002: 1, 1003: 1001, 1005: 1004, 1006: 2}
    for row, earlier in earlier_rows.items():
        assert task.outcome(row) == ("invalid", f"an earlier row has the same call id: row {earlier}")
    assert emulator.calls["call_0"]["metadata"] == {"n": 1}
    assert emulator.count("update-call") == 1001


@pytest.mark.parametrize(
    ("column", "hint"),
    [("Tier", ". Names are case-sensitive"), ("ltv", ". The name ltv has spaces before or after it")],
)
def test_the_reason_for_a_column_that_no_row_has_is_guessed(
    emulator: Emulator, run: Any, column: str, hint: str
) -> None:
    emulator.add_calls(["a"])
    # The first row that can be read has the names. A name that may be a value is not shown.
    rows: list[Any] = [
        "no row",
        {"call_id": "a", "tier": 1, "ltv ": 1, "+49 151 1234567": 1},
        {"call_id": "b"},
    ]
    task = run(rows=rows, metadata_columns=[column], fails=True)
    assert str(task.error).startswith(
        f"No row has the column {column}; the first row has: call_id, tier, column 3, column 4{hint}. Check the "
    )
