"""UpdateCallOperator(wait_for_end=True): waits first, then writes, and writes in the worker only."""

from __future__ import annotations

import asyncio
import importlib
import json
import time
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.exceptions import TaskDeferred
from airflow.models.trigger import Trigger
from airflow.serialization.helpers import serialize_template_field

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import RetellError, WaitTimeoutError
from airflow_provider_retell.emulator import Clock, Emulator, Fault, Lifecycle
from airflow_provider_retell.operators import base
from airflow_provider_retell.operators.call import UpdateCallOperator

try:
    from airflow.sdk import DAG
except ImportError:
    from airflow.models.dag import DAG

if TYPE_CHECKING:
    from collections.abc import Iterator

ENCRYPT = getattr(Trigger, "encrypt_kwargs", None) or Trigger._encrypt_kwargs  # 2.11
PRIVATE = "Ada's private note"
ROUTES = ["get-call", "update-call"]


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A second here is twenty milliseconds; there is one call, which talks for half a minute."""
    with Emulator(quotas=None, clock=Clock(speed=50), lifecycle=Lifecycle(talk=30, analyze=10)) as emulator:
        emulator.add_call(call_id="call_1", call_status="ongoing", progress=True, metadata={"kept": 1})
        connection = {"conn_type": "retell", "host": emulator.url, "password": emulator.api_key}
        monkeypatch.setenv(
            "AIRFLOW_CONN_RETELL_DEFAULT", json.dumps(connection | {"extra": {"quota": "9999/1"}})
        )
        yield emulator


class Ti:
    def xcom_push(self, key: str, value: Any) -> None: ...


class Run:
    """One run of a task, each leg of it in another worker."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.deferred: TaskDeferred | None = None
        self.operator: Any = None
        self.context: dict[str, Any] = {}

    def go(self, native: bool = False, **arguments: Any) -> Any:
        method, given = "", {}
        arguments = {"call_id": "call_1", "wait_for_end": True, "poll_interval": 0.02, **arguments}
        while True:
            dag = DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc))
            dag.render_template_as_native_obj = native
            self.operator = UpdateCallOperator(task_id="update", dag=dag, **arguments)
            context: Any = {
                "ti": Ti(),
                "dag": dag,
                "params": {},
                "facts": {"note": PRIVATE},
                "which": "call_1",
            }
            self.operator.render_template_fields(context, dag.get_template_env())
            try:
                if method:
                    return self.operator.resume_execution(method, given, context)
                return self.operator.execute(context)
            except TaskDeferred as deferred:
                assert "_session" not in self.operator.hook.__dict__
                assert self.emulator.count("update-call") == 0
                self.deferred = deferred
                event = asyncio.run(self._event(deferred.trigger))
                assert self.emulator.count("update-call") == 0  # a trigger only reads
                assert PRIVATE not in json.dumps(event)
                method, given = deferred.method_name, {**(deferred.kwargs or {}), "event": event}

    async def _event(self, trigger: Any) -> Any:
        path, arguments = trigger.serialize()
        assert PRIVATE not in json.dumps(arguments)
        module, _, name = path.rpartition(".")
        row = Trigger._decrypt_kwargs(ENCRYPT(arguments))
        [event] = [
            event.payload async for event in getattr(importlib.import_module(module), name)(**row).run()
        ]
        return event


@pytest.fixture
def task(emulator: Emulator) -> Run:
    return Run(emulator)


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize("mode", ["replace", "merge", "fill"])
def test_it_waits_and_then_writes(
    emulator: Emulator, task: Run, deferrable: bool, mode: Any, native: bool
) -> None:
    result = task.go(
        native, call_id="{{ which }}", metadata="{{ facts }}", metadata_mode=mode, deferrable=deferrable
    )
    assert (result["call_status"], result["updated"], result["written"]) == ("ended", True, ["metadata.note"])
    kept = {} if mode == "replace" else {"kept": 1}
    assert emulator.calls["call_1"]["metadata"] == {"note": PRIVATE, **kept}
    routes = [request.route for request in emulator.requests]
    assert routes.count("update-call") == 1
    assert routes[-1] == "update-call"
    assert {request.status for request in emulator.requests} == {200}
    assert (task.deferred is not None) == deferrable
    # The last leg rendered anew: what Airflow would store of it shows keys only.
    shown = [
        serialize_template_field(getattr(task.operator, name), name) for name in task.operator.template_fields
    ]
    assert PRIVATE not in str(shown)
    assert "note" in str(shown)


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_call_that_is_over_is_written_at_once(emulator: Emulator, task: Run, deferrable: bool) -> None:
    emulator.calls["call_1"]["call_status"] = "not_connected"
    task.go(metadata={"a": 1}, deferrable=deferrable)
    assert task.deferred is None
    assert [request.route for request in emulator.requests] == ROUTES


def test_the_trigger_gets_what_the_operator_was_given(emulator: Emulator, task: Run) -> None:
    before = time.time()
    task.go(
        metadata={"a": 1},
        deferrable=True,
        poll_interval=timedelta(seconds=0.03),
        wait_timeout=timedelta(minutes=2),
        max_poll_failures=7,
    )
    assert task.deferred is not None
    arguments = task.deferred.trigger.serialize()[1]
    assert before + 120 <= arguments.pop("deadline") <= time.time() + 120
    assert arguments == {
        "retell_conn_id": "retell_default",
        "call_id": "call_1",
        "until": "ended",
        "poll_interval": 0.03,
        "max_poll_failures": 7,
        "stop_on_kill": False,
    }
    assert task.deferred.kwargs is not None
    assert before + 120 <= task.deferred.kwargs["deadline"] <= time.time() + 120
    assert task.deferred.timeout is not None
    assert timedelta(seconds=415) < task.deferred.timeout <= timedelta(seconds=420)


@pytest.mark.parametrize("deferrable", [False, True])
def test_time_runs_out_and_nothing_is_written(emulator: Emulator, task: Run, deferrable: bool) -> None:
    start = time.monotonic()
    with pytest.raises(WaitTimeoutError, match="call call_1 was to be ended"):
        task.go(metadata={"a": 1}, deferrable=deferrable, wait_timeout=0.3)
    assert 0.3 <= time.monotonic() - start < 2
    assert emulator.count("update-call") == 0


@pytest.mark.parametrize("deferrable", [False, True])
def test_what_cannot_get_better_fails_at_once(emulator: Emulator, task: Run, deferrable: bool) -> None:
    emulator.faults.add(Fault.status(403), times=0, after=1)
    with pytest.raises(AirflowFailException, match="403"):
        task.go(metadata={"a": 1}, deferrable=deferrable)
    assert emulator.count() == 2


BROKEN = Fault.status(500, headers={"x-should-retry": "false"})  # one attempt per look


@pytest.mark.parametrize(("arguments", "most"), [({}, 10), ({"max_poll_failures": 2}, 2)])
@pytest.mark.parametrize("deferrable", [False, True])
def test_a_wait_that_gives_up_lets_airflow_retry(
    emulator: Emulator, task: Run, deferrable: bool, arguments: Any, most: int
) -> None:
    emulator.faults.add(BROKEN, times=0, after=1)
    with pytest.raises(
        RetellError, match=rf"Stopped waiting: call call_1 .*{most + 1} polls in a row failed.*answered 500"
    ) as raised:
        task.go(metadata={"a": 1}, deferrable=deferrable, **arguments)
    assert not raised.value.permanent
    assert emulator.count("get-call") == 1 + most + 1
    assert emulator.count("update-call") == 0


@pytest.mark.parametrize("deferrable", [False, True])
def test_so_many_failures_in_a_row_are_lived_through(emulator: Emulator, task: Run, deferrable: bool) -> None:
    emulator.calls["call_1"]["call_status"] = "ended"
    for _ in range(2):
        emulator.faults.add(Fault.status(200, body={"call_id": "call_1", "call_status": "ongoing"}))
        emulator.faults.add(BROKEN, times=2)
    assert task.go(metadata={"a": 1}, deferrable=deferrable, max_poll_failures=2)["updated"]
    looks = [request.status for request in emulator.requests if request.route == "get-call"]
    assert looks == [200, 500, 500, 200, 500, 500, 200]


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_first_look_that_fails_is_lived_through_too(
    emulator: Emulator, task: Run, deferrable: bool
) -> None:
    emulator.faults.add(BROKEN)
    assert task.go(metadata={"a": 1}, deferrable=deferrable)["updated"]
    assert (task.deferred is not None) == deferrable


@pytest.mark.parametrize("deferrable", [False, True])
def test_throttling_beyond_retry_limits_is_waited_for(
    emulator: Emulator, task: Run, deferrable: bool
) -> None:
    """The server's word counts, but no longer than the wait may last; then there is a last look."""
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "200"}), route="get-call")
    start = time.monotonic()
    assert task.go(metadata={"a": 1}, deferrable=deferrable, max_poll_failures=0, wait_timeout=2)["updated"]
    assert time.monotonic() - start < 20
    assert emulator.count("get-call", status=429) == 1


def test_a_worker_waits_as_long_as_the_server_asked(
    emulator: Emulator, task: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    sleep = time.sleep
    monkeypatch.setattr(
        base, "time", SimpleNamespace(time=time.time, sleep=lambda s: (slept.append(s), sleep(0.02)))
    )
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "200"}), route="get-call")
    task.go(metadata={"a": 1}, deferrable=False)
    assert slept[0] == 200
    assert set(slept[1:]) == {0.02}


@pytest.mark.parametrize("most", [-1, True, "3", None, 1.5])
def test_a_limit_that_is_none_fails_when_the_dag_is_read(most: Any) -> None:
    with pytest.raises(ValueError, match="max_poll_failures is a whole number, 0 or more"):
        UpdateCallOperator(task_id="update", call_id="call_1", metadata={"a": 1}, max_poll_failures=most)


@pytest.mark.parametrize("event", [None, {}, {"status": "success"}, {"status": "done"}])
def test_an_event_of_another_kind_writes_nothing(emulator: Emulator, event: Any) -> None:
    operator = UpdateCallOperator(task_id="update", call_id="call_1", metadata={"a": 1}, wait_for_end=True)
    with pytest.raises(AirflowFailException):
        operator.resume({"ti": Ti()}, event)
    assert emulator.count() == 0


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ("{{ facts.note }}", "not a JSON object"),
        ({"a": float("nan")}, "NaN"),
        ({"a": "x" * 60000}, "60,0"),
        (None, "give"),
    ],
)
def test_input_that_cannot_be_sent_is_refused_before_the_wait(
    emulator: Emulator, task: Run, metadata: Any, says: str
) -> None:
    with pytest.raises(AirflowFailException, match=says):
        task.go(metadata=metadata, deferrable=True)
    assert task.deferred is None
    assert emulator.count() == 0
