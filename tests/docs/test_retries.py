"""Every row of the table of failures in the guide to retries, played against the emulator."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tasks
from pages import ROOT

from airflow_provider_retell._compat import AirflowFailException, AirflowSensorTimeout
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Clock, Emulator, Fault
from airflow_provider_retell.operators import UpdateCallOperator
from airflow_provider_retell.sensors import CallSensor

Scenario = Callable[[Emulator, pytest.MonkeyPatch], Any]


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with Emulator(clock=Clock(frozen=True)) as emulator, no_waiting(emulator.clock.advance):
        tasks.connect(monkeypatch, emulator, timeout=0.2)
        emulator.add_call(call_id="call_1", call_status="ended")
        yield emulator


def update(**arguments: Any) -> Any:
    given = {"call_id": "call_1", "metadata": {"tier": "gold"}, "deferrable": False, **arguments}
    return tasks.run_try(UpdateCallOperator(task_id="a_task", **given))


def fault(kind: Fault) -> Scenario:
    def run(emulator: Emulator, _: Any) -> None:
        emulator.faults.add(kind, route="update-call", times=0)
        update()

    return run


def ongoing(emulator: Emulator, _: Any) -> None:
    emulator.calls["call_1"]["call_status"] = "ongoing"
    update(metadata_mode="replace")


def changed(emulator: Emulator, _: Any) -> None:
    call = {**emulator.calls["call_1"], "metadata": {"tier": "silver"}}
    emulator.faults.add(Fault.status(200, body=call), route="update-call")
    update()


def connection(**extra: Any) -> Scenario:
    def run(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        tasks.connect(monkeypatch, emulator.url, **extra)
        update()

    return run


def loosened(emulator: Emulator, _: Any) -> None:
    emulator.calls["call_1"]["data_storage_setting"] = "basic_attributes_only"
    update(metadata=None, data_storage_setting="everything")


def operators_wait(emulator: Emulator, _: Any) -> None:
    emulator.calls["call_1"]["call_status"] = "ongoing"
    update(wait_until="ended", wait_timeout=60)


def sensors_wait(emulator: Emulator, _: Any) -> None:
    emulator.calls["call_1"]["call_status"] = "ongoing"
    sensor = CallSensor(task_id="a_task", call_id="call_1", timeout=0, poke_interval=1, deferrable=False)
    tasks.run_try(sensor)


def mapped(_: Emulator, __: Any) -> None:
    operator = UpdateCallOperator(task_id="a_task", call_id="call_1", metadata={"a": 1})
    operator.__dict__["_mapped"] = None  # an Airflow that does not show the mapped values
    tasks.run_try(operator)


# The rows of the table, with the failures that each of them names.
ROWS: dict[str, list[Scenario]] = {
    "429": [fault(Fault.status(429)), fault(Fault.status(429, headers={"Retry-After": "1"}))],
    "5xx": [fault(Fault.status(status)) for status in (500, 502, 503, 504)],
    "connection lost, timeout, response truncated": [
        fault(kind) for kind in (Fault.drop(), Fault.drop_after(), Fault.hang(), Fault.truncate())
    ],
    "408, 409, 425": [fault(Fault.status(status)) for status in (408, 409, 425)],
    "400, 401, 402, 403, 404, 422": [
        *(fault(Fault.status(status)) for status in (400, 401, 402, 403, 404, 422)),
        *(fault(Fault.status(status, body="<html>")) for status in (400, 401, 402, 404, 422)),
    ],
    "status 200 with a response that is not JSON or larger than 128 MB, 403 with a response that is not JSON": [
        fault(Fault.garbage()),
        fault(Fault.status(403, body="<html>")),
    ],
    (
        "invalid input, a connection that is not defined or not usable, a storage setting that would be loosened"
    ): [
        lambda *_: update(metadata={"n": float("nan")}),
        lambda *_: update(call_id="a/b"),
        lambda *_: update(retell_conn_id="not_defined"),
        connection(api_key=""),
        connection(timeout=-1),
        loosened,
    ],
    "the call is still ongoing": [ongoing],
    "the call does not match the update": [changed],
    "an operator's wait timed out": [operators_wait],
    "a sensor's wait timed out": [sensors_wait],
    "a template that cannot be rendered": [lambda *_: update(metadata={"a": "{{ missing }}"})],
    "a template in a key, or a mapped task whose values Airflow cannot tell from templates": [
        lambda *_: update(metadata={"{{ params.key }}": "gold"}),
        mapped,
    ],
}


def table() -> dict[str, tuple[str, str]]:
    """Return the columns of each failure: "request repeated" and "then the task"."""
    text = (ROOT / "docs/retries.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\|(.*)\|(.*)\|(.*)\|$", text.partition("| failure |")[2].partition("\n\n")[0], re.MULTILINE
    )
    return {row[0].strip(): (row[1].strip(), row[2].strip()) for row in rows if set(row[0]) != {"-"}}


def test_every_row_is_tested() -> None:
    assert {name: None for name in table() if name != "request repeated"}.keys() == ROWS.keys()


@pytest.mark.parametrize(
    ("name", "scenario"),
    [(name, scenario) for name, scenarios in ROWS.items() for scenario in scenarios],
)
def test_a_failure_ends_as_the_table_says(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, name: str, scenario: Scenario
) -> None:
    repeated, task = table()[name]
    with pytest.raises((AirflowFailException, AirflowSensorTimeout, RetellError)) as error:
        scenario(emulator, monkeypatch)
    for_good = isinstance(error.value, (AirflowFailException, AirflowSensorTimeout))
    assert for_good == task.startswith("fails without retries")
    assert for_good != task.startswith("is retried")
    updates = emulator.count("update-call")
    assert updates == {"yes": max(updates, 2), "no": 1, "not sent": 0, "": 0}[repeated]
