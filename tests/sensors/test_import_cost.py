"""The cost of importing sensors and triggers in a DAG file, without Airflow's own base classes."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

# Runs in its own process. Measures the memory that Python allocates, which is the same in every run, and the time as a
# fraction of the time that Airflow's own imports take, which is similar on all machines.
COST = """
import importlib, json, sys, time, tracemalloc
airflow = time.process_time()
try:
    from airflow.sdk import BaseOperator, BaseOperatorLink, BaseSensorOperator
except ImportError:
    from airflow.models import BaseOperator
    from airflow.models.baseoperatorlink import BaseOperatorLink
    from airflow.sensors.base import BaseSensorOperator
from airflow.triggers.base import BaseTrigger
from airflow.configuration import conf
before = set(sys.modules)
airflow = time.process_time() - airflow
if sys.argv[1] == "memory":
    tracemalloc.start()
started = time.process_time()
for module in sys.argv[2:]:
    importlib.import_module(module)
cost = (time.process_time() - started) / airflow
if sys.argv[1] == "memory":
    cost = tracemalloc.get_traced_memory()[0] / 1e6
print("RESULT", json.dumps([cost, sorted(set(sys.modules) - before)]))
"""


HEAVY = (
    "requests",
    "aiohttp",
    "pydantic",
    "airflow_provider_retell.api",
    "airflow_provider_retell.hooks",
)
# Modules of these packages that import no more than the standard library.
LIGHT = {
    "airflow_provider_retell.api",
    "airflow_provider_retell.api.choices",
    "airflow_provider_retell.api.errors",
    "airflow_provider_retell.hooks",
    "airflow_provider_retell.hooks.reason",
}


MODULES = [
    "sensors.call",
    "sensors.concurrency",
    "sensors.knowledge_base",
    "triggers.call",
    "triggers.concurrency",
    "triggers.knowledge_base",
]
if not version("apache-airflow").startswith("2."):  # which has no event triggers
    MODULES += ["triggers.call_event", "triggers.chat_event"]


def cost(kind: str) -> tuple[float, list[str]]:
    """Return the memory or the time that the imports cost, and the loaded modules."""
    modules = [f"airflow_provider_retell.{name}" for name in MODULES]
    done = subprocess.run(
        [sys.executable, "-c", COST, kind, *modules], capture_output=True, text=True, check=True
    )
    measured, loaded = json.loads(done.stdout.partition("RESULT")[2])
    return measured, loaded


@pytest.mark.slow
def test_import_costs_a_dag_file_little() -> None:
    memory, loaded = cost("memory")
    assert [name for name in loaded if name.startswith(HEAVY) and name not in LIGHT] == []
    assert memory < 1.0
    # A busy machine can only make it more.
    assert any(cost("time")[0] < 0.01 for _ in range(5))
