"""CallSensor and BatchCallSensor, in each of Airflow's ways to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sensor_runs import MODES

from airflow_provider_retell._compat import AirflowFailException, AirflowSensorTimeout
from airflow_provider_retell.links.retell import XCOM_KEY
from airflow_provider_retell.sensors.call import BatchCallSensor, CallSensor

if TYPE_CHECKING:
    from sensor_runs import SensorRun

    from airflow_provider_retell.emulator import Emulator

PRIVATE = (
    "transcript",
    "recording_url",
    "from_number",
    "to_number",
    "access_token",
    "call_analysis",
    "metadata",
)


@pytest.mark.parametrize("mode", MODES)
class TestCall:
    @pytest.mark.parametrize("until", ["ended", "analyzed"])
    def test_sensor_waits_and_returns_the_slim_form(
        self, emulator: Emulator, sensor_run: SensorRun, mode: str, until: Any
    ) -> None:
        emulator.add_call(call_id="call_1", call_status="ongoing", progress=True, metadata={"plan": "pro"})
        result = sensor_run.run(CallSensor, mode, call_id="call_1", until=until)
        call = emulator.calls["call_1"]
        assert (result["call_id"], result["call_status"]) == ("call_1", "ended")
        assert result["metadata_keys"] == ["plan"]
        assert result["disconnection_reason"] == call["disconnection_reason"]
        assert not set(result) & {*PRIVATE, "analysis"}
        cost = call["call_cost"]
        assert result["call_cost"] == {
            "cents": cost["combined_cost"],
            "seconds": cost["total_duration_seconds"],
        }
        assert until == "ended" or "call_analysis" in call
        assert sensor_run.ti.xcom == {XCOM_KEY: "call_1"}
        assert (sensor_run.deferred, sensor_run.rescheduled > 0) == (
            int(mode == "deferrable"),
            mode == "reschedule",
        )
        assert emulator.count("get-call") >= 2

    def test_result_has_the_requested_fields_of_the_analysis(
        self, emulator: Emulator, sensor_run: SensorRun, mode: str
    ) -> None:
        emulator.add_call(call_id="call_1", call_status="ongoing", progress=True)
        arguments = {"until": "analyzed", "analysis_fields": ["score", "in_voicemail"]}
        result = sensor_run.run(CallSensor, mode, call_id="call_1", **arguments)
        assert result["analysis"] == {"score": 0.9, "in_voicemail": False}
        if sensor_run.event is not None:
            assert "analysis" not in sensor_run.event

    def test_sensor_waits_for_the_end_of_a_transfer(
        self, emulator: Emulator, sensor_run: SensorRun, mode: str
    ) -> None:
        emulator.add_call(call_id="call_1", call_status="ongoing", progress=True, to_number="+14155550199")
        result = sensor_run.run(CallSensor, mode, call_id="call_1", until="transfer_ended")
        assert result["disconnection_reason"] == "call_transfer"
        assert result["transfer_end_timestamp"] == result["end_timestamp"] + 60_000
        assert "call_analysis" in emulator.calls["call_1"]  # it came first

    def test_ended_call_takes_one_poll(self, emulator: Emulator, sensor_run: SensorRun, mode: str) -> None:
        emulator.add_call(call_id="call_1")
        result = sensor_run.run(CallSensor, mode, call_id="call_1", until="analyzed")
        assert result["call_id"] == "call_1"
        assert (sensor_run.deferred, sensor_run.rescheduled, emulator.count()) == (0, 0, 1)

    def test_unknown_status_does_not_end_the_wait(
        self, emulator: Emulator, sensor_run: SensorRun, mode: str
    ) -> None:
        emulator.add_call(call_id="call_1", call_status="ongoing")
        emulator.calls["call_1"]["call_status"] = "on_hold"
        with pytest.raises(AirflowSensorTimeout):
            sensor_run.run(CallSensor, mode, call_id="call_1", timeout=0.4)
        assert emulator.count("get-call") >= 3

    @pytest.mark.parametrize("call_id", ["", "a/b", "+15550100200"])
    def test_invalid_id_fails_before_any_request(
        self, emulator: Emulator, sensor_run: SensorRun, mode: str, call_id: str
    ) -> None:
        with pytest.raises(AirflowFailException, match="call_id"):
            sensor_run.run(CallSensor, mode, call_id=call_id)
        assert (emulator.count(), sensor_run.ti.xcom) == (0, {})

    def test_id_of_digits_survives_native_rendering(
        self, emulator: Emulator, sensor_run: SensorRun, mode: str
    ) -> None:
        emulator.add_call(call_id="12345", call_status="ongoing", progress=True)
        assert sensor_run.run(CallSensor, mode, call_id=12345)["call_id"] == "12345"


def test_unknown_value_of_until_fails_when_the_dag_is_read() -> None:
    with pytest.raises(ValueError, match="^until must be 'ended', 'analyzed' or 'transfer_ended'"):
        CallSensor(task_id="wait", call_id="call_1", until="over")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="^until must be 'ended' or 'analyzed', not 'transfer_ended'"):
        BatchCallSensor(task_id="wait", batch_call_id="batch_1", total_task_count=1, until="transfer_ended")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"analysis_fields": "score"}, "analysis_fields must be a list of strings"),
        ({"analysis_fields": ["score", " "]}, "analysis_fields\\[1\\] must not be blank"),
        ({"analysis_fields": ["call_summary"]}, "must not contain call_summary"),
        ({"analysis_fields": ["score"], "until": "ended"}, "analysis_fields needs until='analyzed'"),
        ({"analysis_fields": ["score"], "until": "transfer_ended"}, "analysis_fields needs until='analyzed'"),
    ],
)
def test_invalid_analysis_fields_fail_when_the_dag_is_read(arguments: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        CallSensor(task_id="wait", call_id="call_1", **{"until": "analyzed", **arguments})


@pytest.mark.parametrize("mode", MODES)
class TestBatch:
    def test_sensor_waits_for_all_calls_of_the_batch(
        self, emulator: Emulator, sensor_run: SensorRun, mode: str
    ) -> None:
        for number in range(3):
            emulator.add_call(
                call_id=f"call_{number}",
                call_status="ongoing",
                batch_call_id="batch_1",
                progress=True,
                start_timestamp=emulator.clock.now_ms() - number * 1000,
            )
        arguments = {"batch_call_id": "batch_1", "total_task_count": "3"}
        assert sensor_run.run(BatchCallSensor, mode, **arguments) == {
            "batch_call_id": "batch_1",
            "ended": 3,
            "cost_cents": round(
                sum(call["call_cost"]["combined_cost"] for call in emulator.calls.values()), 4
            ),
            "calls_without_cost": 0,
        }
        assert {call["call_status"] for call in emulator.calls.values()} == {"ended"}
        assert (sensor_run.deferred, sensor_run.rescheduled > 0) == (
            int(mode == "deferrable"),
            mode == "reschedule",
        )

    def test_sensor_waits_for_the_analyses_of_the_batch(
        self, emulator: Emulator, sensor_run: SensorRun, mode: str
    ) -> None:
        # Never analyzed, because it is not in progress. It never connected, so it needs no analysis.
        emulator.add_call(call_status="not_connected", batch_call_id="batch_1", call_analysis=None)
        for number in range(2):
            emulator.add_call(
                call_status="ongoing",
                batch_call_id="batch_1",
                progress=True,
                start_timestamp=emulator.clock.now_ms() - number * 1000,
            )
        arguments = {"batch_call_id": "batch_1", "total_task_count": 3, "until": "analyzed"}
        result = sensor_run.run(BatchCallSensor, mode, **arguments)
        assert (result["ended"], result["analyzed"], result["calls_without_cost"]) == (3, 3, 1)
        assert sum("call_analysis" in call for call in emulator.calls.values()) == 2

    @pytest.mark.parametrize(
        ("total", "message"),
        [
            ("", "total_task_count rendered to an empty value"),
            ("None", "total_task_count rendered to an empty value"),
            (None, "total_task_count rendered to an empty value"),
            ("three", "total_task_count must be a whole number of at least 1"),
            ("0", "total_task_count must be a whole number of at least 1"),
            ("-1", "total_task_count must be a whole number of at least 1"),
        ],
    )
    def test_invalid_total_fails_before_any_request(
        self, emulator: Emulator, sensor_run: SensorRun, mode: str, total: Any, message: str
    ) -> None:
        with pytest.raises(AirflowFailException, match=message):
            sensor_run.run(BatchCallSensor, mode, batch_call_id="batch_1", total_task_count=total)
        assert emulator.count() == 0

    def test_timeout_of_an_unknown_batch_says_to_check_its_id(
        self, emulator: Emulator, sensor_run: SensorRun, mode: str
    ) -> None:
        with pytest.raises(AirflowSensorTimeout, match=r"0 of 2 calls ended\. .* Check batch_call_id"):
            sensor_run.run(BatchCallSensor, mode, batch_call_id="batch_9", total_task_count=2, timeout=0.1)

    def test_invalid_batch_id_fails_before_any_request(
        self, emulator: Emulator, sensor_run: SensorRun, mode: str
    ) -> None:
        with pytest.raises(AirflowFailException, match="batch_call_id"):
            sensor_run.run(BatchCallSensor, mode, batch_call_id="a/b", total_task_count=1)
        assert emulator.count() == 0


@pytest.mark.parametrize("total", [0, -1])
def test_total_below_1_fails_when_the_dag_is_read(total: int) -> None:
    with pytest.raises(ValueError, match="^total_task_count must be a whole number of at least 1, not "):
        BatchCallSensor(task_id="wait", batch_call_id="batch_1", total_task_count=total)
