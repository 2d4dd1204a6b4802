"""Code as users write it, with everything that is public: type checkers read it, nothing runs it.

A line with an ignore comment is a mistake on purpose, and the checkers have to see it: an ignore that hides nothing is
an error for both. ``type: ignore`` speaks to mypy, ``pyright: ignore`` to pyright.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from airflow.sdk import Asset, AssetWatcher, dag, task
from typing_extensions import assert_type

from airflow_provider_retell import __version__
from airflow_provider_retell.api.calls.models import (
    BatchCall,
    Call,
    CallAnalysis,
    CallCost,
    CallPage,
    CallSummary,
    LiveUpdate,
)
from airflow_provider_retell.api.errors import (
    AuthenticationError,
    BadRequestError,
    CallNotEndedError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    RetellConfigError,
    RetellConnectionError,
    RetellError,
    RetellInputError,
    RetellResponseError,
    RetellStatusError,
    RetellTimeoutError,
    ServerError,
    StorageConflictError,
    UnprocessableError,
    UpdateMismatchError,
    WaitFailedError,
    WaitTimeoutError,
)
from airflow_provider_retell.api.organization.models import ApiKeyInfo, Concurrency
from airflow_provider_retell.bulk import FailedRows, FileRows, SqlRows
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import (
    DEFAULT_QUOTAS,
    Clock,
    Emulator,
    Fault,
    Faults,
    Lifecycle,
    Options,
    Organization,
    RecordedRequest,
    Rule,
    WebhookDelivery,
)
from airflow_provider_retell.emulator.pytest_plugin import retell_connection, retell_emulator
from airflow_provider_retell.hooks import Rate, RetellAsyncHook, RetellHook, RetryLimits
from airflow_provider_retell.links.retell import RetellCallLink
from airflow_provider_retell.notifications import PhoneCallNotifier
from airflow_provider_retell.operators import (
    BulkUpdateCallOperator,
    CreateBatchCallOperator,
    CreatePhoneCallOperator,
    DeleteCallOperator,
    GetCallOperator,
    ListCallsOperator,
    RerunCallAnalysisOperator,
    StopCallOperator,
    UpdateCallOperator,
    UpdateLiveCallOperator,
)
from airflow_provider_retell.policies import RetellRetryPolicy
from airflow_provider_retell.sensors import BatchCallSensor, CallSensor, ConcurrencySensor
from airflow_provider_retell.triggers import (
    BatchCallTrigger,
    CallEventTrigger,
    CallTrigger,
    ConcurrencyTrigger,
)

version: str = __version__


# -- a DAG file

call_someone = PhoneCallNotifier(from_number="+15550100001", to_number="+15550100002", cooldown=60.0)
ended_calls = Asset("ended", watchers=[AssetWatcher(name="ended", trigger=CallEventTrigger(event="ended"))])


@dag(
    schedule=[ended_calls],
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - as DAG files have it
    on_failure_callback=call_someone,
    default_args={"retry_policy": RetellRetryPolicy()},
)
def everything() -> None:
    @task
    def score() -> dict[str, Any]:
        return {"churn_risk": 0.81}

    @task
    def pick(answer: Any, key: str) -> Any:
        return answer[key]

    UpdateCallOperator(task_id="plain", call_id="call_1", metadata={"tier": "gold"})
    UpdateCallOperator(task_id="from_a_task", call_id="{{ params.call_id }}", metadata=score(), retries=3)
    UpdateCallOperator(
        task_id="all_of_it",
        call_id="call_1",
        metadata="{{ ti.xcom_pull('score') }}",
        data_storage_setting="everything_except_pii",
        custom_attributes={"attr_tier": "gold", "attr_age": 3},
        metadata_mode="merge",
        confirm_custom_attributes=True,
        wait_until="analyzed",
        deferrable=True,
        poll_interval=timedelta(seconds=10),
        max_poll_failures=3,
        wait_timeout=600,
        remove_metadata_keys=["old"],
        retell_conn_id="retell_eu",
    )
    UpdateCallOperator(task_id="wipe", call_id="call_1", clear_metadata=True)
    UpdateCallOperator(task_id="no_call", metadata={})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    UpdateCallOperator(
        task_id="bad_mode",
        call_id="call_1",
        metadata={},
        metadata_mode="append",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )
    UpdateCallOperator(
        task_id="bad_metadata",
        call_id="call_1",
        metadata=["tier"],  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )
    UpdateCallOperator(
        task_id="bad_wait",
        call_id="call_1",
        metadata={},
        wait_until="answered",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )

    BulkUpdateCallOperator(
        task_id="sql",
        rows=SqlRows("warehouse", "select * from facts where day = %(day)s", parameters={"day": "{{ ds }}"}),
        metadata_columns={"tier": "customer_tier"},
        report_path="s3://bucket/{{ ds }}.jsonl",
        tolerate=("not_found",),
        quota="100/10",
        max_failed_ratio=0.01,
    )
    BulkUpdateCallOperator(task_id="from_a_task", rows=score())
    BulkUpdateCallOperator(task_id="file", rows=FileRows("s3://bucket/facts.csv"), metadata_columns=["tier"])
    BulkUpdateCallOperator(task_id="list", rows=[{"call_id": "call_1", "tier": "gold"}], dry_run=True)
    BulkUpdateCallOperator(task_id="function", rows=lambda: iter([{"call_id": "call_1", "tier": "gold"}]))
    BulkUpdateCallOperator(
        task_id="again", rows=FailedRows(FileRows("s3://bucket/facts.csv"), "s3://bucket/{{ ds }}.jsonl")
    )
    BulkUpdateCallOperator(
        task_id="bad_rows",
        rows=3,  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )
    BulkUpdateCallOperator.partial(task_id="mapped", rows=[{"call_id": "call_1"}]).expand(
        retell_conn_id=["retell_eu", "retell_us"]
    )

    ListCallsOperator(
        task_id="list_calls", path="s3://bucket/calls.parquet", overlap=timedelta(0), fields=["call_id"]
    )
    GetCallOperator(task_id="get", call_id="call_1", path="s3://bucket/call.json", analysis_fields=["score"])
    placed = CreatePhoneCallOperator(
        task_id="place",
        from_number="+15550100001",
        to_number="+15550100002",
        retell_llm_dynamic_variables={"name": "Ada"},
        wait_until="analyzed",
        on_clear="resend",
        stop_on_kill=True,
    )
    batch = CreateBatchCallOperator(
        task_id="batch",
        from_number="+15550100001",
        tasks=[{"to_number": "+15550100002"}],
        trigger_timestamp=datetime(2026, 1, 1, tzinfo=timezone.utc),
    )
    UpdateLiveCallOperator(task_id="live_wipe", call_id="call_1", clear_metadata=True)
    UpdateLiveCallOperator(task_id="live", call_id="call_1", override_dynamic_variables={"offer": "10 %"})
    StopCallOperator(task_id="stop", call_id=pick(placed.output, "call_id"))
    RerunCallAnalysisOperator(task_id="analyze", call_id="call_1")
    DeleteCallOperator(task_id="erase", call_id="call_1", missing_ok=False)
    DeleteCallOperator(
        task_id="erase_too", call_id="call_1", missing_ok="{{ params.missing_ok }}", dry_run=True
    )

    CallSensor(
        task_id="ended",
        call_id="call_1",
        until="analyzed",
        deferrable=True,
        poke_interval=30,
        max_poll_failures=3,
        analysis_fields=["score"],
    )
    CallSensor(task_id="transferred", call_id="call_1", until="transfer_ended")
    BatchCallSensor(task_id="all_ended", batch_call_id="batch_1", total=12, timeout=3600, until="analyzed")
    BatchCallSensor(
        task_id="bad_batch_until",
        batch_call_id="batch_1",
        total=12,
        until="transfer_ended",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )
    BatchCallSensor(
        task_id="all_ended_too",
        batch_call_id=pick(batch.output, "batch_call_id"),
        total=pick(batch.output, "total_task_count"),
    )
    ConcurrencySensor(task_id="room", calls="{{ params.calls }}")
    CallSensor(
        task_id="bad_until",
        call_id="call_1",
        until="answered",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )


assert_type(RetellCallLink().get_link(None, ti_key=None), str)


# -- operators and triggers of one's own


class TieredUpdate(UpdateCallOperator):
    def work(self, context: Any) -> dict[str, Any]:
        done = super().work(context)
        assert_type(done, dict[str, Any])
        return done


def triggers() -> None:
    for trigger in (
        CallTrigger(call_id="call_1", until="ended", retell_conn_id="retell", poll_interval=30, deadline=0),
        BatchCallTrigger(
            batch_call_id="batch_1", total=3, retell_conn_id="retell", poll_interval=30, deadline=0
        ),
        ConcurrencyTrigger(calls=2, retell_conn_id="retell", poll_interval=30, deadline=0),
        CallEventTrigger(agent_ids=["agent_1"], direction="inbound", poll_interval=10),
    ):
        assert_type(trigger.serialize(), tuple[str, dict[str, Any]])


# -- the hooks


def in_a_task() -> list[str]:
    with RetellHook("retell_eu", retry=RetryLimits(attempts=3, seconds=20.0)) as hook:
        assert_type(hook, RetellHook)
        call = hook.get_call("call_1")
        assert_type(call, Call)
        assert_type(call.metadata, dict[str, Any] | None)
        assert_type(call.call_analysis, CallAnalysis | None)
        assert_type(call.call_cost, CallCost | None)
        assert_type(call.has_ended, bool)
        assert_type(call.slim(), dict[str, Any])
        assert_type(call.slim(["score"]), dict[str, Any])
        summary: CallSummary = call
        assert_type(summary.is_analyzed, bool)
        with no_waiting() as clock:
            assert_type(clock.skipped, float)
        assert_type(hook.update_call("call_1", metadata={"tier": "gold"}), Call)
        assert_type(hook.update_live_call("call_1", additional_context="Be brief"), LiveUpdate)
        assert_type(hook.list_calls(sort_order="ascending"), Iterator[Call])
        assert_type(hook.list_calls_page(limit=10), CallPage)
        assert_type(hook.list_calls_page(limit=10).items, list[Call])
        assert_type(hook.create_phone_call("+15550100001", "+15550100002", idempotency_key="k"), Call)
        assert_type(hook.create_batch_call("+15550100001", [{"to_number": "+15550100002"}]), BatchCall)
        assert_type(hook.rerun_call_analysis("call_1"), Call)
        assert_type(hook.get_concurrency(), Concurrency)
        assert_type(hook.get_concurrency().available, int)
        assert_type(hook.get_api_key_info(), ApiKeyInfo)
        assert_type(hook.test_connection(), tuple[bool, str])
        hook.stop_call("call_1")
        hook.delete_call("call_1")
        hook.get_call()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        hook.get_call(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        hook.update_call("call_1", tier="gold")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        hook.get_cal("call_1")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        return [found.call_id for found in hook.list_calls()]


async def in_a_trigger() -> None:
    async with RetellAsyncHook("retell_eu", connections=8, quota=Rate(50, 10)) as hook:
        assert_type(hook, RetellAsyncHook)
        assert_type(await hook.get_call("call_1"), Call)
        assert_type(await hook.update_call("call_1", metadata={"tier": "gold"}), Call)
        assert_type(await hook.get_concurrency(), Concurrency)
        assert_type(hook.list_calls(), AsyncIterator[Call])
        async for call in hook.list_calls(filter_criteria={"agent": [{"agent_id": "agent_1"}]}):
            assert_type(call, Call)
        hook.get_call("call_1").slim()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    assert_type(Rate.parse("100/10").seconds, float)


# -- errors


def what_went_wrong(hook: RetellHook) -> str:
    try:
        hook.get_call("call_1")
    except RetellTimeoutError as error:
        return error.kind
    except UpdateMismatchError as error:
        return ", ".join(error.fields)
    except RetellInputError as error:
        return error.fault
    except RateLimitError as error:
        assert_type(error.retry_after, float | None)
    except RetellStatusError as error:
        return f"{error.status} {error.detail}"
    except RetellError as error:
        assert_type(error.permanent, bool)
    return ""


every_status: tuple[type[RetellStatusError], ...] = (
    *(AuthenticationError, BadRequestError, NotFoundError, PaymentRequiredError, PermissionDeniedError),
    *(RateLimitError, ServerError, UnprocessableError),
)
every_other: tuple[type[RetellError], ...] = (
    *(CallNotEndedError, RetellConfigError, RetellConnectionError, RetellResponseError),
    *(StorageConflictError, WaitFailedError, WaitTimeoutError),
)


# -- tests of DAGs

fixtures = (retell_connection, retell_emulator)
pytest_plugins = ["airflow_provider_retell.emulator.pytest_plugin"]


def test_my_dag(retell_emulator: Emulator, retell_connection: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_type(retell_emulator.organization, Organization)
    retell_emulator.add_call(call_id="call_1", call_status="ended", metadata={"plan": "pro"})
    assert_type(retell_emulator.faults, Faults)
    rule = retell_emulator.faults.add(Fault.status(429, headers={"Retry-After": "2"}), route="update-call")
    assert_type(rule, Rule)
    assert_type(retell_emulator.requests, list[RecordedRequest])
    assert_type(retell_emulator.webhooks, list[WebhookDelivery])
    assert_type(retell_emulator.count("update-call", status=200), int)
    assert_type(retell_emulator.url, str)


def by_hand() -> None:
    clock = Clock(frozen=True)
    with Emulator(
        api_key="key_test",
        clock=clock,
        lifecycle=Lifecycle(),
        quotas={**DEFAULT_QUOTAS, "update-call": (5, 1.0)},
        metadata_semantics="merge",
    ) as emulator:
        assert_type(emulator, Emulator)
        options: Options = emulator.options
        assert_type(options.api_key, str)
        clock.advance(60)
    Emulator(port="8787")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
