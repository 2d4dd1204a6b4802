"""The plugin: nothing unless it is configured, and then one app."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

OLD = version("apache-airflow").startswith("2.")
ON = {"AIRFLOW__RETELL__WEBHOOK_ENABLED": "True"}
ASSET = {"AIRFLOW__RETELL__WEBHOOK_ASSET": "retell_calls"}

SCRIPT = """
import json, sys
import airflow.plugins_manager
before = set(sys.modules)
from airflow_provider_retell.webhook.plugin import RetellWebhookPlugin as plugin
plugin.validate()
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
parts = sorted(name for name in sys.modules if name.startswith("airflow_provider_retell"))
apps = getattr(plugin, "fastapi_apps", [])
print(json.dumps([[{**app, "app": callable(app["app"])} for app in apps], sorted(loaded), parts]))
"""


def test_airflow_finds_it_by_its_entry_point() -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    found = re.search(r'plugins"\]\nretell_webhook = "(.*):(.*)"', project)
    assert found
    assert found.groups() == ("airflow_provider_retell.webhook.plugin", "RetellWebhookPlugin")


def load(monkeypatch: pytest.MonkeyPatch, **settings: str) -> tuple[Any, str]:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=100
    )
    lines = done.stdout.strip().splitlines()
    return (json.loads(lines[-1]) if done.returncode == 0 else None), done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, {"AIRFLOW__RETELL__WEBHOOK_ENABLED": "False", **ASSET}, ASSET])
def test_it_is_off_unless_it_is_switched_on(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    found, said = load(monkeypatch, **settings)
    assert found is not None, said
    apps, loaded, parts = found
    assert apps == []
    assert set(loaded) <= {"airflow_provider_retell"}
    # Airflow itself asks for the provider's information where the package is installed.
    assert set(parts) - {"airflow_provider_retell.get_provider_info"} == {
        "airflow_provider_retell",
        "airflow_provider_retell.webhook",
        "airflow_provider_retell.webhook.plugin",
    }


@pytest.mark.slow
@pytest.mark.skipif(OLD, reason="needs Airflow 3")
def test_switched_on_it_is_one_app_that_loads_nothing_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    found, said = load(monkeypatch, **ON, **ASSET)
    assert found is not None, said
    assert found[0] == [{"app": True, "url_prefix": "/retell", "name": "Retell webhook"}]
    assert set(found[1]) <= {"airflow_provider_retell"}


@pytest.mark.skipif(not OLD, reason="Airflow 3 has it")
def test_switched_on_airflow_2_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    found, said = load(monkeypatch, **ON, **ASSET)
    assert found is not None, said
    assert found[0] == []
    assert "the receiver of webhooks needs Airflow 3" in said


@pytest.mark.skipif(OLD, reason="needs Airflow 3")
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "[retell] webhook_asset names no asset"),
        (
            {**ASSET, "AIRFLOW__RETELL__WEBHOOK_EVENTS": "call_end"},
            "webhook_events names some of call_analyzed, call_ended",
        ),
        ({**ASSET, "AIRFLOW__RETELL__WEBHOOK_EVENTS": " , "}, "webhook_events names some of"),
    ],
)
@pytest.mark.slow
def test_half_configured_it_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], says: str
) -> None:
    found, said = load(monkeypatch, **ON, **settings)
    assert found is None
    assert says in said
