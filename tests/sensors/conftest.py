"""Sensors against an emulator."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import airflow
import pytest
from lookups import failing_lookups
from sensor_runs import SensorRun
from tasks import connect

from airflow_provider_retell.emulator import Clock, Emulator, Lifecycle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_mock import MockerFixture

__all__ = ["emulator", "failing_lookups", "sensor_run"]


@pytest.fixture
def sensor_run(mocker: MockerFixture) -> SensorRun:
    run = SensorRun()
    if airflow.__version__.startswith("2."):  # it asks the database
        mocker.patch("airflow.sensors.base._orig_start_date", return_value=run.ti.started)
    return run


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator whose clock advances by 10 s with each request.

    A call ends with the third request, and has an analysis with the fourth. Calls to +14155550199 are transferred at
    their end.
    """
    lifecycle = Lifecycle(talk=30, analyze=10)
    options: Any = {"lifecycle": lifecycle, "outcomes": {"+14155550199": "call_transfer"}}
    with Emulator(quotas=None, clock=Clock(frozen=True), **options) as emulator:
        connect(monkeypatch, emulator, quota="9999/1")
        done = threading.Event()
        advancing = threading.Thread(target=advance_with_requests, args=(emulator, done))
        advancing.start()
        yield emulator
        done.set()
        advancing.join()


def advance_with_requests(emulator: Emulator, done: threading.Event) -> None:
    seen = 0
    while not done.wait(0.001):
        while seen < emulator.count():
            seen += 1
            emulator.clock.advance(10)
