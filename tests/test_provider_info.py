"""The metadata that Airflow reads is valid, and agrees with the code."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import airflow
import pytest

from airflow_provider_retell.api.quota import Rate
from airflow_provider_retell.get_provider_info import CONNECTION_FORM, get_provider_info
from airflow_provider_retell.hooks import connection
from airflow_provider_retell.hooks.retell import RetellHook


def test_metadata_is_valid_according_to_airflows_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)
    json.dumps(get_provider_info())


def test_metadata_names_the_distribution_and_its_entry_point() -> None:
    name = get_provider_info()["package-name"]
    pyproject = (Path(__file__).parents[1] / "pyproject.toml").read_text()
    assert f'name = "{name}"' in pyproject
    assert f'provider_info = "{get_provider_info.__module__}:{get_provider_info.__name__}"' in pyproject


def test_installed_package_has_the_entry_point() -> None:
    try:
        distribution = metadata.distribution(get_provider_info()["package-name"])
    except metadata.PackageNotFoundError:
        pytest.skip("the package is not installed, only importable")
    (point,) = distribution.entry_points.select(group="apache_airflow_provider")
    assert point.load() is get_provider_info


def every_path(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [path for item in value.values() for path in every_path(item)]
    if isinstance(value, list):
        return [path for item in value for path in every_path(item)]
    return [value] if isinstance(value, str) and value.startswith("airflow_provider_retell.") else []


def test_every_path_in_the_metadata_can_be_imported() -> None:
    paths = every_path(get_provider_info())
    assert len(paths) >= 4
    for path in paths:
        try:
            importlib.import_module(path)
        except ModuleNotFoundError:
            module, _, name = path.rpartition(".")
            assert hasattr(importlib.import_module(module), name), path
        except ImportError as error:
            if "Airflow 3" not in str(error) or airflow.__version__ >= "3":
                raise


# Base classes, which users do not import.
BASES = {
    "at_most_once",
    "base",
    "bulk_records",
    "call_base",
    "contact_rows",
    "data_interval",
    "delete_record",
    "event_loop",
    "list_records",
    "placing",
    "record",
    "rerun_analysis",
    "record_event",
    "rows_base",
}


def test_every_module_of_operators_sensors_and_triggers_is_listed() -> None:
    listed = set(every_path(get_provider_info()))
    package = Path(__file__).parents[1] / "airflow_provider_retell"
    for kind in ("operators", "sensors", "triggers"):
        modules = {
            f"airflow_provider_retell.{kind}.{file.stem}"
            for file in (package / kind).glob("*.py")
            if re.search(r"^class \w+(Operator|Sensor|Trigger)\(", file.read_text(), re.MULTILINE)
            and file.stem not in BASES
        }
        assert modules == {path for path in listed if path.startswith(f"airflow_provider_retell.{kind}.")}


def test_description_ends_with_the_url() -> None:
    # The Providers page removes the markup and takes punctuation after the URL for a part of it.
    description = re.sub("[`_<>]", "", get_provider_info()["description"].strip(" \n."))
    assert description.endswith("Retell AI https://www.retellai.com/")


def test_every_integration_is_declared() -> None:
    info = get_provider_info()
    declared = {item["integration-name"] for item in info["integrations"]}
    used = {
        item["integration-name"]
        for kind in ("hooks", "operators", "sensors", "triggers")
        for item in info.get(kind, [])
    }
    assert used == declared


def test_hook_agrees_with_the_metadata() -> None:
    assert CONNECTION_FORM["hook-class-name"] == f"{RetellHook.__module__}.{RetellHook.__qualname__}"
    assert RetellHook.conn_type == CONNECTION_FORM["connection-type"] == "retell"
    assert RetellHook.hook_name == CONNECTION_FORM["hook-name"]
    assert RetellHook.default_conn_name == "retell_default"
    assert RetellHook("other").__dict__[RetellHook.conn_name_attr] == "other"
    # Airflow does not look for these in base classes.
    assert {"get_connection_form_widgets", "get_ui_field_behaviour"} <= set(vars(RetellHook))


def test_field_behavior_of_the_hook_agrees_with_the_metadata() -> None:
    form = CONNECTION_FORM["ui-field-behaviour"]
    behavior = RetellHook.get_ui_field_behaviour()
    assert behavior["relabeling"] == form["relabeling"]
    assert behavior["placeholders"] == form["placeholders"]
    assert behavior["hidden_fields"] == [*form["hidden-fields"], "extra"]
    jsonschema = pytest.importorskip("jsonschema")
    schema = Path(airflow.__file__).parent / "customized_form_field_behaviours.schema.json"
    if schema.exists():
        jsonschema.validate(behavior, json.loads(schema.read_text()))


def test_form_has_the_extra_fields_that_the_hook_reads() -> None:
    assert set(CONNECTION_FORM["conn-fields"]) == connection._EXTRAS


@pytest.mark.parametrize("text", ["100/10", " 5 / 0.5 s", "1/1s"])
def test_pattern_of_the_form_accepts_valid_quotas(text: str) -> None:
    assert re.search(CONNECTION_FORM["conn-fields"]["quota"]["schema"]["pattern"], text)
    Rate.parse(text)


@pytest.mark.parametrize("text", ["", "100", "a/b", "100/10/1"])
def test_pattern_of_the_form_rejects_invalid_quotas(text: str) -> None:
    assert not re.search(CONNECTION_FORM["conn-fields"]["quota"]["schema"]["pattern"], text)


def test_form_widgets_of_the_hook_agree_with_the_metadata() -> None:
    pytest.importorskip("flask_appbuilder")
    wtforms = pytest.importorskip("wtforms")

    class Form(wtforms.Form):
        pass

    fields = CONNECTION_FORM["conn-fields"]
    for name, widget in RetellHook.get_connection_form_widgets().items():
        setattr(Form, name, widget)
    form = Form()
    assert set(form._fields) == set(fields)
    for name, field in form._fields.items():
        assert field.label.text == fields[name]["label"]
        assert field.description == fields[name]["description"]

    class Values(dict):
        def getlist(self, name: str) -> list[str]:
            return [self[name]] if name in self else []

    for values, valid in (
        ({}, True),
        ({"timeout": "", "connect_timeout": "", "quota": ""}, True),
        ({"timeout": "60", "connect_timeout": "120", "quota": "100/10"}, True),
        ({"timeout": "0"}, False),
        ({"timeout": "601"}, False),
        ({"connect_timeout": "121"}, False),
        ({"timeout": "soon"}, False),
        ({"quota": "many"}, False),
    ):
        assert Form(Values(values)).validate() is valid, values


# The modules of "api" other than "errors" need pydantic.
HEAVY = (
    "requests",
    "aiohttp",
    "retell",
    "pydantic",
    "airflow_provider_retell.api",
    "airflow_provider_retell.hooks",
)


def loaded(code: str) -> set[str]:
    script = f"{code}\nimport sys\nprint('LOADED', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("LOADED"))
    return {
        name
        for name in line.split()
        if name.startswith(tuple(f"{heavy}." for heavy in HEAVY)) or name in HEAVY
    }


@pytest.mark.slow
def test_import_of_operators_and_sensors_loads_no_http_library() -> None:
    paths = [path for path in every_path(get_provider_info()) if re.search(r"\.(operators|sensors)\.", path)]
    airflows_own = loaded("from airflow_provider_retell._compat import BaseOperator, BaseOperatorLink")
    light = {  # they import no more than the standard library
        "airflow_provider_retell.api",
        "airflow_provider_retell.api.calls",
        "airflow_provider_retell.api.calls.files",
        "airflow_provider_retell.api.choices",
        "airflow_provider_retell.api.errors",
        "airflow_provider_retell.api.kinds",
        "airflow_provider_retell.api.knowledge_bases",
        "airflow_provider_retell.api.knowledge_bases.limits",
        "airflow_provider_retell.api.phone_numbers",
        "airflow_provider_retell.api.phone_numbers.e164",
        "airflow_provider_retell.api.versions",
        "airflow_provider_retell.api.records",
        "airflow_provider_retell.api.records.nouns",
        "airflow_provider_retell.hooks",
        "airflow_provider_retell.hooks.metrics",
        "airflow_provider_retell.hooks.reason",
    }
    assert loaded("\n".join(f"import {path}" for path in paths)) - airflows_own <= light


@pytest.mark.slow
def test_api_needs_neither_airflow_nor_an_http_library() -> None:
    code = "import sys, pkgutil, importlib, airflow_provider_retell.api as api\n"
    code += "found = [m.name for m in pkgutil.walk_packages(api.__path__, api.__name__ + '.')]\n"
    code += "assert api.__name__ + '.calls.endpoints' in found\n"
    code += "for name in found: importlib.import_module(name)\n"
    code += "assert not {'airflow', 'requests', 'aiohttp', 'retell'} & set(sys.modules), sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)
