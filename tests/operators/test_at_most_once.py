"""Keys of requests, which distinguish a retry from a clear. The tests of the operators use them."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from tasks import Ti

from airflow_provider_retell.operators.at_most_once import check_on_clear
from airflow_provider_retell.operators.task_try import request_key, tries_before_clear


class Task:
    retries = 2


@pytest.mark.parametrize(
    ("try_number", "max_tries", "tries"),
    [(1, 2, 0), (2, 2, 0), (3, 2, 0), (2, 3, 1), (3, 3, 1), (5, 6, 4), (2, 1, 0)],
)
def test_a_clear_changes_the_number_of_tries_before_it_and_a_retry_does_not(
    try_number: int, max_tries: int, tries: int
) -> None:
    assert tries_before_clear(Ti(try_number, max_tries), Task) == tries


def test_all_tries_of_a_task_share_a_key() -> None:
    assert request_key(Ti(1)) == request_key(Ti(2, 5)) != request_key(Ti(1), 1)
    assert len(request_key(Ti())) <= 64


@pytest.mark.parametrize("name", ["dag_id", "run_id", "task_id", "map_index"])
def test_every_task_instance_has_its_own_key(name: str) -> None:
    other = Ti()
    setattr(other, name, "other" if name != "map_index" else 3)
    assert request_key(other) != request_key(Ti())


def test_each_iteration_of_a_task_loop_has_its_own_key() -> None:
    plain, outside, first, second, elsewhere = Ti(), Ti(), Ti(), Ti(), Ti()
    region = uuid4()
    for ti, place in (
        (outside, (UUID(int=0), 0)),
        (first, (region, 0)),
        (second, (region, 1)),
        (elsewhere, (uuid4(), 0)),
    ):
        ti.region_id, ti.region_index = place
    assert request_key(plain) == request_key(outside)
    assert len({request_key(ti) for ti in (plain, first, second, elsewhere)}) == 4
    again = Ti(2)
    again.region_id, again.region_index = str(region), 0
    assert request_key(again) == request_key(first)


def test_a_named_deployment_has_its_own_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    key = request_key(Ti())
    monkeypatch.setenv("AIRFLOW__RETELL__DEPLOYMENT", "staging")
    assert request_key(Ti()) != key


@pytest.mark.parametrize("value", ["same", "new", None, True])
def test_on_clear_must_be_skip_or_resend(value: Any) -> None:
    with pytest.raises(ValueError, match="on_clear must be 'skip' or 'resend', not"):
        check_on_clear(value)
