"""Keys of requests and first tries, with regions, loops, clears and reschedules as Airflow 3.4 has them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from tasks import Ti

from airflow_provider_retell.operators.task_try import TaskTry, request_key

OUTSIDE = UUID(int=0)


def task(on_clear: str = "skip", retries: int = 1) -> Any:
    return SimpleNamespace(on_clear=on_clear, retries=retries)


def a_try(ti: Ti, *, on_clear: str = "skip", loop: int | None = None, **context: Any) -> TaskTry:
    if loop is not None:
        context["loop"] = SimpleNamespace(index=loop)
    values: Any = {"ti": ti, **context}
    return TaskTry.of(values, task(on_clear))


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
