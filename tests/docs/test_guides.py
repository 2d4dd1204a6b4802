"""Tables of the guides agree with the code and with the benchmarks."""

from __future__ import annotations

import datetime
import json
import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pytest
from pages import ROOT

from airflow_provider_retell.api.encode import to_json
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.hooks.retell import RetellHook

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator

NOON = datetime.datetime(2026, 11, 22, 18, 5, tzinfo=datetime.timezone.utc)
UUID_TEXT = "0b6e1d3c-2f8a-4c55-9d8e-7a1b2c3d4e5f"

# For each row of the table: values with their JSON, and rejected values.
ENCODED: dict[str, tuple[list[tuple[Any, Any]], list[Any]]] = {
    "`None`, `bool`, `str`": ([(None, None), (True, True), ("gold", "gold")], ["\ud800"]),
    "`int`": ([(2**53 - 1, 2**53 - 1)], [2**53, -(2**53)]),
    "`float`": ([(0.5, 0.5)], [math.nan, math.inf]),
    "`Decimal`": (
        [(Decimal("18250.40"), 18250.4), (Decimal(7), 7)],
        [Decimal("0.1234567890123456789"), Decimal("NaN"), Decimal("Infinity")],
    ),
    "`datetime` with a time zone": ([(NOON, "2026-11-22T18:05:00+00:00")], []),
    "`datetime` without a time zone": ([], [NOON.replace(tzinfo=None)]),
    "`date`": ([(NOON.date(), "2026-11-22")], []),
    "`UUID`": ([(UUID(UUID_TEXT.upper()), UUID_TEXT)], []),
    "mapping, list, tuple": ([({"a": [1, (2,)]}, {"a": [1, [2]]})], [{1: 1}]),
    "numpy scalar": ([(np.int64(7), 7), (np.float32(0.5), 0.5)], [np.datetime64("2026-11-22")]),
    "bytes, sets, other types": ([], [b"x", {1}, object()]),
}

# A field that takes each type of condition.
FIELDS = {
    "string": "to_number",
    "number": "duration_ms",
    "range": "duration_ms",
    "enum": "call_status",
    "boolean": "in_voicemail",
}


def section(page: str, heading: str) -> str:
    """Return the text between a heading and the next one."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.split(r"^#+ ", text.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def first_cells(table: str) -> list[str]:
    return [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines() if line.startswith("| ")]


def test_the_table_of_encoded_values_has_a_tested_example_for_each_row() -> None:
    header, *rows = first_cells(section("docs/update_call.md", "How values are encoded"))
    assert header == "Python value"
    assert rows == list(ENCODED)


@pytest.mark.parametrize("row", ENCODED)
def test_values_are_encoded_as_the_table_says(row: str) -> None:
    encoded, rejected = ENCODED[row]
    for value, expected in encoded:
        assert to_json(value, "value") == expected
    for value in rejected:
        with pytest.raises(RetellInputError):
            to_json(value, "value")


def test_retell_accepts_the_filter_conditions_of_the_guide(
    retell_emulator: Emulator, retell_connection: str
) -> None:
    text = section("docs/read_export.md", "Filter conditions")
    conditions = [json.loads(code) for code in re.findall(r"`(\{.*?\})`", text)]
    keyed = [condition for condition in conditions if "key" in condition]
    keyed += [each for code in re.findall(r"`(\[.*?\])`", text) for each in json.loads(code)]
    plain = [condition for condition in conditions if "key" not in condition]
    assert {condition["type"] for condition in plain} == FIELDS.keys()
    assert {condition["type"] for condition in keyed} == {"present", "string"}
    with RetellHook() as hook:
        for condition in plain:
            list(hook.list_calls(filter_criteria={FIELDS[condition["type"]]: condition}))
        list(hook.list_calls(filter_criteria={"metadata": keyed}))
    assert retell_emulator.count("list-calls", status=200) == len(plain) + 1


@pytest.mark.parametrize(
    ("page", "start", "least"), [("docs/scaling.md", "## Measured", 25), ("README.md", "[Measured]", 10)]
)
def test_published_figures_are_those_of_the_last_benchmark_run(page: str, start: str, least: int) -> None:
    measured = (ROOT / page).read_text(encoding="utf-8").partition(start)[2].partition("|---|")[2]
    table = measured.partition("\n\n")[0]
    published = (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")
    figures = re.findall(r"(?<![\w.])\d[\d,.]*(?: %| MB| ms)?", table)
    assert len(figures) >= least
    words = {"1 million", "10 thousand"}
    assert [figure for figure in figures if figure not in published and not words & {figure}] == []
