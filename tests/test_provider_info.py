"""What Airflow reads about the package is valid, true, and the same wherever it is written."""

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


def test_it_is_valid_by_airflows_own_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)
    json.dumps(get_provider_info())


def test_the_package_is_the_distribution() -> None:
    name = get_provider_info()["package-name"]
    pyproject = (Path(__file__).parents[1] / "pyproject.toml").read_text()
    assert f'name = "{name}"' in pyproject
    assert f'provider_info = "{get_provider_info.__module__}:{get_provider_info.__name__}"' in pyproject


def test_the_installed_package_announces_it() -> None:
    try:
        distribution = metadata.distribution(get_provider_info()["package-name"])
    except metadata.PackageNotFoundError:
        pytest.skip("the package is not installed, only importable")
    (point,) = distribution.entry_points.select(group="apache_airflow_provider")
    assert point.load() is get_provider_info


def every_class_path(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [path for item in value.values() for path in every_class_path(item)]
    if isinstance(value, list):
        return [path for item in value for path in every_class_path(item)]
    return [value] if isinstance(value, str) and value.startswith("airflow_provider_retell.") else []


def test_every_path_in_it_can_be_imported() -> None:
    paths = every_class_path(get_provider_info())
    assert len(paths) >= 4
    for path in paths:
        try:
            importlib.import_module(path)
        except ModuleNotFoundError:
            module, _, name = path.rpartition(".")
            assert hasattr(importlib.import_module(module), name), path
        except ImportError as error:
            if "needs Airflow 3" not in str(error) or airflow.__version__ >= "3":
                raise


def test_every_operator_sensor_and_trigger_module_is_listed() -> None:
    listed = set(every_class_path(get_provider_info()))
    package = Path(__file__).parents[1] / "airflow_provider_retell"
    for kind in ("operators", "sensors", "triggers"):
        for file in (package / kind).glob("*.py"):
            module = f"airflow_provider_retell.{kind}.{file.stem}"
            has_classes = re.search(r"^class \w+(Operator|Sensor|Trigger)\(", file.read_text(), re.MULTILINE)
            if has_classes and file.stem not in (
                "base",
                "loop",
                "once",
                "poll",
            ):  # those are for the package itself
                assert module in listed


def test_every_integration_is_declared() -> None:
    info = get_provider_info()
    declared = {item["integration-name"] for item in info["integrations"]}
    used = {
        item["integration-name"]
        for kind in ("hooks", "operators", "sensors", "triggers")
        for item in info.get(kind, [])
    }
    assert used == declared


def test_the_hook_is_what_the_metadata_says() -> None:
    assert CONNECTION_FORM["hook-class-name"] == f"{RetellHook.__module__}.{RetellHook.__qualname__}"
    assert RetellHook.conn_type == CONNECTION_FORM["connection-type"] == "retell"
    assert RetellHook.hook_name == CONNECTION_FORM["hook-name"]
    assert RetellHook.default_conn_name == "retell_default"
    assert RetellHook("other").__dict__[RetellHook.conn_name_attr] == "other"
    # Airflow looks for these on the class itself.
    assert {"get_connection_form_widgets", "get_ui_field_behaviour"} <= set(vars(RetellHook))


def test_the_forms_behavior_is_the_metadatas() -> None:
    form = CONNECTION_FORM["ui-field-behaviour"]
    behavior = RetellHook.get_ui_field_behaviour()
    assert behavior["relabeling"] == form["relabeling"]
    assert behavior["placeholders"] == form["placeholders"]
    assert behavior["hidden_fields"] == [*form["hidden-fields"], "extra"]
    jsonschema = pytest.importorskip("jsonschema")
    schema = Path(airflow.__file__).parent / "customized_form_field_behaviours.schema.json"
    if schema.exists():
        jsonschema.validate(behavior, json.loads(schema.read_text()))


def test_the_forms_fields_are_the_extras_that_are_read() -> None:
    assert set(CONNECTION_FORM["conn-fields"]) == connection._EXTRAS


@pytest.mark.parametrize("text", ["100/10", " 5 / 0.5 s", "1/1s"])
def test_the_forms_pattern_takes_what_is_read(text: str) -> None:
    assert re.search(CONNECTION_FORM["conn-fields"]["quota"]["schema"]["pattern"], text)
    Rate.parse(text)


@pytest.mark.parametrize("text", ["", "100", "a/b", "100/10/1"])
def test_the_forms_pattern_refuses_what_is_not_read(text: str) -> None:
    assert not re.search(CONNECTION_FORM["conn-fields"]["quota"]["schema"]["pattern"], text)


def test_the_forms_widgets_are_the_metadatas() -> None:
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
def test_a_dag_file_pays_for_no_http_library() -> None:
    paths = [
        path for path in every_class_path(get_provider_info()) if re.search(r"\.(operators|sensors)\.", path)
    ]
    airflows_own = loaded("from airflow_provider_retell._compat import BaseOperator, BaseOperatorLink")
    assert loaded("\n".join(f"import {path}" for path in paths)) - airflows_own == set()


@pytest.mark.slow
def test_the_api_needs_no_airflow_and_no_http_library() -> None:
    code = "import sys, pkgutil, importlib, airflow_provider_retell.api as api\n"
    code += (
        "for m in pkgutil.iter_modules(api.__path__, api.__name__ + '.'): importlib.import_module(m.name)\n"
    )
    code += "assert not {'airflow', 'requests', 'aiohttp', 'retell'} & set(sys.modules), sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)
