"""The hand-written tables of the reference are correct and complete."""

from __future__ import annotations

import json
import re
import typing
from datetime import date, datetime, timezone
from decimal import Decimal
from ipaddress import ip_address
from uuid import UUID

import pytest
from pages import ROOT

from airflow_provider_retell.api import errors
from airflow_provider_retell.api.calls.endpoints import list_calls
from airflow_provider_retell.api.calls.filters import FilterCriteria
from airflow_provider_retell.api.encode import to_json
from airflow_provider_retell.bulk.outcome import Outcome
from airflow_provider_retell.get_provider_info import CONFIG


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the tables in a section."""
    text = (ROOT / "docs/reference" / page).read_text(encoding="utf-8")
    _, _, section = text.partition(f"# {heading}\n")
    lines = section.partition("\n## ")[0].splitlines()
    cells = [[cell.strip() for cell in line[1:-1].split("|")] for line in lines if line.startswith("|")]
    return [row for row in cells if any("`" in cell for cell in row)]


def code(cell: str) -> list[str]:
    """Return the code spans of a cell."""
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("row", rows("values.md", "Encoding"), ids=lambda row: row[0])
def test_values_are_encoded_as_the_reference_says(row: list[str]) -> None:
    (python,), result = code(row[0]), row[1]
    names = {"date": date, "datetime": datetime, "timezone": timezone, "Decimal": Decimal, "UUID": UUID}
    names["ip_address"] = ip_address
    value = eval(python, names)
    if result == "rejected":
        with pytest.raises(errors.RetellInputError):
            to_json(value, "metadata")
    else:
        assert to_json(value, "metadata") == json.loads(code(result)[0])


CONDITIONS = rows("values.md", "Filter conditions")


@pytest.mark.parametrize("row", CONDITIONS, ids=lambda row: row[0])
def test_filter_conditions_are_valid(row: list[str]) -> None:
    for field in code(row[-2]):
        list_calls(filter_criteria={field: json.loads(code(row[-1])[0])})


def test_every_field_that_can_be_filtered_is_in_the_reference() -> None:
    assert {field for row in CONDITIONS for field in code(row[-2])} == FilterCriteria.model_fields.keys()


def test_every_operator_of_a_condition_is_in_the_reference() -> None:
    for row in CONDITIONS:
        if len(row) == 4:
            field, example = code(row[-2])[0], json.loads(code(row[-1])[0])
            for op in code(row[1]):
                list_calls(filter_criteria={field: {**example, "op": op}})


def test_every_error_is_in_the_reference_and_is_as_permanent_as_it_says() -> None:
    table = {code(row[0])[0]: row[2] for row in rows("errors.md", "Errors")}
    assert table.keys() == set(errors.__all__)
    for name, permanent in table.items():
        assert getattr(errors, name).permanent == permanent.startswith("yes"), name


def test_every_outcome_of_a_row_is_in_the_reference() -> None:
    assert [code(row[0])[0] for row in rows("rows.md", "Outcomes of a row")] == list(typing.get_args(Outcome))


def test_every_option_is_in_the_reference_with_its_default() -> None:
    table = {code(row[0])[0]: "".join(code(row[1])) for row in rows("configuration.md", "Configuration")}
    assert table == {name: option["default"] for name, option in CONFIG["options"].items()}
