"""RetellSensor: the ways to wait, the ends of a wait, failed polls and arguments, shown with CallSensor."""

from __future__ import annotations

import logging
import re
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from airflow.exceptions import AirflowException
from sensor_runs import MODES, SensorRun
from tasks import Ti

from airflow_provider_retell._compat import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
)
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.clock import clock, no_waiting
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.hooks.retell import RetellHook
from airflow_provider_retell.sensors.call import CallSensor
from airflow_provider_retell.sensors.concurrency import ConcurrencySensor

if TYPE_CHECKING:
    from pytest_mock import MockerFixture

# With this header, each poll is one attempt.
BROKEN = Fault.status(500, headers={"x-should-retry": "false"})
FREE = {"current_concurrency": 0, "concurrency_limit": 1}
BUSY = {"current_concurrency": 1, "concurrency_limit": 1}


@pytest.fixture
def call(emulator: Emulator) -> dict[str, Any]:
    """A call that does not end by itself."""
    emulator.add_call(call_id="call_1", call_status="ongoing")
    return emulator.calls["call_1"]


def status(value: str) -> Fault:
    return Fault.status(200, body={"call_id": "call_1", "call_status": value})


@pytest.mark.usefixtures("call")
class TestTimeout:
    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize(
        ("options", "outcome"),
        [({}, AirflowSensorTimeout), ({"soft_fail": True}, AirflowSkipException)],
        ids=["hard", "soft"],
    )
    def test_timeout_fails_the_task_or_skips_it(
        self, sensor_run: SensorRun, mode: str, options: dict[str, Any], outcome: type[Exception]
    ) -> None:
        with pytest.raises(outcome) as raised:
            sensor_run.run(CallSensor, mode, call_id="call_1", timeout=0.2, **options)
        assert 0.2 <= (datetime.now(timezone.utc) - sensor_run.ti.started).total_seconds() < 30
        assert type(raised.value) is outcome

    @pytest.mark.parametrize("mode", MODES)
    def test_message_has_the_time_the_call_and_the_last_state(self, sensor_run: SensorRun, mode: str) -> None:
        pattern = r"(duration of|after) \d+\.\d+ s.*call call_1 to end.*Last state: ongoing"
        with pytest.raises(AirflowSensorTimeout, match=pattern):
            sensor_run.run(CallSensor, mode, call_id="call_1", timeout=0.1)

    @pytest.mark.parametrize("mode", MODES)
    def test_timeout_of_0_polls_once(self, emulator: Emulator, sensor_run: SensorRun, mode: str) -> None:
        with pytest.raises(AirflowSensorTimeout, match=r"[Tt]imed out"):
            sensor_run.run(CallSensor, mode, call_id="call_1", timeout=0.0)
        assert (sensor_run.deferred, emulator.count()) == (0, 1)

    def test_deferred_wait_takes_no_real_time_on_a_fast_clock(
        self, emulator: Emulator, sensor_run: SensorRun
    ) -> None:
        began = time.monotonic()
        with no_waiting(), pytest.raises(AirflowSensorTimeout, match="after 1 h of waiting"):
            sensor_run.run(CallSensor, "deferrable", call_id="call_1", timeout=3600, poke_interval=300)
        assert time.monotonic() - began < 10
        assert 12 <= emulator.count() <= 16

    def test_airflows_own_limit_is_later_than_the_triggers(
        self, emulator: Emulator, sensor_run: SensorRun
    ) -> None:
        emulator.edit_call("call_1", progress=True)
        arguments = {"timeout": timedelta(seconds=40)}
        sensor_run.run(CallSensor, "deferrable", call_id="call_1", **arguments)
        assert sensor_run.timeout is not None
        assert timedelta(seconds=330) < sensor_run.timeout <= timedelta(seconds=340)


@pytest.mark.usefixtures("call")
class TestExecutionTimeout:
    @pytest.mark.parametrize("options", [{}, {"soft_fail": True}, {"never_fail": True}])
    def test_deferred_wait_ends_at_the_execution_timeout(
        self, sensor_run: SensorRun, options: dict[str, Any]
    ) -> None:
        arguments = {"timeout": 600, "poke_interval": 10, "execution_timeout": timedelta(seconds=60)}
        with no_waiting():
            started = clock().time()
            with pytest.raises(AirflowTaskTimeout, match=r"after 1 min of waiting.*execution_timeout"):
                sensor_run.run(CallSensor, "deferrable", call_id="call_1", **arguments, **options)
            assert 60 <= clock().time() - started < 65

    def test_timeout_that_comes_first_ends_the_wait(self, sensor_run: SensorRun) -> None:
        arguments = {"timeout": 60, "poke_interval": 10, "execution_timeout": timedelta(seconds=600)}
        with no_waiting(), pytest.raises(AirflowSensorTimeout, match="Timed out after 1 min of waiting"):
            sensor_run.run(CallSensor, "deferrable", call_id="call_1", **arguments)

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            ({"timeout": 3600}, AirflowSensorTimeout),
            ({"timeout": 36000, "execution_timeout": timedelta(hours=1)}, AirflowTaskTimeout),
        ],
        ids=["timeout", "execution_timeout"],
    )
    def test_another_deferral_moves_neither_deadline(
        self, emulator: Emulator, sensor_run: SensorRun, arguments: dict[str, Any], error: type[Exception]
    ) -> None:
        for _ in range(100):
            for response in (BUSY, FREE):
                emulator.faults.add(Fault.status(200, body=response))
        with no_waiting():
            started = clock().time()
            with pytest.raises(error, match="after 1 h of waiting"):
                sensor_run.run(ConcurrencySensor, "deferrable", poke_interval=300, **arguments)
            assert 3600 <= clock().time() - started < 3610
        assert sensor_run.deferred > 2


@pytest.mark.usefixtures("call")
class TestBackOff:
    def test_deferred_wait_backs_off_up_to_max_wait(self, emulator: Emulator, sensor_run: SensorRun) -> None:
        arguments = {"timeout": 3600, "poke_interval": 10, "exponential_backoff": True}
        with no_waiting(), pytest.raises(AirflowSensorTimeout):
            sensor_run.run(CallSensor, "deferrable", call_id="call_1", **arguments)
        assert emulator.count() < 15
        emulator.clear_requests()
        with no_waiting(), pytest.raises(AirflowSensorTimeout):
            sensor_run.run(CallSensor, "deferrable", call_id="call_1", max_wait=60, **arguments)
        assert 55 <= emulator.count() < 75


@pytest.mark.usefixtures("call")
class TestPermanentErrors:
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
    @pytest.mark.parametrize("polls", [1, 2], ids=["first poll", "later poll"])
    def test_permanent_error_ends_the_wait_at_once(
        self,
        emulator: Emulator,
        sensor_run: SensorRun,
        mode: str,
        options: dict[str, Any],
        outcome: type[Exception],
        polls: int,
    ) -> None:
        emulator.faults.add(Fault.status(401), times=0, after=polls - 1)
        with pytest.raises(outcome) as raised:
            sensor_run.run(CallSensor, mode, call_id="call_1", **options)
        assert type(raised.value) is outcome
        assert emulator.count() == polls

    def test_event_of_another_trigger_fails_the_task_for_good(self, emulator: Emulator) -> None:
        sensor = CallSensor(task_id="wait", call_id="call_1", deferrable=True)
        with pytest.raises(AirflowFailException, match="unknown status"):
            sensor.resume_execution("execute_complete", {"event": {"status": "success"}}, {"ti": Ti()})
        assert emulator.count() == 0


@pytest.mark.usefixtures("call")
class TestFailedPolls:
    @pytest.mark.parametrize("mode", ["poke", "deferrable"])
    def test_airflow_retries_the_task_after_too_many_failures(
        self, emulator: Emulator, sensor_run: SensorRun, mode: str
    ) -> None:
        emulator.faults.add(BROKEN, times=0, after=1)
        message = r"Stopped waiting for call call_1 to end.*3 polls in a row failed.* 500"
        with pytest.raises(RetellError, match=message) as raised:
            sensor_run.run(CallSensor, mode, call_id="call_1", max_poll_failures=2)
        assert not isinstance(raised.value, AirflowException)
        assert emulator.count() == 4

    @pytest.mark.parametrize("after", [0, 1])
    @pytest.mark.parametrize("mode", MODES)
    def test_first_failure_ends_the_wait_if_none_is_tolerated(
        self, emulator: Emulator, sensor_run: SensorRun, mode: str, after: int
    ) -> None:
        emulator.faults.add(BROKEN, times=0, after=after)
        with pytest.raises(RetellError, match=" 500"):
            sensor_run.run(CallSensor, mode, call_id="call_1", max_poll_failures=0)
        assert emulator.count() == after + 1

    @pytest.mark.parametrize("mode", MODES)
    def test_failures_up_to_the_limit_are_tolerated(
        self, emulator: Emulator, sensor_run: SensorRun, mode: str
    ) -> None:
        emulator.faults.add(BROKEN, times=2)
        emulator.faults.add(status("ongoing"))
        emulator.faults.add(BROKEN, times=2)
        emulator.faults.add(status("ended"), times=2)
        result = sensor_run.run(CallSensor, mode, call_id="call_1", max_poll_failures=2)
        assert result["call_status"] == "ended"
        statuses = [request.status for request in emulator.requests]
        assert statuses[:6] == [500, 500, 200, 500, 500, 200]

    def test_failures_end_a_rescheduled_wait_at_the_timeout(
        self, emulator: Emulator, sensor_run: SensorRun
    ) -> None:
        emulator.faults.add(BROKEN, times=0)
        with pytest.raises(AirflowSensorTimeout, match=r"Last state: unknown\. All polls failed: .* 500"):
            sensor_run.run(CallSensor, "reschedule", call_id="call_1", max_poll_failures=1, timeout=0.6)
        assert emulator.count() > 3

    def test_failures_are_counted_across_deferrals(self, emulator: Emulator, sensor_run: SensorRun) -> None:
        for _ in range(3):  # whenever the triggerer has seen the end, the worker's poll fails
            emulator.faults.add(BROKEN)
            emulator.faults.add(status("ended"))
        with pytest.raises(RetellError, match="3 polls in a row failed"):
            sensor_run.run(CallSensor, "deferrable", call_id="call_1", max_poll_failures=2)
        assert (sensor_run.deferred, emulator.count()) == (2, 5)

    @pytest.mark.parametrize("mode", MODES)
    def test_rate_limiting_does_not_count(
        self, emulator: Emulator, sensor_run: SensorRun, call: Any, mode: str
    ) -> None:
        call["call_status"] = "ended"
        emulator.faults.add(Fault.status(429, headers={"Retry-After": "200"}))
        began = time.monotonic()
        result = sensor_run.run(CallSensor, mode, call_id="call_1", max_poll_failures=0)
        assert result["call_status"] == "ended"
        assert time.monotonic() - began < 15

    def test_never_fail_skips_the_task(self, emulator: Emulator, sensor_run: SensorRun) -> None:
        emulator.faults.add(BROKEN, times=0, after=1)
        options = {"max_poll_failures": 0, "never_fail": True}
        with pytest.raises(AirflowSkipException):
            sensor_run.run(CallSensor, "deferrable", call_id="call_1", **options)

    @pytest.mark.parametrize("mode", ["poke", "deferrable"])
    def test_silent_fail_tolerates_any_number_of_failures(
        self, emulator: Emulator, sensor_run: SensorRun, call: Any, mode: str
    ) -> None:
        call["call_status"] = "ended"
        emulator.faults.add(BROKEN, times=5)
        options = {"max_poll_failures": 0, "silent_fail": True}
        assert sensor_run.run(CallSensor, mode, call_id="call_1", **options)["call_status"] == "ended"
        assert emulator.count() >= 6


class TestConnection:
    @pytest.mark.parametrize("mode", ["poke", "deferrable"])
    def test_failed_lookups_are_tolerated_after_the_first_poll(
        self, emulator: Emulator, sensor_run: SensorRun, failing_lookups: set[int], mode: str
    ) -> None:
        emulator.add_call(call_id="call_1", call_status="ongoing", progress=True)
        # If the sensor defers, these are the worker's lookups after the triggerer has seen the end.
        failing_lookups |= {2, 3}
        result = sensor_run.run(CallSensor, mode, call_id="call_1", max_poll_failures=2)
        assert result["call_status"] == "ended"

    @pytest.mark.parametrize("mode", MODES)
    def test_missing_connection_fails_the_task_for_good_at_the_first_poll(
        self, emulator: Emulator, sensor_run: SensorRun, failing_lookups: set[int], mode: str
    ) -> None:
        failing_lookups |= set(range(1, 1000))
        with pytest.raises(AirflowFailException, match=r"conn_id `retell_default` isn't defined\. Define it"):
            sensor_run.run(CallSensor, mode, call_id="call_1")
        assert not emulator.requests

    @pytest.mark.parametrize("mode", MODES)
    def test_never_fail_skips_the_task_if_the_connection_is_missing(
        self, sensor_run: SensorRun, failing_lookups: set[int], mode: str
    ) -> None:
        failing_lookups |= set(range(1, 1000))
        with pytest.raises(AirflowSkipException):
            sensor_run.run(CallSensor, mode, call_id="call_1", never_fail=True)

    @pytest.mark.parametrize("mode", ["poke", "deferrable"])
    def test_silent_fail_tolerates_a_connection_that_is_missing_at_first(
        self, sensor_run: SensorRun, failing_lookups: set[int], call: Any, mode: str
    ) -> None:
        call["call_status"] = "ended"
        failing_lookups |= {1}
        assert sensor_run.run(CallSensor, mode, call_id="call_1", silent_fail=True)["call_status"] == "ended"

    def test_http_connections_are_closed_after_each_poll(
        self, emulator: Emulator, sensor_run: SensorRun, mocker: MockerFixture
    ) -> None:
        emulator.add_call(call_id="call_1", call_status="ongoing", progress=True)
        hooks: list[RetellHook] = []
        close = RetellHook.close

        def note(hook: RetellHook) -> None:
            hooks.append(hook)
            close(hook)

        mocker.patch.object(RetellHook, "close", note)
        sensor_run.run(CallSensor, "poke", call_id="call_1")
        assert len(hooks) == emulator.count() > 1
        assert all("_session" not in hook.__dict__ for hook in hooks)


class TestResult:
    def test_condition_that_holds_no_longer_is_waited_for_again(
        self, emulator: Emulator, sensor_run: SensorRun
    ) -> None:
        for response in (BUSY, FREE, BUSY, FREE, FREE):
            emulator.faults.add(Fault.status(200, body=response))
        assert sensor_run.run(ConcurrencySensor, "deferrable") == {"available": 1}
        assert (sensor_run.deferred, emulator.count()) == (2, 5)

    def test_wait_continues_although_airflow_dags_test_passes_only_the_event(
        self, emulator: Emulator, sensor_run: SensorRun, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        sensor_run.by_event = True
        for response in (BUSY, FREE, BUSY, FREE, FREE):
            emulator.faults.add(Fault.status(200, body=response))
        assert sensor_run.run(ConcurrencySensor, "deferrable") == {"available": 1}
        assert sensor_run.deferred == 2
        finished = [line for line in caplog.messages if line.startswith("Finished waiting")]
        assert all(re.search(r" after [\d.]+ s: ", line) for line in finished), finished

    @pytest.mark.parametrize("mode", MODES)
    def test_log_has_the_start_the_states_and_the_end(
        self, emulator: Emulator, sensor_run: SensorRun, mode: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        emulator.add_call(call_id="call_1", call_status="ongoing", progress=True)
        sensor_run.run(CallSensor, mode, call_id="call_1")
        lines = [line for line in caplog.messages if "aiting for call call_1 to end" in line]
        assert ", for up to 20 s; polling every 0.02 s" in lines[0]
        assert "Waiting for call call_1 to end: ongoing" in lines
        assert lines[-1].startswith("Finished waiting for call call_1 to end after ")
        assert lines[-1].endswith(": ended, disconnection reason user_hangup, duration 30 s")


class TestArguments:
    @pytest.mark.parametrize("limit", [-1, True, "3", None])
    def test_invalid_limit_of_failures_fails_when_the_dag_is_read(self, limit: Any) -> None:
        with pytest.raises((ValueError, TypeError), match="^max_poll_failures must be "):
            CallSensor(task_id="wait", call_id="call_1", max_poll_failures=limit)

    def test_text_for_a_flag_fails_when_the_dag_is_read(self) -> None:
        arguments: Any = {"deferrable": "False"}
        with pytest.raises(TypeError, match="^deferrable must be True or False"):
            CallSensor(task_id="wait", call_id="call_1", **arguments)

    def test_airflows_default_decides_whether_to_defer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert not CallSensor(task_id="wait", call_id="call_1").deferrable
        monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "True")
        assert CallSensor(task_id="wait", call_id="call_1").deferrable
        assert not CallSensor(task_id="wait", call_id="call_1", deferrable=False).deferrable
