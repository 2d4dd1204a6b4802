"""The examples of bulk updates, and what a bulk update leaves behind, in a real Airflow."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from pathlib import Path

import pytest

from airflow_provider_retell.emulator import Emulator
from sandbox import AIRFLOW_VERSION, ROOT, airflow, connection, environment, sqlite_connection

pytestmark = pytest.mark.slow

pytest.importorskip("airflow.providers.sqlite")

NOTE = "zebra-umbrella-note"
DAY = "2026-11-21"


def run_dag(dag_id: str, env: dict[str, str]) -> str:
    subprocess.run(airflow("db", "migrate"), env=env, cwd=ROOT, capture_output=True, check=True, timeout=120)
    if AIRFLOW_VERSION.startswith(("2.", "3.0.")):  # later ones register the outlets of a DAG that is tested
        subprocess.run(
            airflow("dags", "reserialize"), env=env, cwd=ROOT, capture_output=True, check=True, timeout=120
        )
    command = airflow("dags", "test", dag_id, DAY)
    done = subprocess.run(
        command, env=env, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    return done.stdout + done.stderr


@pytest.mark.example
def test_many_workspaces_updates_each_organization_by_its_own_key(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "warehouse.db", isolation_level=None)
    database.execute("create table client_calls (call_id text, organization text, tier text)")
    with Emulator() as emulator:
        env = environment(tmp_path) | {"AIRFLOW_CONN_WAREHOUSE": sqlite_connection(tmp_path / "warehouse.db")}
        organizations = {name: emulator.add_organization(name) for name in ("acme", "globex")}
        for name, organization in organizations.items():
            for number in range(3):
                organization.add_call(call_id=f"{name}_{number}", call_status="ended")
                facts = (f"{name}_{number}", f"retell_{name}", f"tier of {name}")
                database.execute("insert into client_calls values (?, ?, ?)", facts)
            env[f"AIRFLOW_CONN_RETELL_{name.upper()}"] = connection(emulator.url, organization.api_key)
        printed = run_dag("many_workspaces", env)
        for name, organization in organizations.items():
            assert [call["metadata"] for call in organization.calls.values()] == [
                {"tier": f"tier of {name}"}
            ] * 3, printed
            assert emulator.count("update-call", organization=name) == 3
            assert emulator.count("list-calls", organization=name) == 1


@pytest.fixture
def private_run(tmp_path: Path) -> tuple[Emulator, str, Path]:
    """A run of ``tests/dags/bulk_private_facts.py``: what it printed, and the folder with all else that it left."""
    with Emulator(quotas=None) as emulator:
        for name in ("a", "b", "strict"):
            emulator.add_call(
                call_id=f"call_{name}", call_status="ended", metadata={"before": NOTE + "-before"}
            )
        env = environment(tmp_path) | {
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "tests/dags"),
            "AIRFLOW_CONN_RETELL_DEFAULT": connection(emulator.url, "key_emulator"),
            "PRIVATE_NOTE": NOTE,
            "REPORTS": str(tmp_path),
        }
        yield emulator, run_dag("bulk_private_facts", env), tmp_path


def test_a_bulk_update_leaves_nothing_private_behind(private_run: tuple[Emulator, str, Path]) -> None:
    emulator, printed, home = private_run
    assert emulator.calls["call_a"]["metadata"] == {"before": NOTE + "-before", "note": NOTE}, printed
    outcomes = {
        name: sorted(
            json.loads(line)["outcome"] for line in (home / f"{name}.jsonl").read_text().splitlines()
        )
        for name in ("report", "mapped_0", "bad")
    }
    assert outcomes == {
        "report": ["updated", "updated"],
        "mapped_0": ["unchanged", "unchanged"],
        "bad": ["invalid", "unchanged", "unchanged"],
    }
    left = {"what was printed": printed.encode()}
    left |= {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    leaks = [name for name, content in left.items() if NOTE.encode() in content]
    assert not leaks
    database = sqlite3.connect(home / "airflow.db")
    shown = str(database.execute("select rendered_fields from rendered_task_instance_fields").fetchall())
    assert "rows of rows()" in shown
    tables = {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}
    events = database.execute(
        f"select extra from {'asset_event' if 'asset_event' in tables else 'dataset_event'}"
    ).fetchall()
    (extra,) = [json.loads(extra) for (extra,) in events]
    assert (extra["rows"], extra["updated"], extra["report"]) == (2, 2, str(home / "report.jsonl"))
