"""The public names of the package: those in the ``__all__`` of its modules, by the path to import them from."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "airflow_provider_retell"

# The oldest Airflow that can import the names of a module or a class.
NEEDS = {"airflow_provider_retell.policies": (3, 3), "CallEventTrigger": (3, 0), "ChatEventTrigger": (3, 0)}


def public_names() -> dict[str, set[str]]:
    """Return the public names by module, read from the source without importing it."""
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        if file.parent.name == "_compat" or file.name == "__main__.py":
            continue
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                found[module] = set(ast.literal_eval(node.value))
    return found


def public_paths() -> set[str]:
    """Return the dotted path of every public name."""
    return {f"{module}.{name}" for module, names in public_names().items() for name in names}
