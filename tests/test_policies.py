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
from airflow_provider_retell.emulator import Emulator, FakeTaskInstance, Fault
from airflow_provider_retell.operators.bulk import BulkUpdateCallOperator
from airflow_provider_retell.operators.call import UpdateCallOperator

try:
    from airflow.sdk.definitions.retry_policy import RetryAction
except ImportError:
    RetryAction = None
RESCHEDULES = hasattr(RetryAction, "RESCHEDULE")  # 3.4

if TYPE_CHECKING:
    from airflow_provider_retell.policies import RetellRetryPolicy

FIRST = datetime(2026, 1, 1, tzinfo=timezone.utc)  # longer ago than the reschedules may take
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


def permanent() -> list[tuple[errors.RetellError, str]]:
    return [
        (errors.AuthenticationError("x", status=401, detail="Invalid API Key."), "HTTP 401: Invalid API Key"),
        (errors.AuthenticationError("x", status=401), "HTTP 401: the API key was rejected"),
        (errors.PaymentRequiredError("x", status=402), "HTTP 402: no credit"),
        (errors.PermissionDeniedError("x", status=403), "HTTP 403: the API key lacks a permission"),
        (errors.NotFoundError("x", status=404), "HTTP 404: not found"),
        (
            errors.RetellStatusError("x", status=404, foreign=True),
            "HTTP 404: not an answer of Retell's API",
        ),
        (errors.UnprocessableError("x", status=422, retry_after=5), "HTTP 422: UnprocessableError"),
        (errors.RetellInputError("metadata is too large"), "metadata is too large. Nothing was sent"),
        (errors.StorageConflictError("x."), "x"),
        (errors.WaitFailedError("x"), "x"),
    ]


@newest
@pytest.mark.parametrize("seconds", [0.4, 7, 3600.0])
def test_task_is_retried_after_the_delay_that_the_server_asked_for(policy: Any, seconds: float) -> None:
    error = errors.ServerError("x", status=503, retry_after=seconds)
    decision = policy.evaluate(error, 1, 3)
    assert (decision.action, decision.retry_delay) == (RetryAction.RETRY, timedelta(seconds=seconds))
    assert decision.reason == f"HTTP 503: ServerError. Retell asked to wait {seconds:g} s"


@newest
@pytest.mark.parametrize(
    "error",
    [
        throttled(None),
        throttled(7),
        errors.RetellConnectionError("x", kind="refused"),
        errors.RetellStatusError("x", status=425),
    ],
    ids=lambda error: str(vars(error)),
)
def test_task_is_rescheduled_if_retell_certainly_did_not_act(policy: Any, error: Any) -> None:
    error.permanent = False
    decision = policy.evaluate(error, 1, 3)
    delay = None if getattr(error, "retry_after", None) is None else timedelta(seconds=error.retry_after)
    assert decision.retry_delay == delay
    if RESCHEDULES:
        assert decision.action is RetryAction.RESCHEDULE
        assert decision.reschedule_timeout == timedelta(hours=2)
        assert decision.reason.startswith(f"HTTP {error.status}" if hasattr(error, "status") else "x")
    else:
        assert decision.action is (RetryAction.RETRY if delay else RetryAction.DEFAULT)


@newest
@pytest.mark.parametrize(
    "error",
    [
        errors.RetellConnectionError("x"),
        errors.RetellTimeoutError("x"),
        errors.ServerError("x", status=500),
        errors.CallNotEndedError("x"),
        ValueError("x"),
        KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_other_errors_are_retried_after_the_tasks_own_delay(policy: Any, error: BaseException) -> None:
    assert policy.evaluate(error, 1, 3).action is RetryAction.DEFAULT


@newest
@pytest.mark.parametrize(("error", "reason"), permanent(), ids=str)
def test_permanent_error_is_not_retried(policy: Any, error: errors.RetellError, reason: str) -> None:
    decision = policy.evaluate(error, 1, 3)
    assert decision.action is RetryAction.FAIL
    assert decision.reason == f"{reason}. A retry cannot fix it"


@newest
@pytest.mark.parametrize("given", [600, timedelta(minutes=10)])
def test_the_reschedules_can_be_limited(given: Any) -> None:
    from airflow_provider_retell.policies import RetellRetryPolicy

    policy = RetellRetryPolicy(reschedule_timeout=given)
    assert policy.reschedule_timeout == timedelta(minutes=10)
    if RESCHEDULES:
        assert policy.evaluate(throttled(7), 1, 3).reschedule_timeout == timedelta(minutes=10)
    with pytest.raises(ValueError, match="reschedule_timeout must be seconds or a timedelta, more than 0"):
        RetellRetryPolicy(reschedule_timeout=0)


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

    def run(fault: Fault, retries_left: bool = True, rescheduled: bool = False) -> Any:
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
            _ti_context_from_server=SimpleNamespace(
                max_tries=3, should_retry=retries_left, task_reschedule_count=int(rescheduled)
            ),
            get_first_reschedule_date=lambda _: FIRST if rescheduled else None,
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
    if RESCHEDULES:
        assert message.type == "RescheduleTask"
        assert message.reschedule_date - message.end_date == timedelta(seconds=1234)
    else:
        assert message.type == "RetryTask"
        assert message.retry_delay_seconds == 1234
        assert message.retry_reason.startswith("HTTP 429")
        assert message.retry_reason.endswith("Retell asked to wait 1234 s")
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
        operator.execute({"ti": FakeTaskInstance()})
    decision = policy.evaluate(error.value, 1, 3)
    assert (decision.action, decision.retry_delay) == (RetryAction.RETRY, timedelta(seconds=1234))


@newest
def test_policy_does_not_add_retries(run_task: Any) -> None:
    # On Airflow 3.4, the reschedules of this try have reached their limit.
    message = run_task(
        Fault.status(429, headers={"Retry-After": "1234"}), retries_left=False, rescheduled=True
    )
    assert message.type == "TaskState"
    assert message.state.value == "failed"


@newest
def test_task_with_a_permanent_error_fails_without_asking_the_policy(run_task: Any) -> None:
    assert run_task(Fault.status(401)) is None
