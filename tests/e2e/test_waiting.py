"""Waits in a real Airflow: its database, its task runner, its log files. The triggerer's part is in tests/system."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from real_airflow import AirflowHome

from airflow_provider_retell.emulator import Clock, Emulator, Lifecycle
from sandbox import ROOT, airflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.system

NOTE = "quokka-parasol-note"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Calls talk for a minute and are analyzed half a minute later, which takes three seconds here.

    The clock is frozen until the first poll, so that the task has to wait.
    """
    with Emulator(
        quotas=None, clock=Clock(speed=30, frozen=True), lifecycle=Lifecycle(talk=60, analyze=30)
    ) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> AirflowHome:
    return AirflowHome(tmp_path_factory.mktemp("airflow"), ROOT, speed=30, PRIVATE_NOTE=NOTE)


@pytest.fixture
def run(home: AirflowHome, emulator: Emulator) -> Callable[[str, Path], str]:
    """Run a DAG with ``airflow dags test`` and return its output."""

    def go(dag_id: str, folder: Path) -> str:
        home.env["AIRFLOW__CORE__DAGS_FOLDER"] = str(folder)
        home.connect(emulator)
        with (home.folder / "printed").open("wb") as printed:
            process = subprocess.Popen(
                airflow("dags", "test", dag_id, "2026-11-21"),
                env=home.env,
                stdout=printed,
                stderr=subprocess.STDOUT,
            )
            try:
                while process.poll() is None and emulator.count() == 0:
                    pass_time(process)
                emulator.clock.resume()
                process.wait(180)
            finally:
                process.kill()
                process.wait()
        text = (home.folder / "printed").read_text(errors="replace")
        assert states(home, dag_id) == {"success"}, text[-8000:]
        return text

    return go


def pass_time(process: subprocess.Popen[Any]) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(0.05)


def states(home: AirflowHome, dag_id: str) -> set[str]:
    return {state for (state,) in home.query("select state from task_instance where dag_id = ?", dag_id)}


@pytest.mark.example
def test_the_example_waits_and_then_updates(run: Any, emulator: Emulator) -> None:
    emulator.add_call(
        call_id="call_5d2e01", call_status="ongoing", progress=True, metadata={"customer": "C-1001"}
    )
    run("wait_then_update", ROOT / "example_dags")
    call = emulator.calls["call_5d2e01"]
    assert call["metadata"] == {
        "customer": "C-1001",
        "tier": "gold",
        "churn_risk": 0.07,
        "churn_risk_at_end_of_call": 0.07,
    }
    assert "call_analysis" in call
    updates = [request for request in emulator.requests if request.route == "update-call"]
    assert [request.status for request in updates] == [200, 200]  # nothing was sent before the end


def test_mapped_tasks_wait_and_leave_nothing_private_behind(
    run: Any, emulator: Emulator, home: AirflowHome
) -> None:
    for call_id in ("call_1", "call_2"):
        emulator.add_call(
            call_id=call_id,
            call_status="ongoing",
            progress=True,
            metadata={"kept": 1},
            batch_call_id="batch_1",
        )
    run("mapped_waits", ROOT / "tests/e2e/dags")
    for call_id in ("call_1", "call_2"):
        assert emulator.calls[call_id]["metadata"] == {"kept": 1, "note": NOTE, "id": call_id}
    assert emulator.count("update-call") == emulator.count("update-call", status=200) == 2
    call = emulator.calls["call_1"]
    private = {NOTE, emulator.api_key, call["from_number"], call["to_number"], call["recording_url"]}
    assert home.leaks("", *private) == []
