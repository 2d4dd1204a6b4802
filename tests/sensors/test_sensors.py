"""The sensors, in each of Airflow's ways of waiting, against an emulator."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from airflow.exceptions import (
    AirflowException,
    AirflowNotFoundException,
    AirflowRescheduleException,
    TaskDeferred,
)
from airflow.models.trigger import Trigger

from airflow_provider_retell._compat import AirflowFailException, AirflowSensorTimeout, AirflowSkipException
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.emulator import Clock, Emulator, Fault, Lifecycle
from airflow_provider_retell.hooks.retell import RetellHook
from airflow_provider_retell.links.retell import XCOM_KEY
from airflow_provider_retell.sensors.call import BatchCallSensor, CallSensor
from airflow_provider_retell.sensors.concurrency import ConcurrencySensor

if TYPE_CHECKING:
    from collections.abc import Iterator

ENCRYPT = getattr(Trigger, "encrypt_kwargs", None) or Trigger._encrypt_kwargs  # 2.11
MODES = ["poke", "reschedule", "deferrable"]
PRIVATE = (
    "transcript",
    "recording_url",
    "from_number",
    "to_number",
    "access_token",
    "call_analysis",
    "metadata",
)


class Ti:
    """As much of a task instance as a sensor uses."""

    def __init__(self) -> None:
        self.xcom: dict[str, Any] = {}
        self.started = datetime.now(timezone.utc)
        self.dag_id, self.run_id, self.task_id, self.map_index = "a_dag", "a_run", "wait", -1
        self.max_tries, self.try_number = 0, 1

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcom[key] = value

    def get_first_reschedule_date(self, context: Any) -> datetime:
        return self.started


class Runner:
    """Runs a sensor as Airflow does, whatever its mode, and counts what it took."""

    def __init__(self) -> None:
        self.deferred = self.rescheduled = 0
        self.backstop: timedelta | None = None
        self.ti = Ti()

    def run(self, kind: Any, mode: str, **arguments: Any) -> Any:
        arguments = {"poke_interval": 0.02, "timeout": 20, **arguments}
        where = {"deferrable": True} if mode == "deferrable" else {"deferrable": False, "mode": mode}
        context: Any = {"ti": self.ti}
        method, given = "execute", {}
        while True:
            sensor = kind(task_id="wait", **where, **arguments)  # each time in another worker
            try:
                return (
                    sensor.execute(context) if not given else sensor.resume_execution(method, given, context)
                )
            except TaskDeferred as deferral:
                self.deferred += 1
                event = asyncio.run(self._event(deferral.trigger))
                method, given = deferral.method_name, {**(deferral.kwargs or {}), "event": event}
                self.backstop = deferral.timeout
                json.dumps(given)
            except AirflowRescheduleException as later:
                self.rescheduled += 1
                time.sleep(max((later.reschedule_date - datetime.now(timezone.utc)).total_seconds(), 0))

    async def _event(self, trigger: Any) -> Any:
        path, arguments = trigger.serialize()
        module, _, name = path.rpartition(".")
        row = Trigger._decrypt_kwargs(ENCRYPT(arguments))
        restored = getattr(importlib.import_module(module), name)(**row)
        [event] = [event.payload async for event in restored.run()]
        return event


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Runner:
    runner = Runner()
    import airflow

    if airflow.__version__.startswith("2."):  # it asks the database
        monkeypatch.setattr("airflow.sensors.base._orig_start_date", lambda **_: runner.ti.started)
    return runner


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A second here is twenty milliseconds; a call talks for half a minute, its analysis takes ten seconds."""
    with Emulator(quotas=None, clock=Clock(speed=50), lifecycle=Lifecycle(talk=30, analyze=10)) as emulator:
        connection = {
            "conn_type": "retell",
            "host": emulator.url,
            "password": emulator.api_key,
            "extra": {"quota": "9999/1"},
        }
        monkeypatch.setenv("AIRFLOW_CONN_RETELL_DEFAULT", json.dumps(connection))
        yield emulator


# -- the call


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("until", ["ended", "analyzed"])
def test_a_call_is_waited_for(emulator: Emulator, runner: Runner, mode: str, until: Any) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing", progress=True, metadata={"plan": "pro"})
    result = runner.run(CallSensor, mode, call_id="call_1", until=until)
    call = emulator.calls["call_1"]
    assert (result["call_id"], result["call_status"], result["metadata_keys"]) == (
        "call_1",
        "ended",
        ["plan"],
    )
    assert result["disconnection_reason"] == call["disconnection_reason"]
    assert not set(result) & set(PRIVATE)
    assert until == "ended" or "call_analysis" in call
    assert runner.ti.xcom == {XCOM_KEY: "call_1"}
    assert (runner.deferred, runner.rescheduled > 0) == (int(mode == "deferrable"), mode == "reschedule")
    assert emulator.count("get-call") >= 2


@pytest.mark.parametrize("mode", MODES)
def test_a_call_that_is_over_is_not_waited_for(emulator: Emulator, runner: Runner, mode: str) -> None:
    emulator.add_call(call_id="call_1")
    assert runner.run(CallSensor, mode, call_id="call_1", until="analyzed")["call_id"] == "call_1"
    assert (runner.deferred, runner.rescheduled, emulator.count()) == (0, 0, 1)


@pytest.mark.parametrize("mode", MODES)
def test_an_unknown_status_does_not_end_the_wait(emulator: Emulator, runner: Runner, mode: str) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing")
    emulator.calls["call_1"]["call_status"] = "on_hold"
    with pytest.raises(AirflowSensorTimeout):
        runner.run(CallSensor, mode, call_id="call_1", timeout=0.3)
    assert emulator.count("get-call") >= 3


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("options", "outcome"),
    [({}, AirflowSensorTimeout), ({"soft_fail": True}, AirflowSkipException)],
    ids=["hard", "soft"],
)
def test_time_runs_out(
    emulator: Emulator, runner: Runner, mode: str, options: dict[str, Any], outcome: type[Exception]
) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing")
    with pytest.raises(outcome) as raised:
        runner.run(CallSensor, mode, call_id="call_1", timeout=0.3, **options)
    assert 0.3 <= (datetime.now(timezone.utc) - runner.ti.started).total_seconds() < 3
    assert type(raised.value) is outcome


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        ({}, AirflowFailException),
        ({"soft_fail": True}, AirflowSkipException),
        ({"never_fail": True}, AirflowSkipException),
    ],
    ids=["hard", "soft", "never"],
)
@pytest.mark.parametrize("when", ["first look", "later"])
def test_what_cannot_get_better_fails_at_once(
    emulator: Emulator,
    runner: Runner,
    mode: str,
    options: dict[str, Any],
    outcome: type[Exception],
    when: str,
) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing")
    emulator.faults.add(Fault.status(401), times=0, after=0 if when == "first look" else 1)
    with pytest.raises(outcome) as raised:
        runner.run(CallSensor, mode, call_id="call_1", **options)
    assert type(raised.value) is outcome
    assert emulator.count() == (1 if when == "first look" else 2)


BROKEN = Fault.status(500, headers={"x-should-retry": "false"})  # one attempt per look


@pytest.mark.parametrize("mode", ["poke", "deferrable"])
def test_a_wait_that_gives_up_lets_airflow_retry(emulator: Emulator, runner: Runner, mode: str) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing")
    emulator.faults.add(BROKEN, times=0, after=1)
    with pytest.raises(
        RetellError,
        match="Stopped waiting: call call_1 was to be ended.*3 polls in a row failed.*answered 500",
    ) as raised:
        runner.run(CallSensor, mode, call_id="call_1", max_poll_failures=2)
    assert not isinstance(raised.value, AirflowException)
    assert emulator.count() == 4


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("mode", MODES)
def test_no_failure_at_all_may_be_asked_for(
    emulator: Emulator, runner: Runner, mode: str, after: int
) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing")
    emulator.faults.add(BROKEN, times=0, after=after)
    with pytest.raises(RetellError, match="answered 500"):
        runner.run(CallSensor, mode, call_id="call_1", max_poll_failures=0)
    assert emulator.count() == after + 1


@pytest.mark.parametrize("mode", MODES)
def test_so_many_failures_in_a_row_are_lived_through(emulator: Emulator, runner: Runner, mode: str) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing")
    emulator.faults.add(BROKEN, times=2)
    emulator.faults.add(Fault.status(200, body={"call_id": "call_1", "call_status": "ongoing"}))
    emulator.faults.add(BROKEN, times=2)
    emulator.faults.add(Fault.status(200, body={"call_id": "call_1", "call_status": "ended"}), times=2)
    assert runner.run(CallSensor, mode, call_id="call_1", max_poll_failures=2)["call_status"] == "ended"
    looks = [request.status for request in emulator.requests]
    assert looks[:6] == [500, 500, 200, 500, 500, 200]


@pytest.fixture
def lost_look_ups(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The numbers of the look-ups of the connection, from 1, that find nothing: its backend is down."""
    lost: set[int] = set()
    numbers = itertools.count(1)
    look_up = RetellHook.get_connection

    def get_connection(conn_id: str) -> Any:
        if next(numbers) in lost:
            raise AirflowNotFoundException("The conn_id `retell_default` isn't defined")
        return look_up(conn_id)

    monkeypatch.setattr(RetellHook, "get_connection", staticmethod(get_connection))
    return lost


@pytest.mark.parametrize("mode", ["poke", "deferrable"])
def test_a_connection_that_cannot_be_looked_up_for_a_while_is_lived_through(
    emulator: Emulator, runner: Runner, lost_look_ups: set[int], mode: str
) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing", progress=True)
    lost_look_ups |= {
        2,
        3,
    }  # of a sensor that defers, these are the worker's after the triggerer has seen the end
    assert runner.run(CallSensor, mode, call_id="call_1", max_poll_failures=2)["call_status"] == "ended"


@pytest.mark.parametrize("mode", MODES)
def test_a_connection_that_was_never_there_ends_the_wait_at_once(
    emulator: Emulator, runner: Runner, lost_look_ups: set[int], mode: str
) -> None:
    lost_look_ups |= set(range(1, 1000))
    with pytest.raises(AirflowNotFoundException):
        runner.run(CallSensor, mode, call_id="call_1")
    assert not emulator.requests


def test_without_a_memory_failures_are_lived_through_until_time_runs_out(
    emulator: Emulator, runner: Runner
) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing")
    emulator.faults.add(BROKEN, times=0)
    with pytest.raises(AirflowSensorTimeout):
        runner.run(CallSensor, "reschedule", call_id="call_1", max_poll_failures=1, timeout=0.5)
    assert emulator.count() > 3


def test_failures_are_counted_over_deferrals(emulator: Emulator, runner: Runner) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing")
    ended = Fault.status(200, body={"call_id": "call_1", "call_status": "ended"})
    for _ in range(3):  # whenever the triggerer has seen the end, the worker cannot look
        emulator.faults.add(BROKEN)
        emulator.faults.add(ended)
    with pytest.raises(RetellError, match="3 polls in a row failed"):
        runner.run(CallSensor, "deferrable", call_id="call_1", max_poll_failures=2)
    assert (runner.deferred, emulator.count()) == (2, 5)


@pytest.mark.parametrize("mode", MODES)
def test_throttling_beyond_retry_limits_is_no_failure(emulator: Emulator, runner: Runner, mode: str) -> None:
    emulator.add_call(call_id="call_1", call_status="ended")
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "200"}))
    start = time.monotonic()
    assert runner.run(CallSensor, mode, call_id="call_1", max_poll_failures=0)["call_status"] == "ended"
    assert time.monotonic() - start < 15


@pytest.mark.parametrize("most", [-1, True, "3", None])
def test_a_limit_that_is_none_fails_when_the_dag_is_read(most: Any) -> None:
    with pytest.raises(ValueError, match="max_poll_failures is a whole number, 0 or more"):
        CallSensor(task_id="wait", call_id="call_1", max_poll_failures=most)


def test_never_fail_means_never(emulator: Emulator, runner: Runner) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing")
    emulator.faults.add(Fault.status(500, headers={"x-should-retry": "false"}), times=0, after=1)
    with pytest.raises(AirflowSkipException):
        runner.run(CallSensor, "deferrable", call_id="call_1", max_poll_failures=0, never_fail=True)


def test_an_event_of_another_version_fails_for_good(emulator: Emulator) -> None:
    sensor = CallSensor(task_id="wait", call_id="call_1", deferrable=True)
    with pytest.raises(AirflowFailException, match="does not know"):
        sensor.resume_execution("execute_complete", {"event": {"status": "success"}}, {"ti": Ti()})
    assert emulator.count() == 0


@pytest.mark.parametrize("call_id", ["", "a/b", "+15550100200"])
@pytest.mark.parametrize("mode", MODES)
def test_a_bad_id_is_refused_before_anything_is_sent(
    emulator: Emulator, runner: Runner, mode: str, call_id: str
) -> None:
    with pytest.raises(AirflowFailException, match="call_id"):
        runner.run(CallSensor, mode, call_id=call_id)
    assert (emulator.count(), runner.ti.xcom) == (0, {})


@pytest.mark.parametrize("mode", MODES)
def test_an_id_of_digits_survives_native_rendering(emulator: Emulator, runner: Runner, mode: str) -> None:
    emulator.add_call(call_id="12345", call_status="ongoing", progress=True)
    assert runner.run(CallSensor, mode, call_id=12345)["call_id"] == "12345"


@pytest.mark.parametrize("mode", MODES)
def test_no_time_at_all_is_one_look(emulator: Emulator, runner: Runner, mode: str) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing")
    with pytest.raises(AirflowSensorTimeout, match=r"[Tt]imed out"):
        runner.run(CallSensor, mode, call_id="call_1", timeout=0.0)
    assert (runner.deferred, emulator.count()) == (0, 1)


def test_a_wrong_choice_fails_when_the_dag_is_read() -> None:
    with pytest.raises(ValueError, match="until is"):
        CallSensor(task_id="wait", call_id="call_1", until="over")  # type: ignore[arg-type]


def test_the_connections_are_closed(emulator: Emulator) -> None:
    emulator.add_call(call_id="call_1")
    sensor = CallSensor(task_id="wait", call_id="call_1", deferrable=False)
    sensor.execute({"ti": Ti()})
    assert "_session" not in sensor.hook.__dict__


def test_airflows_own_limit_is_later_than_the_triggers(emulator: Emulator, runner: Runner) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing", progress=True)
    runner.run(CallSensor, "deferrable", call_id="call_1", timeout=timedelta(seconds=40), poke_interval=0.1)
    assert runner.backstop is not None
    assert timedelta(seconds=330) < runner.backstop <= timedelta(seconds=340)


def test_airflows_default_says_whether_to_defer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not CallSensor(task_id="wait", call_id="call_1").deferrable
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "True")
    assert CallSensor(task_id="wait", call_id="call_1").deferrable
    assert not CallSensor(task_id="wait", call_id="call_1", deferrable=False).deferrable


# -- the batch


@pytest.mark.parametrize("mode", MODES)
def test_a_batch_is_waited_for(emulator: Emulator, runner: Runner, mode: str) -> None:
    for number in range(3):
        emulator.add_call(
            call_id=f"call_{number}",
            call_status="ongoing",
            batch_call_id="batch_1",
            progress=True,
            start_timestamp=emulator.clock.now_ms() - number * 1000,
        )
    result = runner.run(BatchCallSensor, mode, batch_call_id="batch_1", total="3", poke_interval=0.2)
    assert result == {"batch_call_id": "batch_1", "ended": 3}
    assert {call["call_status"] for call in emulator.calls.values()} == {"ended"}
    assert (runner.deferred, runner.rescheduled > 0) == (int(mode == "deferrable"), mode == "reschedule")


@pytest.mark.parametrize("total", ["", "None", "three", None])
@pytest.mark.parametrize("mode", MODES)
def test_a_size_that_is_none_is_refused(emulator: Emulator, runner: Runner, mode: str, total: Any) -> None:
    with pytest.raises(AirflowFailException, match="total must be a whole number"):
        runner.run(BatchCallSensor, mode, batch_call_id="batch_1", total=total)
    assert emulator.count() == 0


@pytest.mark.parametrize("total", [0, "0", -1])
@pytest.mark.parametrize("mode", MODES)
def test_a_batch_without_calls_is_no_batch_that_has_ended(
    emulator: Emulator, runner: Runner, mode: str, total: Any
) -> None:
    with pytest.raises(AirflowFailException, match="total must be 1 or more"):
        runner.run(BatchCallSensor, mode, batch_call_id="batch_1", total=total)
    assert emulator.count() == 0


# -- room


@pytest.mark.parametrize("mode", MODES)
def test_room_is_waited_for(emulator: Emulator, runner: Runner, mode: str) -> None:
    emulator.organization.concurrency = 2
    for number in range(2):
        emulator.add_call(call_id=f"call_{number}", call_status="ongoing", progress=True)
    assert runner.run(ConcurrencySensor, mode, calls="2") == {"room": 2}
    assert (runner.deferred, runner.rescheduled > 0) == (int(mode == "deferrable"), mode == "reschedule")


@pytest.mark.parametrize("mode", MODES)
def test_room_that_there_can_never_be_is_not_waited_for(
    emulator: Emulator, runner: Runner, mode: str
) -> None:
    emulator.organization.concurrency = 20
    with pytest.raises(AirflowFailException, match=r"21 calls.*20"):
        runner.run(ConcurrencySensor, mode, calls=21)
    assert (runner.deferred, emulator.count()) == (0, 1)


def test_room_that_can_never_be_any_more_ends_the_wait(emulator: Emulator, runner: Runner) -> None:
    """What is reserved for inbound calls is no room for others."""
    none = {"current_concurrency": 3, "concurrency_limit": 3}
    emulator.faults.add(Fault.status(200, body=none))
    emulator.faults.add(Fault.status(200, body={**none, "reserved_inbound_concurrency": 2}))
    with pytest.raises(AirflowFailException, match=r"Stopped waiting.*2 calls.*1"):
        runner.run(ConcurrencySensor, "deferrable", calls=2)
    assert (runner.deferred, emulator.count()) == (1, 2)


@pytest.mark.parametrize("arguments", [{"deferrable": "False"}])
def test_flags_are_no_text(arguments: Any) -> None:
    with pytest.raises(ValueError, match="deferrable is True or False"):
        CallSensor(task_id="wait", call_id="call_1", **arguments)


def test_room_that_is_gone_when_the_worker_looks_is_waited_for_again(
    emulator: Emulator, runner: Runner
) -> None:
    room = {"current_concurrency": 0, "concurrency_limit": 1}
    none = {"current_concurrency": 1, "concurrency_limit": 1}
    for answer in (none, room, none, room, room):
        emulator.faults.add(Fault.status(200, body=answer))
    assert runner.run(ConcurrencySensor, "deferrable") == {"room": 1}
    assert (runner.deferred, emulator.count()) == (2, 5)


def test_waiting_again_does_not_move_the_deadline(emulator: Emulator, runner: Runner) -> None:
    room = {"current_concurrency": 0, "concurrency_limit": 1}
    none = {"current_concurrency": 1, "concurrency_limit": 1}
    for _ in range(1000):
        for answer in (none, room):
            emulator.faults.add(Fault.status(200, body=answer))
    start = time.monotonic()
    with pytest.raises(AirflowSensorTimeout):
        runner.run(ConcurrencySensor, "deferrable", timeout=0.5, poke_interval=0.1)
    assert 0.5 <= time.monotonic() - start < 3
    assert runner.deferred > 2
