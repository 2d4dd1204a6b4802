"""The example in the docstring of a public class runs, with only the imports that it shows."""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import re
import textwrap
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import airflow
import pytest
from public_api import NEEDS, PACKAGE, public_names

if TYPE_CHECKING:
    from pytest_mock import MockerFixture

    from airflow_provider_retell.emulator import Emulator

VERSION = tuple(map(int, airflow.__version__.split(".")[:2]))
MODULES = [
    f"{PACKAGE.name}.{name}"
    for name in (
        "operators",
        "sensors",
        "triggers",
        "notifications",
        "bulk",
        "documents",
        "hooks",
        "policies",
    )
]
NAMES = [(module, name) for module in MODULES for name in sorted(public_names()[module])]
# Classes that users meet only in the examples of others.
WITHOUT = {"AirflowApiError", "Rate", "RetellError"}


def example(module: str, name: str) -> str:
    """Return the first block of code in the docstring of a class, or an empty text."""
    for key in (module, name):
        if NEEDS.get(key, (0,)) > VERSION:
            pytest.skip("needs a newer Airflow")
    value = getattr(importlib.import_module(module), name)
    block = re.search(r"::\n\n((?:    .*\n|\n)+)", inspect.getdoc(value) or "")
    return textwrap.dedent(block[1]) if block else ""


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_the_example_in_a_docstring_runs_with_its_own_imports(
    module: str, name: str, retell_emulator: Emulator, retell_connection: str, mocker: MockerFixture
) -> None:
    code = example(module, name)
    assert (code == "") == (name in WITHOUT)
    if "airflow.sdk" in code and VERSION < (3, 0):
        pytest.skip("the docstrings are written for Airflow 3")
    retell_emulator.add_call(call_id="call_abc")
    mocker.patch("airflow_provider_retell.hooks.airflow_api.AirflowApi.send", return_value={})
    deferred: list[Any] = []
    names = {"self": SimpleNamespace(defer=lambda *, trigger, method_name: deferred.append(trigger))}
    with a_dag():
        result = eval(compile(code, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        if inspect.iscoroutine(result):
            asyncio.run(result)
    assert len(deferred) == ("self.defer(" in code)
    if module.endswith((".operators", ".sensors", ".triggers", ".notifications", ".documents", ".bulk")):
        assert f"from {module} import" in code
        assert re.search(rf"\b{name}\(", code)


def a_dag() -> Any:
    try:
        from airflow.sdk import DAG
    except ImportError:
        from airflow.models.dag import DAG
    return DAG("examples", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc))
