"""Cost of importing the operators, sensors, triggers and links in a DAG file, and the plugin, beyond Airflow itself.

Each import runs in its own process, which has already imported Airflow's ``BaseOperator``. The benchmark measures the
time of the import and the growth of the process's memory.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys

from airflow_provider_retell.get_provider_info import get_provider_info
from common import HERE, Promises, table

RUNS = 3
MAX_MS = 15.0
MAX_MB = 1.0
MAX_PLUGIN_MS = 5.0

CHILD = """
import json, os, sys, time
try:
    from airflow.sdk import BaseOperator
except ImportError:
    from airflow.models import BaseOperator
if "plugin" in sys.argv[1]:
    import airflow.plugins_manager  # every process that loads plugins has it

def held():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

before, bytes_, started = set(sys.modules), held(), time.perf_counter()
exec(sys.argv[1])
seconds = time.perf_counter() - started
more = held() - bytes_
print(json.dumps([seconds * 1000, more / 1e6, sorted(set(sys.modules) - before)]))
"""
PLUGIN = "the plugin"
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
# Modules that define pydantic models, in the API's core and in its resources.
MODELS = re.compile(r"airflow_provider_retell\.api\.(\w+\.)?(models|bodies|filters|body|response_model)")


def modules() -> list[str]:
    """Return the package's modules that a DAG file imports."""
    info = get_provider_info()
    groups = [*info.get("operators", ()), *info.get("sensors", ()), *info.get("triggers", ())]
    found = {module for group in groups for module in group["python-modules"]}
    found |= {
        path.rpartition(".")[0] for path in (*info.get("notifications", ()), *info.get("extra-links", ()))
    }
    found |= {entry["class-name"].rpartition(".")[0] for entry in info.get("task-decorators", ())}
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
    statements[PLUGIN] = "import airflow_provider_retell.plugin"
    statements["for contrast: requests"] = "import requests"
    statements[SDK] = "from retell import Retell"
    runs: dict[str, list[tuple[float, float, list[str]]]] = {name: [] for name in statements}
    for statement in statements.values():  # compiles the files
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
    promises.keep(f"each adds at most {MAX_MS:g} ms", all(ms[name] <= MAX_MS for name in ours))
    promises.keep(f"each adds at most {MAX_MB:g} MB", all(mb[name] <= MAX_MB for name in ours))
    promises.keep(f"the plugin adds at most {MAX_PLUGIN_MS:g} ms", ms[PLUGIN] <= MAX_PLUGIN_MS)
    new = {module for name in (*ours, PLUGIN) for result in runs[name] for module in result[2]}
    # Only the packages themselves: Airflow's triggers load more parts of pydantic.
    heavy = sorted(new & HEAVY)
    promises.keep(f"no HTTP library, SDK or pydantic is loaded {heavy or ''}".rstrip(), not heavy)
    models = sorted(filter(MODELS.fullmatch, new))
    promises.keep(f"no pydantic model of this package is loaded {models or ''}".rstrip(), not models)
    promises.end()


if __name__ == "__main__":
    main()
