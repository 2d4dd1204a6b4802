"""The cost of calls."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_retell.api.calls.models import CallCost
from airflow_provider_retell.api.records.costs import CostTotal, cost_of

COST = {"combined_cost": 70, "total_duration_seconds": 61.5, "product_costs": []}


@pytest.mark.parametrize("cost", [COST, CallCost.model_validate(COST)], ids=["dict", "model"])
def test_cost_is_in_cents_and_seconds(cost: Any) -> None:
    assert cost_of(cost) == {"cents": 70, "seconds": 61.5}


@pytest.mark.parametrize("value", [None, True, "70", float("nan"), float("inf"), [70]])
def test_value_that_is_not_a_number_is_missing(value: Any) -> None:
    assert cost_of({**COST, "combined_cost": value}) == {"seconds": 61.5}


@pytest.mark.parametrize("cost", [None, "a lot", 70, []])
def test_malformed_cost_is_missing(cost: Any) -> None:
    assert cost_of(cost) == {}


def test_total_counts_the_calls_that_it_does_not_cover() -> None:
    total = CostTotal()
    for cents in (0.1, 0.2, None, "a lot", 0):
        total.add({"combined_cost": cents})
    total.add(None)
    assert total.fields() == {"cost_cents": 0.3, "calls_without_cost": 3}
