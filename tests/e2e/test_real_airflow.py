"""Whole runs in a real Airflow: its database, its task runner, its log files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from real_airflow import AirflowHome

from airflow_provider_retell.emulator import Emulator, Fault
from sandbox import ROOT

pytestmark = pytest.mark.system

NOTE = "zebra-umbrella-note"
PHONE = "+15550109876"


@pytest.mark.example
def test_the_demo_runs_the_example_and_proves_it() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/demo.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "gold customer at risk" in done.stdout
    assert "row 4  call_5d2e04  not_found  the API key's organization has no such call" in done.stdout
    assert "The second run sent no update" in done.stdout


@pytest.fixture
def private_run(tmp_path: Path) -> tuple[Emulator, str, AirflowHome]:
    """A run of ``tests/dags/private_facts.py``: the emulator, the output and the home with all files."""
    with Emulator(api_key="key_very_private") as emulator:
        for name in ("1", "quoted", "mismatch", "html", "dropped"):
            emulator.add_call(call_id=f"call_{name}", call_type="web_call", call_status="ended")
        quote = {
            "status": "error",
            "message": f"'{NOTE}' at https://api.example/x?key=key_very_private {PHONE} is bad",
        }
        emulator.faults.add(Fault.status(400, body=quote), route="update-call", call_id="call_quoted")
        other = {**emulator.calls["call_mismatch"], "metadata": {"note": f"{NOTE}2"}}
        emulator.faults.add(Fault.status(200, body=other), route="update-call", call_id="call_mismatch")
        emulator.faults.add(Fault.garbage(), route="update-call", call_id="call_html")
        emulator.faults.add(Fault.drop(), route="update-call", call_id="call_dropped")
        home = AirflowHome(tmp_path, ROOT / "tests/dags", PRIVATE_NOTE=NOTE, PRIVATE_PHONE=PHONE)
        home.connect(emulator)
        yield emulator, home.test("private_facts"), home


def test_a_run_leaves_nothing_private_behind(private_run: tuple[Emulator, str, AirflowHome]) -> None:
    emulator, printed, home = private_run
    updates = [request for request in emulator.requests if request.route == "update-call"]
    assert {request.call_id for request in updates} == set(emulator.calls)  # the tasks did run
    assert emulator.calls["call_1"]["metadata"]["note"] == NOTE
    assert all(
        word in printed
        for word in ("bad_id", "bad_text", "bad_key", "fields of the call differ from the values sent")
    )
    assert "in attempt 1, next attempt in" in printed  # the dropped connection was retried
    call = emulator.calls["call_1"]
    private = {
        "key_very_private",
        NOTE,
        PHONE,
        call["access_token"],
        call["recording_url"],
        call["public_log_url"],
    }
    private |= {call["transcript"][:40], call["call_analysis"]["call_summary"][:40]}
    assert home.leaks(printed, *private) == []
