"""Keys of requests and first tries, with regions, loops, clears and reschedules as Airflow 3.4 has them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from tasks import Ti

from airflow_provider_retell.operators.at_most_once import check_on_clear
from airflow_provider_retell.operators.task_try import TaskTry, request_key, tries_before_clear

OUTSIDE = UUID(int=0)


def task(on_clear: str = "skip", retries: int = 1) -> Any:
    return SimpleNamespace(on_clear=on_clear, retries=retries)


def a_try(ti: Ti, *, on_clear: str = "skip", loop: int | None = None, **context: Any) -> TaskTry:
    if loop is not None:
        context["loop"] = SimpleNamespace(index=loop)
    values: Any = {"ti": ti, **context}
    return TaskTry.of(values, task(on_clear))


@pytest.mark.parametrize(
    ("try_number", "max_tries", "tries"),
    [(1, 2, 0), (2, 2, 0), (3, 2, 0), (2, 3, 1), (3, 3, 1), (5, 6, 4), (2, 1, 0)],
)
def test_a_clear_changes_the_number_of_tries_before_it_and_a_retry_does_not(
    try_number: int, max_tries: int, tries: int
) -> None:
    assert tries_before_clear(Ti(try_number, max_tries), task(retries=2)) == tries


def test_all_tries_of_a_task_share_a_key() -> None:
    assert request_key(Ti(1)) == request_key(Ti(2, 5)) != request_key(Ti(1), 1)
    assert len(request_key(Ti())) <= 64


@pytest.mark.parametrize("name", ["dag_id", "run_id", "task_id", "map_index"])
def test_every_task_instance_has_its_own_key(name: str) -> None:
    other = Ti()
    setattr(other, name, "other" if name != "map_index" else 3)
    assert request_key(other) != request_key(Ti())


def test_a_named_deployment_has_its_own_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    key = request_key(Ti())
    monkeypatch.setenv("AIRFLOW__RETELL__DEPLOYMENT", "staging")
    assert request_key(Ti()) != key


@pytest.mark.parametrize("value", ["same", "new", None, True])
def test_on_clear_must_be_skip_or_resend(value: Any) -> None:
    with pytest.raises(ValueError, match="on_clear must be 'skip' or 'resend', not"):
        check_on_clear(value)


def test_keys_outside_loops_do_not_depend_on_the_region() -> None:
    key = request_key(Ti())
    assert a_try(Ti(1, 1).in_region(OUTSIDE)).key == key
    assert a_try(Ti(1, 1)).key == key
    mapped = request_key(Ti(map_index=3))
    assert a_try(Ti(1, 1, 3).in_region(uuid4(), 3)).key == mapped
    assert a_try(Ti(1, 1, 3).in_region(uuid4(), 3), on_clear="resend").key == mapped


def test_each_iteration_of_a_loop_has_its_own_key() -> None:
    region = uuid4()
    keys = {a_try(Ti(1, 1).in_region(region, index), loop=index).key for index in range(3)}
    keys |= {
        a_try(Ti(1, 1, 0).in_region(uuid4(), 0), loop=index).key for index in range(3)
    }  # mapped in the loop
    keys.add(request_key(Ti()))
    assert len(keys) == 7


def test_iterations_are_distinguished_without_the_loop_in_the_context() -> None:
    region = uuid4()
    places = [(region, 0), (region, 1), (uuid4(), 0)]
    assert len({a_try(Ti(1, 1).in_region(*place)).key for place in places} | {request_key(Ti())}) == 4
    again = a_try(Ti(2, 1).in_region(str(region), 0))
    assert again.key == a_try(Ti(1, 1).in_region(region, 0)).key


def test_an_iteration_that_a_clear_created_again_keeps_its_key_unless_it_is_resent() -> None:
    first, again = (Ti(1, 1).in_region(uuid4(), 1) for _ in range(2))
    assert a_try(first, loop=1).key == a_try(again, loop=1).key
    assert a_try(first, loop=1, on_clear="resend").key != a_try(again, loop=1, on_clear="resend").key


@pytest.mark.parametrize("on_clear", ["skip", "resend"])
def test_the_first_try_is_the_first(on_clear: str) -> None:
    assert a_try(Ti(1, 1), on_clear=on_clear).is_first
    assert not a_try(Ti(2, 1), on_clear=on_clear).is_first
    assert a_try(Ti(2, 2), on_clear=on_clear).is_first == (on_clear == "resend")
    assert not a_try(Ti(3, 2), on_clear=on_clear).is_first


def test_an_iteration_of_a_run_that_was_cleared_may_have_run_before() -> None:
    cleared, fresh = SimpleNamespace(clear_number=1), SimpleNamespace(clear_number=0)
    ti = Ti(1, 1).in_region(uuid4(), 1)
    assert a_try(ti, loop=1, dag_run=fresh).is_first
    assert not a_try(ti, loop=1, dag_run=cleared).is_first
    assert a_try(ti, loop=1, dag_run=cleared, on_clear="resend").is_first
    # Outside loops, the number of the try shows it.
    assert a_try(Ti(1, 1).in_region(OUTSIDE), dag_run=cleared).is_first


def test_a_reschedule_keeps_the_try_number() -> None:
    assert a_try(Ti(1, 1), task_reschedule_count=1).rescheduled
    assert not a_try(Ti(1, 1), task_reschedule_count=0).rescheduled
    assert not a_try(Ti(1, 1)).rescheduled
