"""Options for all rows: nulls, time zones, JSON in text, names of columns; and tables as rows."""

from __future__ import annotations

from collections import namedtuple
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.bulk.given_rows import as_rows
from airflow_provider_retell.operators import BulkUpdateCallOperator

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator


@pytest.mark.parametrize(
    ("nulls", "tier", "updated"),
    [("write", {"tier": None}, 2), ("skip", {"tier": "gold"}, 1), ("remove", {}, 2)],
)
def test_nulls_are_written_skipped_or_removed(
    emulator: Emulator, run: Any, nulls: Any, tier: dict[str, Any], updated: int
) -> None:
    emulator.add_calls("ab", metadata={"tier": "gold", "other": 2})
    rows = [{"call_id": "a", "tier": None, "n": 1}, {"call_id": "b", "tier": None}]
    assert run(rows=rows, nulls=nulls).counts.get("updated") == updated
    assert run(rows=rows, nulls=nulls).counts == {"unchanged": 2}
    assert emulator.calls["a"]["metadata"] == {**tier, "n": 1, "other": 2}
    assert emulator.calls["b"]["metadata"] == {**tier, "other": 2}


def test_a_null_custom_attribute_is_invalid_and_the_reason_names_the_option(
    emulator: Emulator, run: Any
) -> None:
    emulator.add_calls(["a", "b"])
    rows = [{"call_id": "a", "attr": None, "n": 1}, {"call_id": "b", "attr": "gold", "n": 1}]
    task = run(rows=rows, custom_attribute_columns={"attr": "attr_tier"}, fails=True)
    assert task.counts == {"updated": 1, "invalid": 1}
    assert task.outcome(1)[1] == (
        "custom_attributes.attr_tier must not be null. Set nulls='skip' or nulls='remove' on the task to keep the "
        "attribute as it is"
    )


def test_the_zone_of_timestamps_without_one(emulator: Emulator, run: Any) -> None:
    emulator.add_calls(["a"])
    naive = datetime(2026, 7, 1, 12)  # noqa: DTZ001
    rows = [{"call_id": "a", "at": naive, "nested": [{"at": naive}], "winter": naive.replace(month=1)}]
    task = run(rows=rows, fails=True)
    assert "without a time zone" in task.outcome(1)[1]
    run(rows=rows, timezone="Europe/Berlin")
    assert emulator.calls["a"]["metadata"] == {
        "at": "2026-07-01T10:00:00+00:00",
        "nested": [{"at": "2026-07-01T10:00:00+00:00"}],
        "winter": "2026-01-01T11:00:00+00:00",
    }


def test_json_in_text_becomes_objects(emulator: Emulator, run: Any) -> None:
    emulator.add_calls(["a", "b", "c", "d"])
    rows = [
        {"call_id": "a", "facts": '{"tier": "gold", "n": [1]}'},
        {"call_id": "b", "facts": {"tier": "tin"}},
        {"call_id": "c", "facts": "{private"},
        {"call_id": "d", "facts": ""},
    ]
    task = run(rows=rows, json_columns=["facts"], metadata_columns={"facts": "known"}, fails=True)
    assert emulator.calls["a"]["metadata"] == {"known": {"tier": "gold", "n": [1]}}
    assert emulator.calls["b"]["metadata"] == {"known": {"tier": "tin"}}
    assert task.outcome(3) == ("invalid", "facts has text that is not JSON")
    assert task.outcome(4)[0] == "unchanged"


@pytest.mark.parametrize(
    "text", ['{"tier": "gold", "tier": "tin"}', '[{"a": {"tier": 1, "n": 2, "tier": 1}}]']
)
def test_json_in_text_with_the_same_key_twice_is_invalid(emulator: Emulator, run: Any, text: str) -> None:
    emulator.add_calls("ab")
    rows = [{"call_id": "a", "facts": text}, {"call_id": "b", "facts": '[{"tier": 1}, {"tier": 1}]'}]
    task = run(rows=rows, json_columns=["facts"], fails=True)
    assert task.outcome(1) == ("invalid", "facts has the key tier twice")
    assert task.outcome(2)[0] == "updated"
    assert not emulator.calls["a"]["metadata"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"nulls": "ignore"}, "nulls must be 'write', 'skip' or 'remove'"),
        (
            {"nulls": "remove", "metadata_mode": "fill"},
            "nulls='remove' must not be set with metadata_mode='fill'",
        ),
        ({"timezone": "Mars/Base"}, "timezone must be the name of a time zone"),
        ({"json_columns": "facts"}, "json_columns must be a list of strings"),
        ({"column_names": "facts"}, "column_names must be a list of strings"),
    ],
)
def test_invalid_options_are_rejected_when_the_dag_is_read(arguments: Any, says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        BulkUpdateCallOperator(task_id="bulk", rows=[], **arguments)


# -- tuples and nested lists


@pytest.mark.parametrize("row", [("a", "gold"), ["a", "gold"]])
@pytest.mark.parametrize("nested", [False, True])
def test_tuples_get_the_names_of_their_columns(emulator: Emulator, run: Any, row: Any, nested: bool) -> None:
    emulator.add_calls(["a"])
    rows = [[row], []] if nested else [row]
    assert run(rows=rows, column_names=["call_id", "tier"]).counts == {"updated": 1}
    assert emulator.calls["a"]["metadata"] == {"tier": "gold"}


def test_tuples_that_do_not_fit_the_names_are_invalid(emulator: Emulator, run: Any) -> None:
    task = run(rows=[("a", "gold", 1)], column_names=["call_id", "tier"], fails=True)
    assert task.outcome(1) == ("invalid", "the row has 3 values, and column_names has 2")


def test_lists_of_lists_and_named_tuples_are_rows(emulator: Emulator, run: Any) -> None:
    emulator.add_calls(["a", "b", "c"])
    named = namedtuple("Row", "call_id tier")("c", "tin")
    rows = [[{"call_id": "a", "tier": "gold"}, {"call_id": "b", "tier": "x"}], [], [named]]
    assert run(rows=rows).counts == {"updated": 3}
    assert emulator.calls["c"]["metadata"] == {"tier": "tin"}


# -- tables


def pandas_frame() -> Any:
    pd = pytest.importorskip("pandas")
    return pd.DataFrame(
        {
            "call_id": ["a", "b"],
            "n": pd.array([1, None], dtype="Int64"),
            "short": pd.Series([0.1, float("nan")], dtype="float32"),
            "at": pd.to_datetime(["2026-07-01", None]).tz_localize("UTC"),
        }
    )


def polars_frame() -> Any:
    pl = pytest.importorskip("polars")
    from datetime import timezone

    return pl.DataFrame(
        {
            "call_id": ["a", "b"],
            "n": [1, None],
            "short": pl.Series([0.1, None], dtype=pl.Float32),
            "at": [datetime(2026, 7, 1, tzinfo=timezone.utc), None],
        }
    )


def arrow_table() -> Any:
    pa = pytest.importorskip("pyarrow")
    from datetime import timezone

    return pa.table(
        {
            "call_id": ["a", "b"],
            "n": [1, None],
            "short": pa.array([0.5, None], pa.float32()),
            "at": [datetime(2026, 7, 1, tzinfo=timezone.utc), None],
        }
    )


TABLES = [
    pandas_frame,
    polars_frame,
    lambda: polars_frame().lazy(),
    arrow_table,
    lambda: arrow_table().to_batches()[0],
]


@pytest.mark.parametrize("make", TABLES)
@pytest.mark.parametrize("how", ["literal", "function", "mapped"])
def test_tables_are_rows(emulator: Emulator, run: Any, make: Any, how: str) -> None:
    table = make()
    emulator.add_calls(["a", "b"], metadata={"n": 9, "short": 9, "at": 9})
    rows = {"literal": table, "function": lambda: table, "mapped": [table]}[how]
    run(rows=rows).check(rows=2)
    first, second = (emulator.calls[name]["metadata"] for name in "ab")
    assert first["short"] in (0.1, 0.5)
    assert (first["n"], first["at"]) == (1, "2026-07-01T00:00:00+00:00")
    assert second == {"n": None, "short": None, "at": None}


def test_the_size_of_a_table_is_not_taken_from_a_column(emulator: Emulator, run: Any) -> None:
    """The columns of a DataFrame are attributes of it."""
    emulator.add_calls(["a", "b"])
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"call_id": ["a", "b"], "num_rows": [7, 8]})
    assert as_rows(frame).size() == 2
    assert run(rows=frame).counts == {"updated": 2}
    assert emulator.calls["b"]["metadata"] == {"num_rows": 8}


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (arrow_table, 2),
        (lambda: arrow_table().to_batches()[0], 2),
        (polars_frame, 2),
        (lambda: polars_frame().lazy(), None),
    ],
)
def test_a_table_knows_its_size(make: Any, size: int | None) -> None:
    assert as_rows(make()).size() == size


@pytest.mark.parametrize("lazy", [False, True])
def test_short_floats_in_lists_and_structs_of_polars_keep_their_digits(
    emulator: Emulator, run: Any, lazy: bool
) -> None:
    pl = pytest.importorskip("polars")
    emulator.add_calls(["a", "b"], metadata={"short": 9})
    kinds = {
        "list": (pl.List(pl.Float32), [0.1]),
        "array": (pl.Array(pl.Float32, (2, 1)), [[0.1], [0.2]]),
        "struct": (
            pl.Struct({"x": pl.Float32, "y": pl.List(pl.Float32), "z": pl.Int8}),
            {"x": 0.1, "y": [0.2]},
        ),
        "double": (pl.Float64, 0.1),
        "short": (pl.Float32, 0.1),
    }
    values = {name: pl.Series([value, None], dtype=kind) for name, (kind, value) in kinds.items()}
    frame = pl.DataFrame({"call_id": ["a", "b"], **values})
    assert run(rows=frame.lazy() if lazy else frame).counts == {"updated": 2}
    assert emulator.calls["a"]["metadata"] == {
        "list": [0.1],
        "array": [[0.1], [0.2]],
        "struct": {"x": 0.1, "y": [0.2], "z": None},
        "double": 0.1,
        "short": 0.1,
    }
    assert emulator.calls["b"]["metadata"] == dict.fromkeys(kinds)


def test_arrow_columns_of_pandas_are_values_of_arrow(emulator: Emulator, run: Any) -> None:
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    emulator.add_calls(["a", "b"], metadata={"short": 9})
    kinds = {
        "short": (pa.float32(), 0.1),
        "half": (pa.float16(), 0.1),
        "tags": (pa.map_(pa.string(), pa.int64()), [("gold", 1)]),
        "shorts": (pa.list_(pa.float32()), [0.1]),
        "at": (pa.timestamp("ns", "UTC"), 1_782_864_000_000_000_001),
    }
    frame = pd.DataFrame({"call_id": ["a", "b"]})
    for name, (kind, value) in kinds.items():
        frame[name] = pd.array(pa.array([value, None], kind), dtype=pd.ArrowDtype(kind))
    assert run(rows=frame).counts == {"updated": 2}
    assert emulator.calls["a"]["metadata"] == {
        "short": 0.1,
        "half": 0.1,
        "tags": {"gold": 1},
        "shorts": [0.1],
        "at": "2026-07-01T00:00:00.000000001+00:00",
    }
    assert emulator.calls["b"]["metadata"] == dict.fromkeys(kinds)


@pytest.mark.parametrize("make", TABLES)
def test_a_table_without_a_named_column_fails_before_anything_is_sent(
    emulator: Emulator, run: Any, make: Any
) -> None:
    task = run(rows=make(), metadata_columns=["n", "tier"], fails=True)
    assert "the rows have no column tier; they have: call_id, n, short, at" in str(task.error)
    assert not emulator.requests


def test_options_that_another_run_may_need_are_accepted_without_effect(emulator: Emulator, run: Any) -> None:
    emulator.add_calls(["a"])
    task = run(rows=[{"call_id": "a", "n": 1}], show_values=True, column_names=["call_id", "m"])
    assert task.counts == {"updated": 1}
    assert emulator.calls["a"]["metadata"] == {"n": 1}
