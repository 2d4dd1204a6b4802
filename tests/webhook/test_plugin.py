"""The plugin: no app unless it is enabled, and then one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_retell.webhook import plugin

OLD = version("apache-airflow").startswith("2.")
ON = {"AIRFLOW__RETELL__WEBHOOK_ENABLED": "True"}
OFF = {"AIRFLOW__RETELL__WEBHOOK_ENABLED": "False"}
ASSET = {"AIRFLOW__RETELL__WEBHOOK_ASSET": "retell_calls"}

# Loads the plugin once with each of the given settings, in a fork of a process that has imported Airflow.
SCRIPT = """
import json, os, sys
import airflow.plugins_manager
before = set(sys.modules)
for settings in json.loads(sys.argv[1]):
    if os.fork():
        os.wait()
        continue
    os.environ.update(settings)
    from airflow_provider_retell.webhook.plugin import RetellWebhookPlugin as plugin
    plugin.validate()
    loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
    parts = sorted(name for name in sys.modules if name.startswith("airflow_provider_retell"))
    apps = getattr(plugin, "fastapi_apps", [])
    apps = [{**app, "app": callable(app["app"])} for app in apps]
    print("RESULT", json.dumps([settings, apps, sorted(loaded), parts]), flush=True)
    os._exit(0)
"""


def test_entry_point_names_the_plugin() -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    found = re.search(r'plugins"\]\nretell_webhook = "(.*):(.*)"', project)
    assert found
    assert found.groups() == ("airflow_provider_retell.webhook.plugin", "RetellWebhookPlugin")


@pytest.mark.slow
def test_plugin_has_one_app_if_it_is_enabled_and_loads_no_other_module() -> None:
    enabled = [] if OLD else [{**ON, **ASSET}]
    settings: list[dict[str, str]] = [{}, {**OFF, **ASSET}, ASSET, *enabled]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(settings)],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    lines = [line.partition("RESULT ")[2] for line in done.stdout.splitlines()]
    results = [json.loads(line) for line in lines if line]
    assert [result[0] for result in results] == settings, done.stdout + done.stderr
    for given, apps, loaded, parts in results:
        app = {"app": True, "url_prefix": "/retell", "name": "Retell webhook"}
        assert apps == ([app] if given in enabled else [])
        assert set(loaded) <= {"airflow_provider_retell"}
        # Where the package is installed, Airflow itself loads the provider's information.
        assert set(parts) - {"airflow_provider_retell.get_provider_info"} == {
            "airflow_provider_retell",
            "airflow_provider_retell.webhook",
            "airflow_provider_retell.webhook.plugin",
        }


def configure(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


@pytest.mark.skipif(not OLD, reason="needs Airflow 2")
def test_enabled_plugin_on_airflow_2_logs_the_required_version(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    configure(monkeypatch, **ON, **ASSET)
    assert plugin.apps() == []
    assert "the webhook receiver needs Airflow 3" in caplog.text


@pytest.mark.skipif(OLD, reason="needs Airflow 3")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "[retell] webhook_asset must be the name of an asset"),
        (
            {**ASSET, "AIRFLOW__RETELL__WEBHOOK_EVENTS": "call_end"},
            "[retell] webhook_events must name at least one of call_analyzed, call_ended, call_started",
        ),
        (
            {**ASSET, "AIRFLOW__RETELL__WEBHOOK_EVENTS": " , "},
            "[retell] webhook_events must name at least one of",
        ),
    ],
)
def test_missing_or_invalid_setting_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], message: str
) -> None:
    configure(monkeypatch, **ON, **settings)
    with pytest.raises(ValueError, match=re.escape(message)):
        plugin.apps()
