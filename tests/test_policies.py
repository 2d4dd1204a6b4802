"""RetellRetryPolicy, through the code of Airflow that applies it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from inspect import signature
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api import errors
from airflow_provider_retell.bulk.errors import BulkStoppedError
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators.bulk import BulkUpdateCallOperator
from airflow_provider_retell.operators.call import UpdateCallOperator

try:
    from airflow.sdk.definitions.retry_policy import RetryAction
except ImportError:
    RetryAction = None

if TYPE_CHECKING:
    from airflow_provider_retell.policies import RetellRetryPolicy

newest = pytest.mark.skipif(RetryAction is None, reason="Airflow before 3.3 has no retry policies")


@pytest.mark.skipif(RetryAction is not None, reason="Airflow 3.3 has retry policies")
def test_import_on_older_airflow_names_the_required_version() -> None:
    with pytest.raises(ImportError, match=r"RetellRetryPolicy needs Airflow 3\.3 or later"):
        import airflow_provider_retell.policies  # noqa: F401


@pytest.fixture
def policy() -> RetellRetryPolicy:
    from airflow_provider_retell.policies import RetellRetryPolicy

    return RetellRetryPolicy()


def throttled(retry_after: float | None) -> errors.RateLimitError:
    return errors.RateLimitError("x", status=429, retry_after=retry_after)


@newest
@pytest.mark.parametrize("seconds", [0.4, 7, 3600.0])
def test_task_is_retried_after_the_delay_that_the_server_asked_for(policy: Any, seconds: float) -> None:
    for error in (throttled(seconds), errors.ServerError("x", status=503, retry_after=seconds)):
        decision = policy.evaluate(error, 1, 3)
        assert (decision.action, decision.retry_delay) == (RetryAction.RETRY, timedelta(seconds=seconds))


@newest
@pytest.mark.parametrize(
    "error",
    [
        throttled(None),
        errors.RetellConnectionError("x"),
        errors.CallNotEndedError("x"),
        ValueError("x"),
        KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_other_errors_are_retried_after_the_tasks_own_delay(policy: Any, error: BaseException) -> None:
    assert policy.evaluate(error, 1, 3).action is RetryAction.DEFAULT


@newest
@pytest.mark.parametrize(
    "error",
    [
        errors.AuthenticationError("x", status=401),
        errors.UnprocessableError("x", status=422, retry_after=5),
        errors.RetellInputError("x"),
        errors.StorageConflictError("x"),
        errors.WaitFailedError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_permanent_error_is_not_retried(policy: Any, error: errors.RetellError) -> None:
    decision = policy.evaluate(error, 1, 3)
    assert decision.action is RetryAction.FAIL
    assert decision.reason == f"A retry cannot fix {type(error).__name__}"


@newest
def test_policy_survives_serialization(policy: Any) -> None:
    again = type(policy).deserialize(json.loads(json.dumps(policy.serialize())))
    assert again.evaluate(throttled(9), 1, 3) == policy.evaluate(throttled(9), 1, 3)


@newest
def test_dag_with_the_policy_can_be_serialized(policy: Any) -> None:
    from airflow.sdk import DAG
    from airflow.serialization.serialized_objects import DagSerialization

    with DAG("a_dag", schedule=None, default_args={"retry_policy": policy, "retries": 2}) as dag:
        UpdateCallOperator(task_id="update", call_id="call_1", metadata={"a": 1})
    read = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
    assert read.get_task("update").has_retry_policy


@pytest.fixture
def run_task(policy: Any, retell_emulator: Emulator, retell_connection: str) -> Any:
    """Run a task that fails; return the message that Airflow's task runner sends to the scheduler."""
    import structlog
    from airflow.sdk.execution_time.task_runner import _handle_current_task_failed

    def run(fault: Fault, retries_left: bool = True) -> Any:
        retell_emulator.add_call(call_id="call_1")
        retell_emulator.faults.add(fault, route="update-call", times=0)
        operator = UpdateCallOperator(
            task_id="update", call_id="call_1", metadata={"a": 1}, retry_policy=policy
        )

        ti = SimpleNamespace(
            task=operator,
            try_number=1,
            rendered_map_index=None,
            stats_tags={},
            _failure_metrics_emitted=False,
            _ti_context_from_server=SimpleNamespace(max_tries=3, should_retry=retries_left),
        )
        with pytest.raises((AirflowFailException, errors.RetellError)) as error:
            operator.execute({"ti": SimpleNamespace(xcom_push=lambda **_: None)})
        if isinstance(error.value, AirflowFailException):
            return None  # the task fails before the policy is asked
        # Airflow 3.4 added the context, the last argument.
        arguments = [ti, error.value, structlog.get_logger(), {}]
        count = len(signature(_handle_current_task_failed).parameters)
        return _handle_current_task_failed(*arguments[:count])[0]

    return run


@newest
@pytest.mark.parametrize(
    "headers",
    [{"Retry-After": "1234"}, {"RateLimit-Reset": "1234", "RateLimit-Remaining": "0"}],
    ids=lambda headers: next(iter(headers)),
)
def test_throttled_task_is_retried_after_the_servers_wait(run_task: Any, headers: dict[str, str]) -> None:
    message = run_task(Fault.status(429, headers=headers))
    assert message.type == "RetryTask"
    assert message.retry_delay_seconds == 1234
    assert message.retry_reason == "Retell asked to wait 1234 s"
    assert abs(datetime.now(timezone.utc) - message.end_date) < timedelta(minutes=1)


@newest
def test_throttled_bulk_update_is_retried_after_the_servers_wait(
    policy: Any, retell_emulator: Emulator, retell_connection: str
) -> None:
    retell_emulator.add_calls(["call_1", "call_2"], call_status="ended")
    fault = Fault.status(429, headers={"Retry-After": "1234"})
    retell_emulator.faults.add(fault, route="update-call", times=0)
    rows = [{"call_id": "call_1", "a": 1}, {"call_id": "call_2", "a": 1}]
    operator = BulkUpdateCallOperator(task_id="update", rows=rows, retry_policy=policy)
    with pytest.raises(BulkStoppedError) as error:
        operator.execute({"ti": SimpleNamespace(xcom_push=lambda **_: None)})
    decision = policy.evaluate(error.value, 1, 3)
    assert (decision.action, decision.retry_delay) == (RetryAction.RETRY, timedelta(seconds=1234))


@newest
def test_policy_does_not_add_retries(run_task: Any) -> None:
    message = run_task(Fault.status(429, headers={"Retry-After": "1234"}), retries_left=False)
    assert message.type == "TaskState"
    assert message.state.value == "failed"


@newest
def test_task_with_a_permanent_error_fails_without_asking_the_policy(run_task: Any) -> None:
    assert run_task(Fault.status(401)) is None
