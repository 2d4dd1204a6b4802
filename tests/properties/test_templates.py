"""Template fields in both rendering modes: the same values arrive, and none is shown."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any

import pytest
import strategies
from hypothesis import example, given
from hypothesis import strategies as st
from tasks import DAG, Ti, rendered_fields

from airflow_provider_retell._compat import BaseOperator
from airflow_provider_retell.api.encode import same_json, to_json
from airflow_provider_retell.api.errors import RetellError, RetellInputError
from airflow_provider_retell.params import rendered
from airflow_provider_retell.params.masked import mask, unmask
from airflow_provider_retell.params.templated import TemplatedTask

modes = pytest.mark.parametrize("native", [False, True], ids=["text", "native"])


class Task(TemplatedTask, BaseOperator):
    template_fields: Sequence[str] = ("value",)
    masked_fields: Sequence[str] = ("value",)

    def __init__(self, value: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value = value


def new_dag(native: bool) -> DAG:
    dag = DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc))
    dag.render_template_as_native_obj = native
    return dag


@functools.cache
def environment(native: bool) -> Any:
    return new_dag(native).get_template_env()


def render(template: Any, native: bool, x: Any) -> Task:
    task = Task(task_id="a_task", value=template)
    task.dag = new_dag(native)
    task.render_template_fields({"ti": Ti(), "params": {}, "x": x}, environment(native))
    return task


def converted(task: Task, convert: Callable[[Any, str], Any]) -> Any:
    return convert(unmask(task.value), "value")


@modes
@pytest.mark.parametrize("template", ["{{ x }}", "{{ x | tojson }}", " {{ x | tojson }}\n"])
@given(value=strategies.objects)
@example({"a": "\U0001f600", "\U0001f600": ["\U0001f600"]})
@example({"a": True, "b": None})
@example({"a": "<'&\">", "b": "\\u0041\\", "c": "\u2028"})
def test_object_arrives_unchanged(native: bool, template: str, value: Any) -> None:
    task = render(template, native, value)
    assert same_json(to_json(converted(task, rendered.as_object), "value"), to_json(value, "value"))


@modes
@pytest.mark.parametrize("template", ["{{ x }}", "{{ x | tojson }}"])
@given(value=st.lists(strategies.json_values, max_size=4))
def test_list_arrives_unchanged(native: bool, template: str, value: Any) -> None:
    task = render(template, native, value)
    assert same_json(to_json(converted(task, rendered.as_list), "value"), to_json(value, "value"))


@modes
@given(value=st.booleans())
def test_truth_arrives_unchanged(native: bool, value: bool) -> None:
    for template in ("{{ x }}", "{{ x | int }}", "{{ x | string | lower }}"):
        assert converted(render(template, native, value), rendered.as_bool) is value


@modes
@given(value=strategies.safe_integers)
def test_whole_number_arrives_unchanged(native: bool, value: int) -> None:
    for given_value in (value, str(value)):
        assert converted(render("{{ x }}", native, given_value), rendered.as_whole_number) == value


@modes
@given(
    value=st.from_regex(r"(call|agent|batch_call)_[0-9a-f]{1,32}", fullmatch=True) | st.integers(1).map(str)
)
def test_id_arrives_unchanged(native: bool, value: str) -> None:
    if len(value) > 256:
        return
    assert converted(render("{{ x }}", native, value), rendered.as_id) == value


@modes
@given(value=st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_phone_number_arrives_unchanged_or_is_rejected(native: bool, value: str) -> None:
    try:
        number = converted(render("{{ x }}", native, value), rendered.as_phone_number)
    except RetellInputError:
        # Native rendering makes a number of it. Operators therefore render phone numbers to text in any DAG.
        assert native
    else:
        assert number == value


@modes
@given(
    value=st.integers(10**11, 10**14 - 1).map(
        lambda milliseconds: datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
    )
)
def test_time_arrives_unchanged(native: bool, value: datetime) -> None:
    expected = round(value.timestamp() * 1000)
    for given_value in (value, value.isoformat(), value.isoformat().replace("+00:00", "Z"), expected):
        assert converted(render("{{ x }}", native, given_value), rendered.as_epoch_milliseconds) == expected


CONVERTERS = [
    rendered.as_text,
    rendered.as_object,
    rendered.as_list,
    rendered.as_bool,
    rendered.as_whole_number,
    rendered.as_id,
    rendered.as_phone_number,
    rendered.as_epoch_milliseconds,
    rendered.as_storage_setting,
]


@modes
@pytest.mark.parametrize("convert", CONVERTERS)
@given(value=strategies.anything)
@example(float("nan"))
@example("9" * 5000)
@example(datetime.min)  # noqa: DTZ901
@example(datetime.min.replace(tzinfo=timezone.utc))
def test_any_value_is_converted_or_rejected_without_being_quoted(
    native: bool, convert: Callable[[Any, str], Any], value: Any
) -> None:
    text = f"pr1vate {value}" if isinstance(value, str) else value
    for given_value in (value, text):
        try:
            converted(render("{{ x }}", native, given_value), convert)
        except RetellInputError as error:
            assert "pr1vate" not in str(error)
        except RetellError as error:
            assert "could not be rendered" in str(error)


secrets = st.sampled_from(["pr1vate", "pr1vate note", "+1 415 pr1vate"])
private = st.recursive(
    secrets,
    lambda items: st.lists(items, max_size=3) | st.dictionaries(st.sampled_from("abc"), items, max_size=3),
    max_leaves=6,
)


@modes
@given(value=private)
def test_rendered_value_is_neither_stored_nor_shown(native: bool, value: Any) -> None:
    for template in ("{{ x }}", "{{ x | tojson }}", "a {{ x }}", {"key": "{{ x }}"}, ["{{ x }}"]):
        task = render(template, native, value)
        shown = [task.value, rendered_fields(task), mask(task.value), f"{task.value}", json.dumps(task.value)]
        assert "pr1vate" not in repr(shown) + str(shown)
        assert "pr1vate" in repr(unmask(task.value)) or "pr1vate" not in repr(value)


@given(strategies.anything)
def test_mask_keeps_the_value_for_the_task(value: Any) -> None:
    assert unmask(mask(value)) is value
    assert unmask(mask(mask(value))) is value
