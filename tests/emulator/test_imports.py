"""The imports of the emulator: light, and without cycles."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

from airflow_provider_retell import emulator

PACKAGE = Path(emulator.__file__).parent


def test_the_import_loads_no_other_part_of_the_package_and_no_heavy_library() -> None:
    code = (
        # aiohttp's own dependencies load pydantic where it is installed, which does not count here.
        "import sys, aiohttp.web; before = set(sys.modules);"
        "import airflow_provider_retell.emulator, airflow_provider_retell.emulator.cli;"
        "new = set(sys.modules) - before;"
        "print([m for m in ('airflow', 'requests', 'pydantic', 'retell', 'airflow_provider_retell.api',"
        " 'pytest') if m in new])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_modules_have_no_import_cycle_even_for_their_types() -> None:
    names = {
        ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts): file
        for file in PACKAGE.rglob("*.py")
    }
    graph: dict[str, set[str]] = {}
    for name, file in names.items():
        imported: set[str] = set()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                module = node.module.removeprefix("airflow_provider_retell.")
                imported |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
        graph[name] = imported & names.keys()
    assert sum(map(len, graph.values())) > 100
    graphlib.TopologicalSorter(graph).prepare()
