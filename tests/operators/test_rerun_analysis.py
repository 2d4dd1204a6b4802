"""RerunCallAnalysisOperator: an analysis is requested at most once."""

from __future__ import annotations

from typing import Any

import pytest
from crashes import killed, timeouts
from tasks import eventually, run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import RateLimitError
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators.call import RerunCallAnalysisOperator


@pytest.fixture
def ended(emulator: Emulator) -> dict[str, Any]:
    return emulator.add_call(call_id="call_1", call_type="web_call", call_status="ended")


def rerun(**arguments: Any) -> RerunCallAnalysisOperator:
    return RerunCallAnalysisOperator(task_id="a_task", **{"call_id": "call_1", "retries": 1, **arguments})


def test_a_call_is_analyzed_again(ended: dict[str, Any], emulator: Emulator) -> None:
    assert run_try(rerun())["call_id"] == "call_1"
    assert emulator.reruns == 1


@pytest.mark.parametrize(
    ("fault", "charged"),
    [
        (Fault.drop(), 0),
        (Fault.drop_after(), 1),
        (Fault.truncate(), 1),
        (Fault.status(500), 0),
        (Fault.garbage(), 0),
        (Fault.hang(), 0),
        (Fault.slow(0.7), 1),
    ],
    ids=lambda value: getattr(value, "kind", value),
)
def test_an_analysis_with_an_unknown_outcome_is_not_requested_again(
    ended: Any, emulator: Emulator, connect: Any, store: Any, fault: Fault, charged: int
) -> None:
    connect(emulator, **timeouts(fault))
    emulator.faults.add(fault, route="rerun-call-analysis")
    with pytest.raises(
        AirflowFailException,
        match=r"unknown.*so it is not sent again.*set on_clear='resend' on the task in the DAG file",
    ) as error:
        run_try(rerun(), store=store)
    # The next step of the error itself would contradict this.
    assert "task again" not in str(error.value).partition("so it is not sent again")[0]
    assert "try again" not in str(error.value)
    assert str(error.value).count("unknown") == 1
    with pytest.raises(AirflowFailException, match="may have sent rerun-call-analysis of call call_1"):
        run_try(rerun(), try_number=2, store=store)
    assert emulator.count("rerun-call-analysis") == 1
    eventually(lambda: emulator.reruns == charged)
    run_try(rerun(on_clear="resend"), try_number=3, cleared_at=2, store=store)
    assert emulator.reruns == charged + 1


def test_an_analysis_whose_worker_was_killed_is_not_requested_again(
    ended: Any, emulator: Emulator, store: Any
) -> None:
    killed("acted", lambda: run_try(rerun(), store=store))
    assert emulator.reruns == 1
    with pytest.raises(AirflowFailException, match="may have sent"):
        run_try(rerun(), try_number=2, store=store)
    assert emulator.reruns == 1


@pytest.mark.usefixtures("no_sleep")
def test_a_throttled_analysis_was_not_charged(ended: Any, emulator: Emulator, store: Any) -> None:
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "1"}), route="rerun-call-analysis", times=3)
    run_try(rerun(), store=store)
    assert emulator.reruns == 1
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "3600"}), route="rerun-call-analysis")
    with pytest.raises(AirflowFailException if store is None else RateLimitError):
        run_try(rerun(on_clear="resend"), try_number=2, cleared_at=1, store=store)
    assert emulator.reruns == 1


def test_the_analysis_of_another_call_is_not_returned(ended: Any, emulator: Emulator, store: Any) -> None:
    """The id of a cleared task can render to another call, and the order of a mapped list can change."""
    emulator.add_call(call_id="call_2", call_type="web_call", call_status="ended")
    run_try(rerun(), store=store)
    says = (
        "call_id was call_1 and is now call_2.*'resend'"
        if store
        else "may have sent rerun-call-analysis of call call_2"
    )
    with pytest.raises(AirflowFailException, match=says):
        run_try(rerun(call_id="call_2"), try_number=2, cleared_at=1, store=store)
    assert emulator.reruns == 1
    resent = run_try(rerun(call_id="call_2", on_clear="resend"), try_number=2, cleared_at=1, store=store)
    assert (resent["call_id"], emulator.reruns) == ("call_2", 2)
