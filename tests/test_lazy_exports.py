"""Packages export their public names lazily."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import airflow_provider_retell
from airflow_provider_retell._lazy import lazy_exports

ROOT = Path(airflow_provider_retell.__file__).parent
PACKAGES = sorted(
    path.parent.name
    for path in ROOT.glob("*/__init__.py")
    if "lazy_exports" in path.read_text(encoding="utf-8")
)


def exported(package: str) -> list[str]:
    return list(importlib.import_module(f"airflow_provider_retell.{package}").__all__)


def test_packages_with_lazy_exports_are_found() -> None:
    assert {"bulk", "hooks", "notifications", "operators", "sensors", "triggers"} <= set(PACKAGES)


def test_packages_list_names_that_are_not_imported_yet_for_completion() -> None:
    code = f"""
from importlib import import_module
for name in {PACKAGES}:
    package = import_module(f"airflow_provider_retell.{{name}}")
    assert set(package.__all__) <= set(dir(package)), name
    assert not set(package.__all__) & set(vars(package)), name
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("package", PACKAGES)
def test_exports_types_and_lazy_modules_have_the_same_names(package: str) -> None:
    tree = ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))
    typed = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
        if isinstance(inner, ast.ImportFrom)
        for alias in inner.names
    }
    (call,) = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "lazy_exports"
    ]
    modules = ast.literal_eval(call.args[1])
    assert {name for names in modules.values() for name in names} == typed == set(exported(package))


def test_name_is_imported_when_it_is_first_used_and_kept() -> None:
    code = """
import sys
from airflow_provider_retell import hooks
assert "airflow_provider_retell.hooks.retell" not in sys.modules
assert "airflow_provider_retell.api.quota" not in sys.modules
hooks.Rate
assert "airflow_provider_retell.api.quota" in sys.modules
assert "airflow_provider_retell.hooks.retell" not in sys.modules
assert vars(hooks)["Rate"] is hooks.Rate
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_name_is_an_attribute_error_of_the_package() -> None:
    get, _ = lazy_exports("airflow_provider_retell.hooks", {"api.quota": ["Rate"]})
    with pytest.raises(
        AttributeError, match="module 'airflow_provider_retell.hooks' has no attribute 'Nothing'"
    ):
        get("Nothing")
    hooks = importlib.import_module("airflow_provider_retell.hooks")
    assert not hasattr(hooks, "Nothing")
