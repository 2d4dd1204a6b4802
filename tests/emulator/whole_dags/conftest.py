"""Run whole DAGs against an emulated Retell."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["airflow_provider_retell.emulator.pytest_plugin"]

DAGS = Path(__file__).parent / "dags"


def airflow(settings, *arguments):
    """Run Airflow's command line with the environment of the test, and fail the test if the command fails."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW__")}
    command = [sys.executable, "-m", "airflow", *arguments]
    done = subprocess.run(command, env=env | settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def airflow_settings(tmp_path_factory):
    """Return the settings of an Airflow with an empty database."""
    settings = {
        "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    airflow(settings, "db", "migrate")
    return settings


@pytest.fixture
def run_dag(airflow_settings, retell_emulator):
    """Return a function that runs a DAG to its end, and fails the test if the run fails."""
    connection = {"conn_type": "retell", "host": retell_emulator.url, "password": retell_emulator.api_key}

    def run(dag_id, date="2026-11-20", **conf):
        settings = airflow_settings | {"AIRFLOW_CONN_RETELL_DEFAULT": json.dumps(connection)}
        airflow(settings, "dags", "test", "-c", json.dumps(conf), dag_id, date)

    return run
