"""The examples of events and alerts, read by the Airflow that runs the tests."""

from __future__ import annotations

import runpy
from importlib.metadata import version
from pathlib import Path

import pytest

pytestmark = [pytest.mark.system, pytest.mark.example]

EXAMPLES = Path(__file__).parents[2] / "example_dags"
OLD = version("apache-airflow").startswith("2.")


@pytest.mark.skipif(not OLD, reason="Airflow 3 has asset watchers")
def test_call_events_does_no_harm_in_airflow_2() -> None:
    names = runpy.run_path(str(EXAMPLES / "call_events.py"))
    assert not [value for value in names.values() if type(value).__name__ == "DAG"]


@pytest.mark.skipif(OLD, reason="needs Airflow 3")
def test_call_events_watches_its_asset() -> None:
    from airflow_provider_retell.triggers.call_event import CallEventTrigger

    (watcher,) = runpy.run_path(str(EXAMPLES / "call_events.py"))["ended_calls"].watchers
    assert isinstance(watcher.trigger, CallEventTrigger)


def test_phone_alert_is_told_of_each_failure() -> None:
    names = runpy.run_path(str(EXAMPLES / "phone_alert.py"))
    notifier = names["call_on_duty"]
    assert notifier.max_calls_per_run == 1
    assert notifier.to_number == "{{ var.value.alert_to }}"
