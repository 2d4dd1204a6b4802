"""The public interface: every name in an ``__all__`` exists, has one place, is documented and registered."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections import Counter
from pathlib import Path

import airflow
import pytest
from public_api import NEEDS, PACKAGE, ROOT, public_names, public_paths

from airflow_provider_retell.get_provider_info import get_provider_info

PUBLIC = public_names()
VERSION = tuple(map(int, airflow.__version__.split(".")[:2]))
KINDS = ("hooks", "operators", "sensors", "triggers", "notifications")


def importable(module: str, name: str) -> bool:
    return all(NEEDS.get(key, (0,)) <= VERSION for key in (module, name))


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_can_be_imported_and_has_a_docstring(module: str) -> None:
    for name in PUBLIC[module]:
        if importable(module, name):
            value = getattr(importlib.import_module(module), name)
            assert not inspect.isclass(value) or (value.__name__ == name and inspect.getdoc(value)), name


def test_every_public_name_has_one_place_to_import_it_from() -> None:
    counts = Counter(name for names in PUBLIC.values() for name in names)
    # Code that calls the hook catches it.
    assert [name for name, count in counts.items() if count > 1] == ["RetellError"]


@pytest.mark.parametrize("kind", KINDS[:4])
def test_airflow_is_told_about_every_module_with_a_public_class(kind: str) -> None:
    package = f"airflow_provider_retell.{kind}"
    listed = {module for entry in get_provider_info()[kind] for module in entry["python-modules"]}
    classes = [
        getattr(importlib.import_module(package), name) for name in PUBLIC[package] if importable("", name)
    ]
    defined = {value.__module__ for value in classes if value.__module__.startswith(f"{package}.")}
    newer = {module for module in listed if module.endswith("_event")} if VERSION < (3, 0) else set()
    assert listed - newer == defined


def test_the_registry_file_lists_every_public_class() -> None:
    yaml = pytest.importorskip("yaml")
    registry = yaml.safe_load((ROOT / ".airflow-registry.yaml").read_text())
    paths = [entry["module"].rpartition(".") for kind in KINDS for entry in registry[kind]]
    for module, _, name in paths:
        assert not importable("", name) or getattr(importlib.import_module(module), name).__module__ == module
    listed = {name for _, _, name in paths}
    classes = {name for kind in KINDS for name in PUBLIC[f"airflow_provider_retell.{kind}"]}
    assert listed == classes - {
        "AirflowApi",
        "AirflowApiError",
        "Rate",
        "RetellError",
        "RetryLimits",
        "TextFile",
    }
    assert all(len(entry["description"]) > 20 for kind in KINDS for entry in registry[kind])
    pyproject = (ROOT / "pyproject.toml").read_text()
    for value in (registry["package-name"], registry["docs-url"], registry["source-url"]):
        assert f'"{value}"' in pyproject


def test_the_readme_names_everything_that_a_dag_uses() -> None:
    text = (ROOT / "README.md").read_text()
    for kind in ("operators", "sensors", "notifications", "policies"):
        assert {name for name in PUBLIC[f"airflow_provider_retell.{kind}"] if name not in text} == set(), kind


def test_the_typing_test_uses_every_public_name() -> None:
    tree = ast.parse((ROOT / "tests/typing/user_code.py").read_text())
    imported = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and re.match(r"airflow_provider_retell(\.|$)", node.module or "")
        for alias in node.names
    } - {"airflow_provider_retell.__version__"}
    assert imported == public_paths()
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert set().union(*PUBLIC.values()) <= used


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(PACKAGE) / "py.typed").exists()
