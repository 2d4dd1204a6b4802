"""What users may import is exactly what is listed here, and all of it is documented."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import pkgutil
import re
from pathlib import Path

import airflow
import pytest

import airflow_provider_retell as package
from airflow_provider_retell.get_provider_info import get_provider_info

ROOT = Path(__file__).parents[1]

PUBLIC = {
    "api.errors": {
        "AuthenticationError",
        "BadRequestError",
        "CallNotEndedError",
        "NotFoundError",
        "PaymentRequiredError",
        "PermissionDeniedError",
        "RateLimitError",
        "RetellConfigError",
        "RetellConnectionError",
        "RetellError",
        "RetellInputError",
        "RetellResponseError",
        "RetellStatusError",
        "RetellTimeoutError",
        "ServerError",
        "StorageConflictError",
        "UnprocessableError",
        "UpdateMismatchError",
        "WaitFailedError",
        "WaitTimeoutError",
    },
    "api.models": {
        "ApiKeyInfo",
        "BatchCall",
        "Call",
        "CallAnalysis",
        "CallCost",
        "CallPage",
        "Concurrency",
        "LiveUpdate",
    },
    "api.quota": {"Rate"},
    "api.retry": {"RetryLimits"},
    "bulk": {"FailedRows", "FileRows", "SqlRows"},
    "emulator": {
        "DEFAULT_QUOTAS",
        "Clock",
        "Emulator",
        "Fault",
        "Faults",
        "Lifecycle",
        "Options",
        "Organization",
        "RecordedRequest",
        "Rule",
    },
    "emulator.pytest_plugin": {"retell_connection", "retell_emulator"},
    "hooks.retell": {"RetellAsyncHook", "RetellHook"},
    "links.retell": {"RetellCallLink"},
    "notifications.phone_call": {"PhoneCallNotifier"},
    "operators.bulk": {"BulkUpdateCallOperator"},
    "operators.call": {"UpdateCallOperator"},
    "operators.lifecycle": {
        "DeleteCallOperator",
        "GetCallOperator",
        "RerunCallAnalysisOperator",
        "StopCallOperator",
        "UpdateLiveCallOperator",
    },
    "operators.listing": {"ListCallsOperator"},
    "operators.place": {"CreateBatchCallOperator", "CreatePhoneCallOperator"},
    "policies": {"RetellRetryPolicy"},
    "sensors.call": {"BatchCallSensor", "CallSensor", "ConcurrencySensor"},
    "triggers.call": {"BatchCallTrigger", "CallTrigger", "ConcurrencyTrigger"},
    "triggers.call_event": {"CallEventTrigger"},
}
"""The public names by module. Whatever is not here may change without notice."""

# Newer than the oldest supported Airflow.
NEEDS = {"policies": (3, 3), "triggers.call_event": (3, 0)}


def module_of(name: str) -> object:
    if tuple(map(int, airflow.__version__.split(".")[:2])) < NEEDS.get(name, (0,)):
        pytest.skip(f"{name} needs a newer Airflow")
    return importlib.import_module(f"{package.__name__}.{name}")


def declared() -> dict[str, set[str]]:
    """The names in every module's ``__all__``, read from the source: nothing is imported."""
    found = {}
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if module.name.endswith((".__main__", "._compat")):
            continue
        spec = importlib.util.find_spec(module.name)
        assert spec is not None
        assert spec.origin is not None
        for node in ast.parse(Path(spec.origin).read_text()).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                found[module.name.removeprefix(f"{package.__name__}.")] = set(ast.literal_eval(node.value))
    return found


def test_the_public_names_are_exactly_the_listed_ones() -> None:
    assert declared() == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_says_what_it_is(name: str) -> None:
    module = module_of(name)
    for public in PUBLIC[name]:
        value = getattr(module, public)
        assert not inspect.isclass(value) or inspect.getdoc(value), public


def test_what_airflow_is_told_of_is_public() -> None:
    info = get_provider_info()
    told = {
        module.removeprefix(f"{package.__name__}.")
        for kind in ("hooks", "operators", "sensors", "triggers")
        for entry in info[kind]
        for module in entry["python-modules"]
    }
    assert told == {
        name for name in PUBLIC if name.split(".")[0] in ("hooks", "operators", "sensors", "triggers")
    }
    for path in (*info["notifications"], *info["extra-links"]):
        module, _, name = path.removeprefix(f"{package.__name__}.").rpartition(".")
        assert name in PUBLIC[module]


def test_the_registry_is_told_of_what_is_public() -> None:
    yaml = pytest.importorskip("yaml")
    registry = yaml.safe_load((ROOT / ".airflow-registry.yaml").read_text())
    kinds = ("hooks", "operators", "sensors", "triggers", "notifications")
    told = {entry["module"] for kind in kinds for entry in registry[kind]}
    assert told == {
        f"airflow_provider_retell.{module}.{name}"
        for module, names in PUBLIC.items()
        for name in names
        if module.split(".")[0] in kinds
    }
    assert all(len(entry["description"]) > 20 for kind in kinds for entry in registry[kind])
    pyproject = (ROOT / "pyproject.toml").read_text()
    for value in (registry["package-name"], registry["docs-url"], registry["source-url"]):
        assert f'"{value}"' in pyproject


def test_what_a_dag_is_made_of_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text()
    for name, names in PUBLIC.items():
        if name.split(".")[0] in ("hooks", "operators", "sensors", "notifications", "policies"):
            assert not {public for public in names if public not in text}, name
    for path in re.findall(r"`((?:operators|sensors|triggers|notifications)\.[a-z_]+)\.\w+`", text):
        assert path in PUBLIC


def test_the_typing_test_uses_every_public_name() -> None:
    tree = ast.parse((ROOT / "tests/typing/user_code.py").read_text())
    imported = {
        node.module.removeprefix(f"{package.__name__}."): {alias.name for alias in node.names}
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{package.__name__}.")
    }
    assert imported == PUBLIC
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert set().union(*PUBLIC.values()) <= used


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(package.__path__[0]) / "py.typed").exists()
