"""Run whole DAGs against an emulated Retell."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["airflow_provider_retell.emulator.pytest_plugin"]

DAGS = Path(__file__).parent / "dags"


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory):
    """Return the environment of an Airflow with an empty database."""
    home = tmp_path_factory.mktemp("airflow")
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    env |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"], env=env, check=True, capture_output=True
    )
    return env


@pytest.fixture
def run_dag(airflow_home, retell_emulator):
    """Return a function that runs a DAG to its end, and fails the test if the run fails."""
    connection = {"conn_type": "retell", "host": retell_emulator.url, "password": retell_emulator.api_key}

    def run(dag_id, date="2026-11-20", **conf):
        env = airflow_home | {"AIRFLOW_CONN_RETELL_DEFAULT": json.dumps(connection)}
        command = [sys.executable, "-m", "airflow", "dags", "test", "-c", json.dumps(conf), dag_id, date]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    return run
