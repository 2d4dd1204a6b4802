"""Calls, batches and analyses are sent once in a complete Airflow whose users clear tasks and runs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from stack import NEWEST, VERSION

from airflow_provider_retell.emulator import Emulator, Fault
from sandbox import ROOT, connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from stack import Stack

pytestmark = pytest.mark.skipif(not NEWEST, reason="the state store came with Airflow 3.3")

DISCARDS = VERSION >= (3, 4)  # clearing a task discards its state store
loops = pytest.mark.skipif(not DISCARDS, reason="loops and reschedules came with Airflow 3.4")


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(concurrency=100) as emulator:
        emulator.add_call(call_id="call_1", call_status="ended")
        yield emulator


@pytest.fixture(scope="module")
def stack(airflow: Callable[..., AbstractContextManager[Stack]], emulator: Emulator) -> Iterator[Stack]:
    environment = {
        "AIRFLOW_CONN_RETELL_DEFAULT": connection(emulator.url, emulator.api_key),
        "AIRFLOW_VAR_RETELL_FROM_NUMBER": "+14155550100",
        "AIRFLOW_VAR_RETELL_TO_NUMBER": "+14155550109",
        "RETELL_REDIAL_MINUTES": "0.033",
    }
    dags = [ROOT / "tests/system/clear_dags", ROOT / "example_dags/redial_until_answered.py"]
    with airflow(dags, **environment) as stack:
        stack.start_all()
        yield stack


@pytest.fixture
def sent(emulator: Emulator) -> Callable[[], Counter[str]]:
    """Return the number of requests that Retell has processed since the start of the test."""

    def count() -> Counter[str]:
        placed = emulator.organization.call_backend.placed
        numbers = Counter(call["to_number"][-3:] for call in placed)
        return numbers + Counter({"analyses": emulator.reruns})

    before = count()
    return lambda: count() - before


def clear(stack: Stack, dag_id: str, run_id: str, **body: Any) -> None:
    """Clear tasks, and wait until they have run again."""
    cleared = stack.api(
        "POST",
        f"/dags/{dag_id}/clearTaskInstances",
        dry_run=False,
        dag_run_id=run_id,
        only_failed=False,
        reset_dag_runs=True,
        **body,
    )
    assert cleared["total_entries"] > 0
    stack.wait_for_run(run_id)


def clear_run(stack: Stack, dag_id: str, run_id: str) -> None:
    stack.api("POST", f"/dags/{dag_id}/dagRuns/{run_id}/clear", dry_run=False, only_failed=False)
    stack.wait_for_run(run_id)


def states(stack: Stack, dag_id: str, run_id: str) -> dict[str, set[str]]:
    """Return the state of the current task instance of each task."""
    found: dict[str, set[str]] = {}
    for ti in stack.api("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]:
        found.setdefault(ti["task_id"], set()).add(ti["state"])
    return found


ONCE = Counter({"101": 1, "102": 1, "103": 1, "104": 1, "105": 1, "analyses": 1})
TASKS = ["call", "mapped", "batch", "analysis"]


def test_clears_send_nothing(stack: Stack, sent: Callable[[], Counter[str]]) -> None:
    stack.run("clears", "clears_1")
    assert stack.wait_for_run("clears_1") == "success"
    assert sent() == ONCE
    clear_run(stack, "clears", "clears_1")
    assert set().union(*states(stack, "clears", "clears_1").values()) == {"success"}
    if DISCARDS:
        clear(stack, "clears", "clears_1", task_ids=TASKS, keep_task_state=True)
        assert set().union(*states(stack, "clears", "clears_1").values()) == {"success"}
    clear(stack, "clears", "clears_1", task_ids=TASKS)
    clear(stack, "clears", "clears_1", task_ids=TASKS)
    clear_run(stack, "clears", "clears_1")
    assert sent() == ONCE
    unknown = {"failed"} if DISCARDS else {"success"}
    assert states(stack, "clears", "clears_1") == {
        "call": {"success"},
        "mapped": {"success"},
        "batch": unknown,
        "analysis": unknown,
    }


def test_clears_with_resend_send_once_more_each(stack: Stack, sent: Callable[[], Counter[str]]) -> None:
    stack.run("resends", "resends_1")
    assert stack.wait_for_run("resends_1") == "success"
    clear(stack, "resends", "resends_1", task_ids=TASKS)
    assert sent() == ONCE + ONCE
    clear_run(stack, "resends", "resends_1")
    assert sent() == ONCE + ONCE + ONCE
    assert set().union(*states(stack, "resends", "resends_1").values()) == {"success"}


@loops
def test_a_reschedule_after_an_unknown_outcome_finds_the_call(
    stack: Stack, emulator: Emulator, sent: Callable[[], Counter[str]]
) -> None:
    emulator.faults.add(Fault.drop_after(), route="create-phone-call", times=0)
    stack.run("reschedules", "reschedules_1")
    query = "select state from task_instance where run_id = 'reschedules_1'"
    stack.wait("the task is rescheduled", lambda: stack.rows(query) == [("up_for_reschedule",)])
    emulator.faults.clear()
    assert stack.wait_for_run("reschedules_1") == "success"
    assert sent() == Counter({"106": 1})
    [[tries]] = stack.rows("select try_number from task_instance where run_id = 'reschedules_1'")
    assert tries == 1


@loops
def test_each_iteration_of_a_loop_sends_once(stack: Stack, sent: Callable[[], Counter[str]]) -> None:
    twice = Counter({"107": 2, "108": 2, "analyses": 2})
    stack.run("loops", "loops_1")
    assert stack.wait_for_run("loops_1") == "success"
    assert sent() == twice
    clear_run(stack, "loops", "loops_1")
    assert sent() == twice
    clear(stack, "loops", "loops_1", task_ids=["attempt.batch"], include_downstream=True)
    assert sent() == twice


@loops
def test_the_example_redials_until_a_person_answers(
    stack: Stack, emulator: Emulator, sent: Callable[[], Counter[str]]
) -> None:
    emulator.options.outcomes["+14155550109"] = "dial_no_answer"
    stack.run("redial_until_answered", "redial_1")
    stack.wait("a second call", lambda: sent()["109"] == 2)
    emulator.options.outcomes["+14155550109"] = "user_hangup"
    assert stack.wait_for_run("redial_1") == "success"
    assert 2 <= sent()["109"] <= 3
    placed = sent()
    clear_run(stack, "redial_until_answered", "redial_1")
    assert sent() == placed
    calls = [call for call in emulator.placed if call["to_number"].endswith("109")]
    assert [call["metadata"]["attempt"] for call in calls] == [n + 1 for n in range(len(calls))]
