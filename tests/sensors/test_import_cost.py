"""What a DAG file pays for importing the sensors and triggers, beyond Airflow's own base classes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# In a process of its own; the memory is what Python allocates, which is the same in every run, and the time is a part
# of what Airflow itself took there, which is much the same on any machine.
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


def cost(what: str) -> tuple[float, list[str]]:
    modules = [f"airflow_provider_retell.{name}.call" for name in ("sensors", "triggers")]
    done = subprocess.run(
        [sys.executable, "-c", COST, what, *modules], capture_output=True, text=True, check=True
    )
    measured, loaded = json.loads(done.stdout.partition("RESULT")[2])
    return measured, loaded


@pytest.mark.slow
def test_a_dag_file_pays_little() -> None:
    memory, loaded = cost("memory")
    heavy = (
        "requests",
        "aiohttp",
        "pydantic",
        "airflow_provider_retell.api",
        "airflow_provider_retell.hooks",
    )
    assert not [name for name in loaded if name.startswith(heavy)]
    assert memory < 1.0
    assert min(cost("time")[0] for _ in range(2)) < 0.01
