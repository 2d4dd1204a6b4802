"""The function that runs one task in a user's test."""

from __future__ import annotations

from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_mock import MockerFixture
from simulations import add_agent, add_case, simulation
from tasks import DAG

try:
    from airflow.sdk import get_current_context, task
except ImportError:  # Airflow 2
    from airflow.decorators import task
    from airflow.operators.python import get_current_context

from airflow_provider_retell._compat import AirflowFailException, BaseOperator
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Clock, Emulator, FakeTaskInstance, run_task
from airflow_provider_retell.hooks import RetellHook
from airflow_provider_retell.operators import (
    BulkUpdateCallOperator,
    CreatePhoneCallOperator,
    UpdateCallOperator,
)
from airflow_provider_retell.sensors import CallSensor


class Templates(BaseOperator):
    """Returns its rendered field."""

    template_fields = ("values",)

    def __init__(self, *, values: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.values = values

    def execute(self, context: Any) -> Any:
        return self.values


def test_templates_see_the_run_params_variables_and_xcoms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_FROM_NUMBER", "+14155550100")
    monkeypatch.setenv("AIRFLOW_VAR_AGENTS", '["agent_1"]')
    task = Templates(
        task_id="templates",
        values=[
            "{{ ds }} {{ data_interval_end | ds }} {{ dag_run.run_after | ds }}",
            "{{ params.kept }} {{ params.changed }}",
            "{{ var.value.from_number }} {{ var.json.agents[0] }} {{ var.value.get('missing', 'none') }}",
            "{{ ti.xcom_pull(task_ids='facts')['tier'] }} {{ ti.xcom_pull('facts', key='tier') }}",
            "{{ city }}",
        ],
        params={"kept": 1, "changed": 1},
    )
    result = run_task(
        task,
        logical_date=datetime(2026, 5, 6, tzinfo=timezone.utc),
        params={"changed": 2},
        xcoms={"facts": {"tier": "gold"}},
        city="Berlin",
    )
    assert result == [
        "2026-05-06 2026-05-07 2026-05-07",
        "1 2",
        "+14155550100 agent_1 none",
        "gold gold",
        "Berlin",
    ]


def test_the_output_of_another_task_has_its_value() -> None:
    with DAG("with_output", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc)):
        facts = Templates(task_id="facts", values={})
        task = UpdateCallOperator(task_id="update", call_id="call_1", metadata=facts.output)
    with pytest.raises(AirflowFailException, match="metadata"):
        run_task(task, xcoms={"facts": 7})


def test_a_task_can_run_again_because_it_stays_unchanged(
    retell_emulator: Emulator, retell_connection: str
) -> None:
    retell_emulator.add_call(call_id="call_1", call_status="ended", metadata={"customer": "C-1001"})
    task = UpdateCallOperator(
        task_id="enrich", call_id="{{ params.call_id }}", metadata={"tier": "{{ params.tier }}"}
    )
    first = run_task(task, params={"call_id": "call_1", "tier": "gold"})
    again = run_task(task, params={"call_id": "call_1", "tier": "silver"})
    assert (first["written"], again["written"]) == (["metadata.tier"], ["metadata.tier"])
    assert retell_emulator.calls["call_1"]["metadata"] == {"customer": "C-1001", "tier": "silver"}
    assert task.call_id == "{{ params.call_id }}"


def test_pushed_xcoms_are_in_the_task_instance(retell_emulator: Emulator, retell_connection: str) -> None:
    retell_emulator.add_call(call_id="call_1", call_status="ended")
    ti = FakeTaskInstance("enrich")
    run_task(BulkUpdateCallOperator(task_id="enrich", rows=[{"call_id": "call_1", "tier": "gold"}]), ti=ti)
    assert ti.xcom["manifest"]["updated"] == 1


@pytest.mark.retell_emulator(clock=Clock(frozen=True))
def test_deferred_waits_are_part_of_the_run(retell_emulator: Emulator, retell_connection: str) -> None:
    place = CreatePhoneCallOperator(
        task_id="place",
        from_number="+14155550100",
        to_number="+14155550101",
        wait_until="ended",
        deferrable=True,
    )
    with no_waiting(retell_emulator.clock.advance):
        call = run_task(place)
        analyzed = run_task(
            CallSensor(task_id="wait", call_id=call["call_id"], until="analyzed", deferrable=True)
        )
    assert call["call_status"] == "ended"
    assert analyzed["call_id"] == call["call_id"]
    assert len(retell_emulator.placed) == 1


def test_a_second_try_finds_the_call_of_the_first(retell_emulator: Emulator, retell_connection: str) -> None:
    place = CreatePhoneCallOperator(
        task_id="place", from_number="+14155550100", to_number="+14155550101", retries=1
    )
    calls = [run_task(place, ti=FakeTaskInstance("place", try_number=n, max_tries=1)) for n in (1, 2)]
    assert calls[0]["call_id"] == calls[1]["call_id"]
    assert len(retell_emulator.placed) == 1


def test_a_run_that_was_triggered_by_hand_has_no_date() -> None:
    assert (
        run_task(Templates(task_id="templates", values="{{ ds is defined }}"), logical_date=None) == "False"
    )


@pytest.mark.parametrize("day", [datetime(2026, 5, 6, tzinfo=timezone.utc), None])
def test_every_run_has_a_dag_run(day: datetime | None) -> None:
    template = "{{ dag_run.dag_id }} {{ (dag_run.data_interval_start or dag_run.run_after) | ds }}"
    names = ["logical_date", "data_interval_start", "data_interval_end"]
    task = Templates(task_id="templates", values=[template, *(f"{{{{ dag_run.{name} }}}}" for name in names)])
    before = datetime.now(timezone.utc).date()
    shown, *times = run_task(task, logical_date=day)
    if day is None:
        assert shown in {f"a_dag {date}" for date in (before, datetime.now(timezone.utc).date())}
        assert times == ["None", "None", "None"]
    else:
        assert shown == "a_dag 2026-05-06"
        assert [time[:10] for time in times] == ["2026-05-06", "2026-05-06", "2026-05-07"]


@pytest.mark.parametrize("year", [2026, 2999, None])
def test_a_second_try_finds_the_batch_test_of_the_first(
    retell_emulator: Emulator, retell_connection: str, year: int | None
) -> None:
    add_agent(retell_emulator)
    add_case(retell_emulator, "books", "pass")
    day = None if year is None else datetime(year, 1, 1, tzinfo=timezone.utc)
    with no_waiting(retell_emulator.clock.advance):
        for number in (1, 2):
            run_task(simulation(), logical_date=day, ti=FakeTaskInstance(try_number=number, max_tries=1))
    assert retell_emulator.count("create-batch-test") == 1


def test_the_names_of_the_task_are_those_of_its_dag(
    retell_emulator: Emulator, retell_connection: str
) -> None:
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    shown = []
    for name in ("morning", "evening"):
        with DAG(name, schedule=None, start_date=start) as dag:
            Templates(task_id="templates", values="{{ ti.dag_id }} {{ ti.task_id }}")
            CreatePhoneCallOperator(task_id="call", from_number="+14155550100", to_number="+14155550101")
        for number in (1, 2):
            ti = FakeTaskInstance(try_number=number)
            shown.append(run_task(dag.get_task("templates"), ti=ti))
            run_task(dag.get_task("call"), ti=ti)
    assert shown == ["morning templates"] * 2 + ["evening templates"] * 2
    assert len(retell_emulator.placed) == 2
    ti = FakeTaskInstance("other", dag_id="chosen")
    assert run_task(dag.get_task("templates"), ti=ti) == "chosen other"


def test_one_task_of_a_mapped_operator_runs(retell_emulator: Emulator, retell_connection: str) -> None:
    retell_emulator.add_calls(["call_1", "call_2"])
    with DAG("dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc)) as dag:
        UpdateCallOperator.partial(task_id="update", metadata={"day": "{{ ds }}"}).expand(
            call_id=["call_1", "call_2"]
        )
    run_task(dag.get_task("update"), mapped={"call_id": "call_2"})
    assert "day" not in retell_emulator.calls["call_1"]["metadata"]
    assert retell_emulator.calls["call_2"]["metadata"] == {"day": "2026-01-01"}


def test_functions_with_the_task_decorator_run(retell_emulator: Emulator, retell_connection: str) -> None:
    with DAG("dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc)) as dag:

        @task
        def ids() -> list[str]:
            return ["call_1"]

        @task
        def score(call_id: str, key: str) -> str:
            with RetellHook() as hook:
                hook.update_call_checked(call_id, metadata={key: str(get_current_context()["ds"])})
            return f"{call_id} is scored"

        score.partial(key="day").expand(call_id=ids())

    retell_emulator.add_call(call_id="call_1", metadata={})
    assert run_task(dag.get_task("ids")) == ["call_1"]
    assert run_task(dag.get_task("score"), mapped={"call_id": "call_1"}) == "call_1 is scored"
    assert retell_emulator.calls["call_1"]["metadata"] == {"day": "2026-01-01"}


def test_mapped_tasks_and_two_sources_of_xcoms_are_rejected() -> None:
    mapped = UpdateCallOperator.partial(task_id="update", metadata={}).expand(call_id=["call_1"])
    with pytest.raises(TypeError, match="not MappedOperator.*set mapped to the arguments of one task"):
        run_task(mapped)
    with pytest.raises(TypeError, match="Templates is not mapped"):
        run_task(Templates(task_id="templates", values=""), mapped={"values": ""})
    with pytest.raises(ValueError, match="pass them to FakeTaskInstance"):
        run_task(Templates(task_id="templates", values=""), ti=FakeTaskInstance(), xcoms={})


def test_values_that_are_not_json_cannot_be_pushed() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        FakeTaskInstance().xcom_push("key", object())


def test_task_runs_without_the_warning_of_airflows_safeguard(
    retell_emulator: Emulator, retell_connection: str, caplog: pytest.LogCaptureFixture, mocker: MockerFixture
) -> None:
    try:
        from airflow.sdk.bases.operator import ExecutorSafeguard
    except ImportError:  # Airflow 2
        from airflow.models.baseoperator import ExecutorSafeguard  # type: ignore[attr-defined, no-redef]
    mocker.patch.object(ExecutorSafeguard, "test_mode", False)
    retell_emulator.add_call(call_id="call_1")
    run_task(UpdateCallOperator(task_id="update", call_id="call_1", metadata={"tier": "gold"}))
    assert "Task Runner" not in caplog.text
    assert ExecutorSafeguard.test_mode is False


def test_a_function_reads_the_asset_events_of_the_test() -> None:
    sdk = pytest.importorskip("airflow.sdk")
    if sdk.Asset.__hash__ is None:
        pytest.skip("assets of Airflow 3.0 cannot be keys of a dict")
    from airflow_provider_retell.triggers import CallEventTrigger

    watcher = sdk.AssetWatcher(name="ended", trigger=CallEventTrigger())
    ended = sdk.Asset("retell_calls", watchers=[watcher])

    @task(inlets=[ended])
    def ended_calls(triggering_asset_events: Any = None) -> list[str]:
        events = triggering_asset_events[ended] if triggering_asset_events else []
        return [call["call_id"] for event in events for call in event.extra["payload"]["calls"]]

    with DAG("a_dag", schedule=None) as dag:
        ended_calls()
    event = SimpleNamespace(extra={"payload": {"event": "call_ended", "calls": [{"call_id": "call_1"}]}})
    operator = dag.get_task("ended_calls")
    assert run_task(operator, triggering_asset_events={operator.inlets[0]: [event]}) == ["call_1"]
    assert run_task(operator) == []
