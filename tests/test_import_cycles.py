"""The modules of the package import each other without cycles."""

from __future__ import annotations

import ast
import graphlib

from public_api import PACKAGE


def test_modules_have_no_import_cycle_even_for_types_and_inside_functions() -> None:
    modules = {
        ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts): file
        for file in PACKAGE.rglob("*.py")
        if file.name != "__init__.py"
    }
    graph: dict[str, set[str]] = {}
    for name, file in modules.items():
        imported: set[str] = set()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                imported |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        graph[name] = imported & modules.keys()
    assert sum(map(len, graph.values())) > 1000
    graphlib.TopologicalSorter(graph).prepare()
