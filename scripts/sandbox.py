"""What `make demo` and `make ui` share: an Airflow that keeps to the checkout, and the calls it works on."""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
AIRFLOW_VERSION = version("apache-airflow")
API_KEY = "key_demo"

# What Retell knows about these calls before the pipeline runs: metadata that was set when they were placed.
SAMPLE_CALLS: dict[str, dict[str, Any]] = {
    "call_5d2e01": {"customer": "C-1001", "tier": "silver"},
    "call_5d2e02": {"customer": "C-1002"},
    "call_5d2e03": {"customer": "C-1003", "language": "en"},
    "call_5d2e04": {},
    "call_5d2e05": {"customer": "C-1005"},  # not in the warehouse
}


def home(purpose: str) -> Path:
    """Return the AIRFLOW_HOME for this purpose, made if need be.

    One per Airflow, as their databases differ; and one per Python, so that `make matrix` can run several at a time.
    """
    python = "{}.{}".format(*sys.version_info)
    path = ROOT / ".cache" / f"{purpose}-airflow-{AIRFLOW_VERSION}-py{python}"
    path.mkdir(parents=True, exist_ok=True)
    return path


def connection(url: str, api_key: str = API_KEY, **extra: str) -> str:
    """Return the connection to a Retell at *url*, as Airflow's JSON."""
    # The port apart: Airflow 3.3's Test button refuses stored connections that have none in its own field.
    host, _, port = url.rpartition(":")
    known = {"conn_type": "retell", "host": host, "port": int(port), "password": api_key}
    if extra:
        known["extra"] = json.dumps(extra)  # a string, as `airflow connections import` stores it as it is
    return json.dumps(known)


def sqlite_connection(database: Path) -> str:
    """Return the connection to a SQLite database, as Airflow's JSON."""
    return json.dumps({"conn_type": "sqlite", "host": str(database)})


def environment(airflow_home: Path) -> dict[str, str]:
    """Return an environment for Airflow in which neither the user's settings nor their database take part."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    env |= {
        "AIRFLOW_HOME": str(airflow_home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "example_dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",  # Airflow's own
        "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PYTHONUNBUFFERED": "1",
    }
    # The emulated Retell and Airflow's own API are on this machine, where a proxy does not reach.
    for name in ("NO_PROXY", "no_proxy"):
        env[name] = ",".join(filter(None, [env.get(name), "localhost", "127.0.0.1"]))
    return env


def airflow(*arguments: str) -> list[str]:
    """Return the command line of an `airflow` command of this environment."""
    return [sys.executable, "-m", "airflow", *arguments]
