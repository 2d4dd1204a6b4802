"""Whole runs in a real Airflow: its database, its task runner, its log files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from airflow_provider_retell.emulator import Emulator, Fault
from sandbox import ROOT, airflow, connection, environment

pytestmark = pytest.mark.slow

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


@pytest.fixture
def private_run(tmp_path: Path) -> tuple[Emulator, str, Path]:
    """A run of ``tests/dags/private_facts.py``; what it printed, and the folder with everything else it left."""
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
        env = environment(tmp_path) | {
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "tests/dags"),
            "AIRFLOW_CONN_RETELL_DEFAULT": connection(emulator.url, "key_very_private"),
            "PRIVATE_NOTE": NOTE,
            "PRIVATE_PHONE": PHONE,
        }
        subprocess.run(airflow("db", "migrate"), env=env, capture_output=True, check=True, timeout=120)
        run = subprocess.run(
            airflow("dags", "test", "private_facts", "2026-11-21"),
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        yield emulator, run.stdout, tmp_path


def test_a_run_leaves_nothing_private_behind(private_run: tuple[Emulator, str, Path]) -> None:
    emulator, printed, home = private_run
    updates = [request for request in emulator.requests if request.route == "update-call"]
    assert {request.call_id for request in updates} == set(emulator.calls)  # the tasks did run
    assert emulator.calls["call_1"]["metadata"]["note"] == NOTE
    assert all(word in printed for word in ("bad_id", "bad_text", "bad_key", "does not hold what was sent"))
    assert "attempt 1, next in" in printed  # the dropped connection was retried
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
    left = {"what was printed": printed.encode()}
    left |= {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert any(name.endswith(".db") for name in left)
    leaks = [
        (secret, name) for secret in private for name, content in left.items() if secret.encode() in content
    ]
    assert not leaks
