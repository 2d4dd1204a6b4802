"""Shared parts of `make demo` and `make ui`: an Airflow that writes to the checkout only, and its sample calls."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator

ROOT = Path(__file__).resolve().parent.parent
AIRFLOW_VERSION = version("apache-airflow")
API_KEY = "key_demo"

# The calls before the pipeline runs, with the metadata that was set when they were placed.
SAMPLE_CALLS: dict[str, dict[str, Any]] = {
    "call_5d2e01": {"customer": "C-1001", "tier": "silver"},
    "call_5d2e02": {"customer": "C-1002"},
    "call_5d2e03": {"customer": "C-1003", "language": "en"},
    "call_5d2e04": {},
    "call_5d2e05": {"customer": "C-1005"},  # not in the warehouse
}


def add_sample_calls(emulator: Emulator) -> None:
    """Add the sample calls, which ended at noon of yesterday or later."""
    noon = datetime.now(timezone.utc).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    for number, (call_id, metadata) in enumerate(SAMPLE_CALLS.items()):
        start = int((noon + timedelta(minutes=10 * number)).timestamp() * 1000)
        emulator.add_call(
            call_id=call_id,
            call_status="ended",
            metadata=dict(metadata),
            start_timestamp=start,
            end_timestamp=start + 95_000,
        )


def home(purpose: str) -> Path:
    """Return the AIRFLOW_HOME for this purpose; create it if it does not exist.

    Each Airflow version has its own, because the databases differ. Each Python has its own, so that `make matrix` can
    run several at a time.
    """
    python = "{}.{}".format(*sys.version_info)
    path = ROOT / ".cache" / f"{purpose}-airflow-{AIRFLOW_VERSION}-py{python}"
    path.mkdir(parents=True, exist_ok=True)
    return path


def connection(url: str, api_key: str = API_KEY, **extra: str) -> str:
    """Return a connection to Retell at *url*, as JSON."""
    # The port is a separate field: without one, the Test button of Airflow 3.3 fails.
    host, _, port = url.rpartition(":")
    known = {"conn_type": "retell", "host": host, "port": int(port), "password": api_key}
    if extra:
        known["extra"] = json.dumps(
            extra
        )  # text, because `airflow connections import` stores the value unchanged
    return json.dumps(known)


def sqlite_connection(database: Path) -> str:
    """Return a connection to a SQLite database, as JSON."""
    return json.dumps({"conn_type": "sqlite", "host": str(database)})


def environment(airflow_home: Path) -> dict[str, str]:
    """Return environment variables for an Airflow that is independent of the user's settings and database."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    env |= {
        "AIRFLOW_HOME": str(airflow_home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "example_dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",  # the example DAGs of Airflow itself
        "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PYTHONUNBUFFERED": "1",
    }
    # The emulated Retell and Airflow's API are on this machine, which a proxy cannot reach.
    for name in ("NO_PROXY", "no_proxy"):
        env[name] = ",".join(filter(None, [env.get(name), "localhost", "127.0.0.1"]))
    return env


def airflow(*arguments: str) -> list[str]:
    """Return the command line of an `airflow` command in this environment."""
    return [sys.executable, "-m", "airflow", *arguments]
