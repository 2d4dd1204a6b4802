"""What importing the operators, sensors, triggers and links costs a DAG file beyond Airflow itself.

Each import runs in a process of its own, in turn with one that imports Airflow's ``BaseOperator`` alone. The time is
taken inside the process around the import; the memory is what the process holds more after it.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

from airflow_provider_retell.get_provider_info import get_provider_info
from common import HERE, Promises, table

RUNS = 5
MOST_MS = 15.0
MOST_MB = 1.0

CHILD = """
import json, os, sys, time
try:
    from airflow.sdk import BaseOperator
except ImportError:
    from airflow.models import BaseOperator

def held():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

before, bytes_, started = set(sys.modules), held(), time.perf_counter()
exec(sys.argv[1])
seconds = time.perf_counter() - started
more = held() - bytes_
print(json.dumps([seconds * 1000, more / 1e6, sorted(set(sys.modules) - before)]))
"""
SDK = "for contrast: retell (the vendor's SDK)"
HEAVY = {
    "requests",
    "urllib3",
    "aiohttp",
    "httpx",
    "pydantic",
    "pydantic_core",
    "retell",
    "pandas",
    "pyarrow",
}
MODELS = {f"airflow_provider_retell.api.{name}" for name in ("models", "bodies", "filters")}


def modules() -> list[str]:
    """Return every module of ours that a DAG file imports."""
    info = get_provider_info()
    groups = [*info.get("operators", ()), *info.get("sensors", ()), *info.get("triggers", ())]
    found = {module for group in groups for module in group["python-modules"]}
    found |= {
        path.rpartition(".")[0] for path in (*info.get("notifications", ()), *info.get("extra-links", ()))
    }
    return sorted(found | {"airflow_provider_retell.bulk"})


def measure(statement: str) -> tuple[float, float, list[str]]:
    """Return the milliseconds, megabytes and modules that *statement* adds in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, statement], cwd=HERE.parent, check=True, capture_output=True, text=True
    )
    ms, mb, new = json.loads(done.stdout.splitlines()[-1])
    return ms, mb, new


def main() -> None:
    """Run the benchmark."""
    statements = {name: f"import {name}" for name in modules()}
    ours = list(statements)
    statements["all of them"] = "; ".join(statements.values())
    statements["for contrast: requests"] = "import requests"
    statements[SDK] = "from retell import Retell"
    runs: dict[str, list[tuple[float, float, list[str]]]] = {name: [] for name in statements}
    for statement in statements.values():  # compiled files first
        measure(statement)
    for _ in range(RUNS):
        for name, statement in statements.items():
            runs[name].append(measure(statement))
    ms = {name: statistics.median(result[0] for result in results) for name, results in runs.items()}
    mb = {name: statistics.median(result[1] for result in results) for name, results in runs.items()}
    print(f"import_cost: beyond Airflow's BaseOperator, medians of {RUNS} processes each\n")
    table(
        ("import", "ms", "MB", "of the SDK's ms"),
        (
            (name.removeprefix("airflow_provider_retell."), ms[name], mb[name], f"{ms[name] / ms[SDK]:.1%}")
            for name in runs
        ),
    )
    print()
    promises = Promises()
    promises.keep(f"each adds at most {MOST_MS:g} ms", all(ms[name] <= MOST_MS for name in ours))
    promises.keep(f"each adds at most {MOST_MB:g} MB", all(mb[name] <= MOST_MB for name in ours))
    new = {module for name in ours for result in runs[name] for module in result[2]}
    heavy = sorted(new & HEAVY)  # not their parts: Airflow loads more of pydantic with its triggers
    promises.keep(f"no HTTP library, SDK or pydantic is loaded {heavy or ''}".rstrip(), not heavy)
    models = sorted(new & MODELS)
    promises.keep(f"no pydantic models of ours are built {models or ''}".rstrip(), not models)
    promises.end()


if __name__ == "__main__":
    main()
