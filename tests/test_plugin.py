"""The plugin: the app with the enabled parts, and the tab of task instances."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_retell import plugin
from airflow_provider_retell.links.report import RetellReportLink

RELEASE = tuple(map(int, version("apache-airflow").split(".")[:2]))
OLD = RELEASE < (3, 0)
HAS_PAGE = RELEASE >= (3, 1)
HAS_TAB = RELEASE >= (3, 4)
ON = {"AIRFLOW__RETELL__WEBHOOK_ENABLED": "True"}
OFF = {"AIRFLOW__RETELL__WEBHOOK_ENABLED": "False"}
ASSET = {"AIRFLOW__RETELL__WEBHOOK_ASSET": "retell_calls"}
CHAT_ASSET = {"AIRFLOW__RETELL__WEBHOOK_CHAT_ASSET": "retell_chats"}

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
    from airflow_provider_retell.plugin import RetellPlugin as plugin
    plugin.validate()
    loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
    parts = sorted(name for name in sys.modules if name.startswith("airflow_provider_retell"))
    apps = getattr(plugin, "fastapi_apps", [])
    apps = [{**app, "app": app["app"].__name__} for app in apps]
    views = len(getattr(plugin, "external_views", []))
    print("RESULT", json.dumps([settings, apps, views, sorted(loaded), parts]), flush=True)
    os._exit(0)
"""


def test_entry_point_names_the_plugin() -> None:
    project = (Path(__file__).parents[1] / "pyproject.toml").read_text()
    found = re.search(r'plugins"\]\nretell = "(.*):(.*)"', project)
    assert found
    assert found.groups() == ("airflow_provider_retell.plugin", "RetellPlugin")


@pytest.mark.slow
def test_plugin_has_one_app_for_the_enabled_parts_and_loads_neither_of_them() -> None:
    page = {"AIRFLOW__RETELL__REPORT_PAGE": "True"}
    no_page = {"AIRFLOW__RETELL__REPORT_PAGE": "False"}
    cases: list[tuple[dict[str, str], str]] = [
        ({}, "serve_page"),
        ({**OFF, **ASSET, **page}, "serve_page"),
        ({**ASSET, **no_page}, ""),
    ]
    if not OLD:
        cases += [({**ON, **ASSET}, "serve"), ({**ON, **ASSET, **no_page}, "serve")]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps([settings for settings, _ in cases])],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    lines = [line.partition("RESULT ")[2] for line in done.stdout.splitlines()]
    results = [json.loads(line) for line in lines if line]
    assert [result[0] for result in results] == [settings for settings, _ in cases], done.stdout + done.stderr
    for (settings, expected), (_, apps, views, loaded, parts) in zip(cases, results, strict=True):
        app = {"app": expected, "url_prefix": "/retell", "name": "Retell"}
        has_app = expected == "serve" or (expected == "serve_page" and HAS_PAGE)
        assert apps == ([app] if has_app else [])
        assert views == (HAS_TAB and settings.get("AIRFLOW__RETELL__REPORT_PAGE") != "False")
        assert set(loaded) - sys.stdlib_module_names - {"_uuid"} <= {"airflow_provider_retell"}
        # Where the package is installed, Airflow itself loads the provider's information.
        assert set(parts) - {"airflow_provider_retell.get_provider_info"} == {
            "airflow_provider_retell",
            "airflow_provider_retell._compat",
            "airflow_provider_retell._compat.features",
            "airflow_provider_retell.plugin",
            "airflow_provider_retell.report_page",
            "airflow_provider_retell.report_page.address",
        }


@pytest.mark.skipif(not HAS_TAB, reason="needs Airflow 3.4")
def test_the_tab_is_limited_to_the_operators_that_link_to_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/team/a/")
    [view] = plugin.views()
    assert view["href"] == (
        "/team/a/retell/report?dag_id={DAG_ID}&run_id={RUN_ID}&task_id={TASK_ID}&map_index={MAP_INDEX}"
    )
    assert view["applies_to"] == {"operator_name": plugin.OPERATORS}


def test_the_plugin_names_every_operator_with_a_report_link() -> None:
    from airflow_provider_retell import operators

    linked = {
        name
        for name in operators.__all__
        for link in getattr(getattr(operators, name), "operator_extra_links", ())
        if isinstance(link, RetellReportLink)
    }
    assert linked == {name for name in plugin.OPERATORS if not name.startswith("@")}


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
            "[retell] webhook_events must name at least one of call_analyzed, call_ended, call_started, chat_analyzed",
        ),
        (
            {**ASSET, "AIRFLOW__RETELL__WEBHOOK_EVENTS": " , "},
            "[retell] webhook_events must name at least one of",
        ),
        (
            {**ASSET, "AIRFLOW__RETELL__WEBHOOK_EVENTS": "chat_ended"},
            "[retell] webhook_chat_asset that of an asset for chats",
        ),
    ],
)
def test_missing_or_invalid_setting_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], message: str
) -> None:
    configure(monkeypatch, **ON, **settings)
    with pytest.raises(ValueError, match=re.escape(message)):
        plugin.apps()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (ASSET, {"call_ended": "retell_calls", "call_analyzed": "retell_calls"}),
        (CHAT_ASSET, {"chat_ended": "retell_chats", "chat_analyzed": "retell_chats"}),
        (
            {**ASSET, **CHAT_ASSET, "AIRFLOW__RETELL__WEBHOOK_EVENTS": "call_started, chat_ended"},
            {"call_started": "retell_calls", "chat_ended": "retell_chats"},
        ),
        (
            {**ASSET, "AIRFLOW__RETELL__WEBHOOK_EVENTS": "call_ended,chat_ended"},
            {"call_ended": "retell_calls"},
        ),
    ],
)
def test_events_of_calls_and_of_chats_are_accepted_if_their_asset_is_set(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], expected: dict[str, str]
) -> None:
    configure(monkeypatch, **settings)
    assert plugin._assets() == expected
