"""The examples of bulk updates in a real Airflow, and the traces of private values after a run."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from real_airflow import AirflowHome

from airflow_provider_retell.emulator import Emulator
from sandbox import AIRFLOW_VERSION, ROOT, airflow, connection, sqlite_connection

pytestmark = pytest.mark.system

pytest.importorskip("airflow.providers.sqlite")

NOTE = "zebra-umbrella-note"


def run_dag(dag_id: str, home: AirflowHome) -> str:
    if AIRFLOW_VERSION.startswith(
        ("2.", "3.0.")
    ):  # later versions register a DAG's outlets when it is tested
        home.run(airflow("dags", "reserialize"))
    return home.test(dag_id)


@pytest.mark.example
def test_many_workspaces_updates_each_organization_by_its_own_key(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "warehouse.db", isolation_level=None)
    database.execute("create table client_calls (call_id text, organization text, tier text)")
    with Emulator() as emulator:
        warehouse = sqlite_connection(tmp_path / "warehouse.db")
        home = AirflowHome(tmp_path, ROOT / "example_dags", AIRFLOW_CONN_WAREHOUSE=warehouse)
        organizations = {name: emulator.add_organization(name) for name in ("acme", "globex")}
        for name, organization in organizations.items():
            for number in range(3):
                organization.add_call(call_id=f"{name}_{number}", call_status="ended")
                facts = (f"{name}_{number}", f"retell_{name}", f"tier of {name}")
                database.execute("insert into client_calls values (?, ?, ?)", facts)
            home.env[f"AIRFLOW_CONN_RETELL_{name.upper()}"] = connection(emulator.url, organization.api_key)
        printed = run_dag("many_workspaces", home)
        for name, organization in organizations.items():
            assert [call["metadata"] for call in organization.calls.values()] == [
                {"tier": f"tier of {name}"}
            ] * 3, printed
            assert emulator.count("update-call", organization=name) == 3
            assert emulator.count("list-calls", organization=name) == 1


@pytest.mark.example
def test_bulk_update_from_python_writes_the_rows_of_its_function(tmp_path: Path) -> None:
    with Emulator() as emulator:
        for number in (1, 2):
            emulator.add_call(
                call_id=f"call_5d2e0{number}", call_status="ended", metadata={"source": "phone"}
            )
        home = AirflowHome(tmp_path, ROOT / "example_dags", RETELL_REPORTS=str(tmp_path))
        home.connect(emulator)
        printed = run_dag("bulk_update_from_python", home)
        assert [call["metadata"] for call in emulator.calls.values()] == [
            {"source": "phone", "open_orders": 2},
            {"source": "phone", "open_orders": 0},
        ], printed
        [report] = tmp_path.glob("orders_*.jsonl")
        assert len(report.read_text().splitlines()) == 3
        shown = str(home.query("select rendered_fields from rendered_task_instance_fields"))
        assert "shop" not in shown


@pytest.mark.example
def test_sync_contacts_sends_opt_outs_and_erases_contacts(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "warehouse.db", isolation_level=None)
    database.execute("create table customers (phone text, first_name text, plan text, opted_out integer)")
    database.execute("create table erasure_requests (phone text)")
    known = [f"+4915112345{number}" for number in range(100, 110)]
    with Emulator() as emulator:
        emulator.options.contacts.custom_fields = ["plan"]
        emulator.add_contacts(known, first_name="Zebra", custom_fields={"plan": "gold"})
        for number in known[:-1]:
            opted_out = number == known[3]
            database.execute("insert into customers values (?, 'Zebra', 'gold', ?)", (number, opted_out))
        database.execute("insert into customers values ('+4915112345200', 'Umbrella', 'new', null)")
        database.execute("insert into erasure_requests values (?)", (known[-1],))
        home = AirflowHome(
            tmp_path,
            ROOT / "example_dags",
            AIRFLOW_CONN_WAREHOUSE=sqlite_connection(tmp_path / "warehouse.db"),
            AIRFLOW_VAR_RETELL_REPORTS=str(tmp_path),
        )
        home.connect(emulator)
        printed = run_dag("sync_contacts", home)
        contacts = {contact["phone_number"]: contact for contact in emulator.contacts.values()}
        assert contacts.keys() == {*known[:-1], "+4915112345200"}, printed
        assert [number for number, contact in contacts.items() if contact["do_not_call"]] == [known[3]]
        assert contacts["+4915112345200"]["custom_fields"] == {"plan": "new"}
        routes = ("create-contact", "update-contact", "delete-contact")
        assert [emulator.count(route) for route in routes] == [1, 1, 1]
    reports = {path.name[11:]: path.read_text() for path in (tmp_path / "contacts").iterdir()}
    assert reports.keys() == {"sync.jsonl", "erase.jsonl"}
    database.close()
    (tmp_path / "warehouse.db").unlink()
    assert home.leaks(printed, "4915112345", "Umbrella", "Zebra") == []


@pytest.fixture
def private_run(tmp_path: Path) -> tuple[Emulator, str, AirflowHome]:
    """A run of ``tests/dags/bulk_private_facts.py``: the emulator, the output and the home with all files."""
    with Emulator(quotas=None) as emulator:
        for name in ("a", "b", "strict"):
            emulator.add_call(
                call_id=f"call_{name}", call_status="ended", metadata={"before": NOTE + "-before"}
            )
        home = AirflowHome(tmp_path, ROOT / "tests/dags", PRIVATE_NOTE=NOTE, REPORTS=str(tmp_path))
        home.connect(emulator)
        yield emulator, run_dag("bulk_private_facts", home), home


def test_a_bulk_update_leaves_nothing_private_behind(private_run: tuple[Emulator, str, AirflowHome]) -> None:
    emulator, printed, home = private_run
    assert emulator.calls["call_a"]["metadata"] == {"before": NOTE + "-before", "note": NOTE}, printed
    outcomes = {
        name: sorted(
            json.loads(line)["outcome"] for line in (home.folder / f"{name}.jsonl").read_text().splitlines()
        )
        for name in ("report", "mapped_0", "bad")
    }
    assert outcomes == {
        "report": ["updated", "updated"],
        "mapped_0": ["unchanged", "unchanged"],
        "bad": ["invalid", "unchanged", "unchanged"],
    }
    assert home.leaks(printed, NOTE) == []
    shown = str(home.query("select rendered_fields from rendered_task_instance_fields"))
    assert "rows of rows()" in shown
    events = home.query(
        f"select extra from {'asset_event' if 'asset_event' in home.tables() else 'dataset_event'}"
    )
    (extra,) = [json.loads(extra) for (extra,) in events]
    assert (extra["rows"], extra["updated"], extra["report"]) == (2, 2, str(home.folder / "report.jsonl"))
