"""Sensors against an emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import airflow
import pytest
from sensor_runs import SensorRun
from tasks import connect

from airflow_provider_retell.emulator import Clock, Emulator, Lifecycle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_mock import MockerFixture


@pytest.fixture
def sensor_run(mocker: MockerFixture) -> SensorRun:
    run = SensorRun()
    if airflow.__version__.startswith("2."):  # it asks the database
        mocker.patch("airflow.sensors.base._orig_start_date", return_value=run.ti.started)
    return run


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator in which a second takes 10 ms. A call lasts 30 s, and its analysis takes 10 s more."""
    with Emulator(quotas=None, clock=Clock(speed=100), lifecycle=Lifecycle(talk=30, analyze=10)) as emulator:
        connect(monkeypatch, emulator, quota="9999/1")
        yield emulator
