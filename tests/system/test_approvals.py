"""A call answers an ApprovalOperator of a complete Airflow through its REST API, and the first answer wins."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from stack import VERSION

from airflow_provider_retell.emulator import Clock, Emulator, Lifecycle
from sandbox import ROOT, connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from stack import Stack

pytestmark = pytest.mark.skipif(VERSION < (3, 1), reason="the ApprovalOperator came with Airflow 3.1")

DAG_ID = "approve_in_ui_or_by_phone"
FROM, TO = "+14155550100", "+14155550123"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(
        clock=Clock(frozen=True),
        lifecycle=Lifecycle(answer=1, talk=5, analyze=1),
        outcomes={},
        custom_analysis={},
    ) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def stack(airflow: Callable[..., AbstractContextManager[Stack]], emulator: Emulator) -> Iterator[Stack]:
    environment = {
        "AIRFLOW_CONN_RETELL_DEFAULT": connection(emulator.url, emulator.api_key),
        "AIRFLOW_VAR_RETELL_FROM_NUMBER": FROM,
        "AIRFLOW_VAR_RETELL_APPROVER": TO,
    }
    with airflow([ROOT / "example_dags" / f"{DAG_ID}.py"], **environment) as stack:
        stack.start_all()
        stack.connect_itself("airflow_api")
        yield stack


def states(stack: Stack, run_id: str) -> dict[str, str]:
    """Return the states of the tasks of a run."""
    return dict(stack.rows(f"select task_id, state from task_instance where run_id = '{run_id}'"))


def start(stack: Stack, emulator: Emulator, run_id: str) -> None:
    """Start a run, and return when the person is called and the UI waits."""
    before = len(emulator.placed)
    stack.run(DAG_ID, run_id)
    # Airflow may lose an answer that comes before the scheduler knows that the worker has let go of the task.
    released = f"task_id=review, run_id={run_id}"
    stack.wait("the UI waits", lambda: released in stack.log("scheduler").read_text(errors="replace"))
    assert states(stack, run_id)["review"] in ("deferred", "awaiting_input")
    stack.wait("the call is placed", lambda: len(emulator.placed) > before)


@pytest.mark.parametrize(
    ("approved", "answer", "applied"), [(True, "Approve", "success"), (False, "Reject", "skipped")]
)
def test_a_call_answers_for_the_ui(
    stack: Stack, emulator: Emulator, approved: bool, answer: str, applied: str
) -> None:
    run_id = f"by+phone_{answer}"
    emulator.options.custom_analysis[TO] = {"approved": approved}
    start(stack, emulator, run_id)
    emulator.clock.advance(60)
    assert stack.wait_for_run(run_id) == "success"
    assert states(stack, run_id) == {
        "review": "success",
        "call": "success",
        "answer": "success",
        "apply_change": applied,
    }
    assert returned(stack, run_id, "answer") == answer


def returned(stack: Stack, run_id: str, task_id: str) -> object:
    """Return the value that a task has returned."""
    path = f"/dags/{DAG_ID}/dagRuns/{quote(run_id, safe='')}/taskInstances/{task_id}/xcomEntries/return_value"
    return stack.api("GET", path)["value"]


def test_a_person_in_the_ui_can_be_faster(stack: Stack, emulator: Emulator) -> None:
    run_id = "by_hand"
    emulator.options.custom_analysis[TO] = {"approved": True}
    start(stack, emulator, run_id)
    path = f"/dags/{DAG_ID}/dagRuns/{run_id}/taskInstances/review/-1/hitlDetails"
    stack.api("PATCH", path, chosen_options=["Reject"], params_input={})
    emulator.clock.advance(60)
    assert stack.wait_for_run(run_id) == "success"
    assert states(stack, run_id)["apply_change"] == "skipped"
    assert returned(stack, run_id, "answer") == "a person was faster"


@pytest.mark.parametrize(
    ("run_id", "outcome", "analysis"),
    [("nobody", "user_hangup", {}), ("a_machine", "ivr_reached", {"approved": False})],
)
def test_a_call_without_a_decision_leaves_it_to_the_ui(
    stack: Stack, emulator: Emulator, run_id: str, outcome: str, analysis: dict[str, bool]
) -> None:
    emulator.options.outcomes[TO] = outcome
    emulator.options.custom_analysis[TO] = analysis
    start(stack, emulator, run_id)
    emulator.clock.advance(60)
    stack.wait("the call is over", lambda: states(stack, run_id)["answer"] == "success")
    assert returned(stack, run_id, "answer") == "no decision"
    assert states(stack, run_id)["review"] in ("deferred", "awaiting_input")
    path = f"/dags/{DAG_ID}/dagRuns/{run_id}/taskInstances/review/-1/hitlDetails"
    stack.api("PATCH", path, chosen_options=["Approve"], params_input={})
    assert stack.wait_for_run(run_id) == "success"
    assert states(stack, run_id)["apply_change"] == "success"
