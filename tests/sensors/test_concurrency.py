"""ConcurrencySensor, in each of Airflow's ways to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sensor_runs import MODES

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.emulator import Fault
from airflow_provider_retell.sensors.concurrency import ConcurrencySensor

if TYPE_CHECKING:
    from sensor_runs import SensorRun

    from airflow_provider_retell.emulator import Emulator


@pytest.mark.parametrize("mode", MODES)
def test_sensor_waits_until_enough_calls_have_ended(
    emulator: Emulator, sensor_run: SensorRun, mode: str
) -> None:
    emulator.organization.concurrency = 2
    for number in range(2):
        emulator.add_call(call_id=f"call_{number}", call_status="ongoing", progress=True)
    assert sensor_run.run(ConcurrencySensor, mode, calls="2") == {"available": 2}
    assert sensor_run.waited_in(mode)


@pytest.mark.parametrize("mode", MODES)
def test_more_calls_than_the_organization_can_have_fail_at_once(
    emulator: Emulator, sensor_run: SensorRun, mode: str
) -> None:
    emulator.organization.concurrency = 20
    with pytest.raises(AirflowFailException, match=r"21 calls.*20"):
        sensor_run.run(ConcurrencySensor, mode, calls=21)
    assert (sensor_run.deferred, emulator.count()) == (0, 1)


def test_limit_that_is_lowered_during_the_wait_ends_it(emulator: Emulator, sensor_run: SensorRun) -> None:
    """Concurrency that is reserved for inbound calls is not available for outbound calls."""
    busy = {"current_concurrency": 3, "concurrency_limit": 3}
    emulator.faults.add(Fault.status(200, body=busy))
    emulator.faults.add(Fault.status(200, body={**busy, "reserved_inbound_concurrency": 2}))
    with pytest.raises(AirflowFailException, match=r"Stopped waiting.*2 calls.*1"):
        sensor_run.run(ConcurrencySensor, "deferrable", calls=2)
    assert (sensor_run.deferred, emulator.count()) == (1, 2)


@pytest.mark.parametrize("mode", MODES)
def test_text_that_is_not_a_number_fails_before_any_request(
    emulator: Emulator, sensor_run: SensorRun, mode: str
) -> None:
    with pytest.raises(AirflowFailException, match="calls must be a whole number"):
        sensor_run.run(ConcurrencySensor, mode, calls="many")
    assert emulator.count() == 0


def test_negative_number_fails_when_the_dag_is_read() -> None:
    with pytest.raises(ValueError, match="^calls must be a whole number of at least 0, not -1$"):
        ConcurrencySensor(task_id="wait", calls=-1)
