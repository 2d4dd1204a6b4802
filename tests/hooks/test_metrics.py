"""The counters in Airflow's metrics."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from metrics import Counters, counters

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Clock, Emulator, FakeTaskInstance, Fault, run_task
from airflow_provider_retell.hooks import Rate, RetellAsyncHook, RetellHook
from airflow_provider_retell.notifications import PhoneCallNotifier
from airflow_provider_retell.operators import (
    BulkUpdateCallOperator,
    CreateBatchCallOperator,
    CreatePhoneCallOperator,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("retell_connection")

FROM, TO, OTHER = "+14155550100", "+14155550101", "+14155550102"


@pytest.fixture
def metrics() -> Iterator[Counters]:
    with counters() as backend:
        yield backend


def test_a_hook_counts_its_requests_with_retries_once(retell_emulator: Emulator, metrics: Counters) -> None:
    retell_emulator.add_call(call_id="call_1")
    retell_emulator.faults.add(Fault.status(503))
    with no_waiting(), RetellHook() as hook:
        hook.get_call("call_1")
        hook.close()
        assert metrics.retell() == {"retell.requests": 2}
        hook.get_call("call_1")
    hook.close()
    assert metrics.retell() == {"retell.requests": 3}
    assert metrics.tags["retell.requests"] == {"conn_id": "retell_default"}


def test_the_time_that_the_quota_held_requests_back_is_counted(
    retell_emulator: Emulator, metrics: Counters
) -> None:
    retell_emulator.add_call(call_id="call_1")

    async def read() -> None:
        async with RetellAsyncHook(quota=Rate(1, 10)) as hook:
            for _ in range(3):
                await hook.get_call("call_1")

    with no_waiting():
        asyncio.run(read())
    assert metrics.retell()["retell.requests"] == 3
    assert metrics.retell()["retell.held_back_seconds"] == pytest.approx(20, abs=1)


def test_a_hook_that_sent_nothing_counts_nothing(metrics: Counters) -> None:
    RetellHook().close()
    assert metrics.retell() == {}


def test_a_bulk_update_counts_its_rows_by_outcome(retell_emulator: Emulator, metrics: Counters) -> None:
    for call_id, metadata in (("call_1", {}), ("call_2", {"tier": "gold"})):
        retell_emulator.add_call(call_id=call_id, call_status="ended", metadata=metadata)
    rows = [
        {"call_id": call_id, "tier": "gold"} for call_id in ("call_1", "call_2", "call_missing", "bad/id")
    ]
    with pytest.raises(AirflowFailException):
        run_task(BulkUpdateCallOperator(task_id="enrich", rows=rows))
    counted = {name: total for name, total in metrics.retell().items() if ".rows." in name}
    assert counted == {
        "retell.rows.updated": 1,
        "retell.rows.unchanged": 1,
        "retell.rows.not_found": 1,
        "retell.rows.invalid": 1,
    }
    assert metrics.tags["retell.rows.updated"] == {"dag_id": "a_dag", "task_id": "enrich"}
    assert metrics.retell()["retell.requests"] == len(retell_emulator.requests)


def test_placed_calls_are_counted_once_whatever_the_number_of_tries(
    retell_emulator: Emulator, metrics: Counters
) -> None:
    place = CreatePhoneCallOperator(task_id="place", from_number=FROM, to_number=TO, retries=1)
    for number in (1, 2):
        run_task(place, ti=FakeTaskInstance("place", try_number=number, max_tries=1))
    assert metrics.retell()["retell.calls_placed"] == 1
    assert metrics.tags["retell.calls_placed"] == {"dag_id": "a_dag", "task_id": "place"}


def test_the_calls_of_a_batch_are_counted(metrics: Counters) -> None:
    tasks = [{"to_number": number} for number in (TO, OTHER)]
    run_task(CreateBatchCallOperator(task_id="batch", from_number=FROM, tasks=tasks))
    assert metrics.retell()["retell.calls_placed"] == 2


@pytest.mark.retell_emulator(clock=Clock(frozen=True))
def test_an_alert_is_counted_unless_a_limit_forbids_it(metrics: Counters) -> None:
    context: Any = {"dag_run": None, "run_id": "run_1", "ti": FakeTaskInstance("load", dag_id="nightly")}
    for _ in range(2):
        PhoneCallNotifier(from_number=FROM, to_number=TO).notify(context)
    assert metrics.retell()["retell.calls_placed"] == 1
    assert metrics.tags["retell.calls_placed"] == {"dag_id": "nightly"}


def test_broken_metrics_do_not_fail_a_task(retell_emulator: Emulator, metrics: Counters) -> None:
    metrics.broken = True
    run_task(CreatePhoneCallOperator(task_id="place", from_number=FROM, to_number=TO))
    assert len(retell_emulator.placed) == 1
