"""Clears, loops and reschedules of Airflow 3.4: never more than one call, batch or analysis.

Airflow 3.4 discards the state store when a user clears a task, but not when a user clears the run. It repeats tasks in
loops, with a store for each iteration, and creates the later iterations again after a clear. It reschedules a try
without a new number.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from crashes import HOUR, killed, without_retries
from tasks import HAS_STATE_STORE, StateStore, run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators import (
    CreateBatchCallOperator,
    CreatePhoneCallOperator,
    RerunCallAnalysisOperator,
)

pytestmark = pytest.mark.skipif(not HAS_STATE_STORE, reason="requires Airflow 3.3 or later")

FROM, TO, OTHER = "+14155550100", "+14155550123", "+14155550199"
OUTSIDE = UUID(int=0)


def call(**arguments: Any) -> Any:
    return CreatePhoneCallOperator(
        task_id="a_task", from_number=FROM, to_number=TO, retries=1, **{"deferrable": False, **arguments}
    )


def batch(**arguments: Any) -> Any:
    tasks = [{"to_number": TO}, {"to_number": OTHER}]
    return CreateBatchCallOperator(task_id="a_task", from_number=FROM, tasks=tasks, retries=1, **arguments)


def analysis(**arguments: Any) -> Any:
    return RerunCallAnalysisOperator(task_id="a_task", call_id="call_1", retries=1, **arguments)


ROUTES: dict[Callable[..., Any], str] = {
    call: "create-phone-call",
    batch: "create-batch-call",
    analysis: "rerun-call-analysis",
}


@pytest.fixture(params=ROUTES, ids=lambda make: make.__name__)
def make(request: pytest.FixtureRequest, emulator: Emulator) -> Any:
    """Return the operator whose request must not be sent twice."""
    emulator.add_call(call_id="call_1", call_status="ended")
    return request.param


def sent(emulator: Emulator) -> int:
    """Return the number of requests that Retell has acted on."""
    batches = {call["batch_call_id"] for call in emulator.placed if "batch_call_id" in call}
    single = [call for call in emulator.placed if "batch_call_id" not in call]
    return len(batches) + len(single) + emulator.reruns


def attempt(operator: Any, **options: Any) -> bool:
    """Run a try, and return True if it succeeds."""
    try:
        run_try(operator, **{"region": OUTSIDE, **options})
    except AirflowFailException as error:
        assert "set on_clear='resend' on the task in the DAG file" in str(error)  # noqa: PT017
        return False
    return True


@pytest.mark.parametrize("seconds", [0, HOUR + 1])
def test_a_clear_that_discards_the_store_sends_nothing(
    emulator: Emulator, state_store: StateStore, make: Any, seconds: float
) -> None:
    assert attempt(make(), store=state_store)
    # A clear of a running task does not change max_tries.
    for try_number, cleared_at in ((2, 1), (2, 0), (3, 2)):
        state_store.clear()
        emulator.clock.advance(seconds)
        again = {"store": state_store, "try_number": try_number, "cleared_at": cleared_at}
        assert attempt(make(), **again) == (make is call)
    assert not attempt(make(), store=state_store, try_number=4, cleared_at=2) or make is call
    assert sent(emulator) == 1


def test_a_clear_that_keeps_the_store_returns_the_first_result(
    emulator: Emulator, state_store: StateStore, make: Any
) -> None:
    first = run_try(make(), store=state_store, region=OUTSIDE)
    emulator.clock.advance(HOUR + 1)
    again = run_try(make(), store=state_store, region=OUTSIDE, try_number=2, cleared_at=1)
    assert {name: again[name] for name in ("call_id", "batch_call_id") if name in again} == {
        name: first[name] for name in ("call_id", "batch_call_id") if name in first
    }
    assert sent(emulator) == 1


def test_a_clear_after_the_upgrade_that_brought_the_store_sends_nothing(
    emulator: Emulator, state_store: StateStore, make: Any
) -> None:
    run_try(make())
    emulator.clock.advance(HOUR + 1)
    assert attempt(make(), store=state_store, region=None, try_number=2, cleared_at=1) == (make is call)
    assert sent(emulator) == 1


def test_a_request_with_an_unknown_outcome_is_named_if_the_task_has_another_one_now(
    emulator: Emulator, state_store: StateStore
) -> None:
    emulator.add_calls(["call_1", "call_2"])
    emulator.faults.add(Fault.drop_after(), route="rerun-call-analysis")
    assert not attempt(analysis(), store=state_store)
    other = RerunCallAnalysisOperator(task_id="a_task", call_id="call_2", retries=1)
    with pytest.raises(
        AirflowFailException, match="perhaps sent rerun-call-analysis.*call_id was call_1 and is now call_2"
    ):
        run_try(other, store=state_store, region=OUTSIDE, try_number=2)
    assert sent(emulator) == 1


def test_a_clear_with_resend_sends_once_more(emulator: Emulator, state_store: StateStore, make: Any) -> None:
    assert attempt(make(on_clear="resend"), store=state_store)
    state_store.clear()
    assert attempt(make(on_clear="resend"), store=state_store, try_number=2, cleared_at=1)
    attempt(make(on_clear="resend"), store=state_store, try_number=3, cleared_at=1)
    assert sent(emulator) == 2


def test_a_killed_worker_and_a_clear_that_discards_the_store_send_nothing(
    emulator: Emulator, state_store: StateStore, make: Any
) -> None:
    killed("received", lambda: run_try(make(), store=state_store, region=OUTSIDE))
    state_store.clear()
    emulator.clock.advance(HOUR + 1)
    attempt(make(), store=state_store, try_number=2, cleared_at=1)
    assert sent(emulator) == 1


def test_a_retry_after_a_try_that_came_to_no_request_sends_once(
    emulator: Emulator, state_store: StateStore, make: Any, failing_lookups: set[int]
) -> None:
    failing_lookups.add(1)
    with pytest.raises(AirflowFailException, match="isn't defined.*Nothing was sent"):
        run_try(make(), store=state_store, region=OUTSIDE)
    assert attempt(make(), store=state_store, try_number=2)
    assert sent(emulator) == 1


# -- loops


def test_each_iteration_of_a_loop_sends_once(emulator: Emulator, tmp_path: Any, make: Any) -> None:
    region = uuid4()
    for iteration in range(3):
        store = StateStore(tmp_path / f"{iteration}.json")  # each iteration has its own
        for try_number in (1, 2):
            options = {"store": store, "iteration": iteration, "region": region, "try_number": try_number}
            assert attempt(make(), **options)
            assert sent(emulator) == iteration + 1


@pytest.mark.parametrize("seconds", [0, HOUR + 1])
def test_an_iteration_that_a_clear_created_again_sends_nothing(
    emulator: Emulator, tmp_path: Any, make: Any, seconds: float
) -> None:
    assert attempt(make(), store=StateStore(tmp_path / "1.json"), iteration=1, region=uuid4())
    emulator.clock.advance(seconds)
    cleared = SimpleNamespace(clear_number=1)
    again = {"store": StateStore(tmp_path / "2.json"), "iteration": 1, "region": uuid4(), "dag_run": cleared}
    assert attempt(make(), **again) == (make is call)
    attempt(make(), **again, try_number=2)
    assert sent(emulator) == 1


def test_an_iteration_that_a_clear_created_again_sends_once_more_with_resend(
    emulator: Emulator, tmp_path: Any, make: Any
) -> None:
    for number in (1, 2):
        options = {
            "store": StateStore(tmp_path / f"{number}.json"),
            "iteration": 1,
            "region": uuid4(),
            "dag_run": SimpleNamespace(clear_number=number - 1),
        }
        for try_number in (1, 2):
            assert attempt(make(on_clear="resend"), **options, try_number=try_number)
        assert sent(emulator) == number


def test_a_call_of_a_new_iteration_in_a_cleared_run_is_placed(emulator: Emulator, state_store: Any) -> None:
    cleared = SimpleNamespace(clear_number=1)
    assert attempt(call(), store=state_store, iteration=2, region=uuid4(), dag_run=cleared)
    assert sent(emulator) == 1


# -- reschedules


@pytest.mark.parametrize("seconds", [0, HOUR + 1])
def test_a_reschedule_after_an_unknown_outcome_sends_nothing(
    emulator: Emulator, store: Any, make: Any, seconds: float
) -> None:
    emulator.faults.add(Fault.drop_after(), route=ROUTES[make])
    with pytest.raises((RetellError, AirflowFailException)):
        run_try(without_retries(make()), store=store)
    emulator.clock.advance(seconds)
    attempt(make(), store=store, region=None, task_reschedule_count=1)
    assert sent(emulator) == 1


def test_a_reschedule_before_the_request_sends_once(
    emulator: Emulator, state_store: StateStore, make: Any
) -> None:
    # For example, Airflow reschedules a task whose DAG file is missing on the worker.
    assert attempt(make(), store=state_store, task_reschedule_count=1)
    assert sent(emulator) == 1


def test_a_reschedule_after_a_rejection_sends_once(
    emulator: Emulator, state_store: StateStore, make: Any
) -> None:
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "3600"}))
    with pytest.raises(RetellError):
        run_try(make(), store=state_store, region=OUTSIDE)
    assert attempt(make(), store=state_store, task_reschedule_count=1)
    assert sent(emulator) == 1
