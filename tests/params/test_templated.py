"""TemplatedTask: which fields the DAG file sets, masks after rendering, and errors without values."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Sequence
from typing import Any

import pytest
from jinja2 import Undefined
from tasks import DAG, Ti, rendered_fields, run_task

from airflow_provider_retell._compat import AirflowFailException, AirflowSkipException, BaseOperator
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.params.masked import Masked, unmask
from airflow_provider_retell.params.rendered import as_object, as_text
from airflow_provider_retell.params.templated import TemplatedTask

PRIVATE = "Ada"


class Source:
    """An object with template fields of its own, as a source of rows is."""

    template_fields: Sequence[str] = ("sql",)

    def __init__(self, sql: str) -> None:
        self.sql = sql

    def serialize(self) -> str:
        return "a source"


class Task(TemplatedTask, BaseOperator):
    template_fields: Sequence[str] = ("text", "private", "other")
    masked_fields: Sequence[str] = ("private", "other")
    text_names: Sequence[str] = ("number", "to_number")
    agent_fields: Sequence[str] = ("other",)

    def __init__(self, *, text: Any = None, private: Any = None, other: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.text = text
        self.private = private
        self.other = other

    def execute(self, context: Any) -> Any:
        return {name: self.rendered(name, lambda value, _: value) for name in self.template_fields}


class NumberTask(Task):
    template_fields: Sequence[str] = (*Task.template_fields, "number")

    def __init__(self, *, number: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.number = number

    def execute(self, context: Any) -> Any:
        return self.number


def task(**fields: Any) -> Task:
    return Task(task_id="a_task", **fields)


def render_mapped(fields: dict[str, Any], **context: Any) -> Task:
    """Return the task that Airflow makes for the only index of a mapped task, rendered."""
    with DAG("a_dag", schedule=None) as dag:
        mapped: Any = Task.partial(task_id="a_task").expand_kwargs([fields])
    values: Any = {"ti": Ti(map_index=0), "dag": dag, "params": {}, **context}
    unmapped: Task = mapped.unmap(fields)
    unmapped._do_render_template_fields(
        unmapped, mapped.template_fields, values, dag.get_template_env(), set()
    )
    return unmapped


@pytest.mark.parametrize("native", [False, True])
def test_rendered_values_of_masked_fields_are_masked(native: bool) -> None:
    operator = task(text="{{ name }}", private={"name": "{{ name }}"}, other="{{ name }}")
    result = run_task(operator, native=native, name=PRIVATE)
    assert result == {"text": PRIVATE, "private": {"name": PRIVATE}, "other": PRIVATE}
    assert rendered_fields(operator) == {"text": PRIVATE, "private": {"name": "***"}, "other": "***"}


def test_values_of_a_mapped_task_are_masked() -> None:
    operator = render_mapped({"text": "a", "private": {"name": PRIVATE}, "other": ""})
    assert rendered_fields(operator) == {"text": "a", "private": {"name": "***"}, "other": "***"}
    assert unmask(operator.private) == {"name": PRIVATE}


def test_an_assignment_in_a_dag_file_is_no_mask() -> None:
    operator = task(private="{{ a }}")
    operator.private = "{{ name }}"
    assert operator.private == "{{ name }}"
    assert not isinstance(operator.private, Masked)
    assert run_task(operator, name=PRIVATE)["private"] == PRIVATE


def test_a_field_is_given_if_the_dag_file_sets_it() -> None:
    operator = task(text="{{ none }}", private="", other=None)
    assert (operator.given("text"), operator.given("private"), operator.given("other")) == (True, True, False)
    run_task(operator, native=True, none=None)
    assert operator.text is None
    assert (operator.given("text"), operator.given("private"), operator.given("other")) == (True, True, False)


def test_rendered_returns_none_for_a_field_that_is_not_given() -> None:
    operator = task(text="{{ none }}", private='{"a": 1}')
    run_task(operator, native=True, none=None)
    assert operator.rendered("other", as_object) is None
    assert operator.rendered("private", as_object) == {"a": 1}
    with pytest.raises(RetellError, match="call_1: text rendered to an empty value"):
        operator.rendered("text", as_text, "call_1: ")


def test_a_task_that_was_never_rendered_has_its_values() -> None:
    assert task(text="a", private={"b": 1}).execute({}) == {"text": "a", "private": {"b": 1}, "other": None}


def test_a_second_rendering_keeps_masks_and_given_fields() -> None:
    operator = task(text="{{ none }}", private="{{ name }}")
    run_task(operator, native=True, name=PRIVATE, none=None)
    operator.render_template_fields({"ti": Ti(), "params": {}}, operator.dag.get_template_env())
    assert unmask(operator.private) == PRIVATE
    assert operator.given("text")


def test_a_callable_value_is_called() -> None:
    operator = task(private=lambda context, jinja_env: {"name": context["name"]})
    assert run_task(operator, name=PRIVATE)["private"] == {"name": PRIVATE}
    assert rendered_fields(operator)["private"] == {"name": "***"}


def test_the_fields_of_an_object_in_a_field_are_rendered() -> None:
    operator = task(private=Source("select '{{ name }}'"))
    assert run_task(operator, name=PRIVATE)["private"].sql == "select 'Ada'"
    assert rendered_fields(operator)["private"] == "a source"


def failure(render: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the message of a rendering error. Neither the log nor the traceback may have the value."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(RetellError) as error:
        render()
    printed = "".join(traceback.format_exception(error.value))
    assert error.value.__context__ is None
    assert PRIVATE not in printed + caplog.text + "".join(capsys.readouterr())
    return str(error.value)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ missing }}", "UndefinedError: 'missing' is undefined"),
        ("{{ row.missing }}", "UndefinedError: 'dict object' has no attribute 'missing'"),
        ("{{ row[row.name + ' x'] }}", "UndefinedError: 'dict object' has no attribute '...'"),
        ("{{ row[row.name] }}", "UndefinedError: 'dict object' has no attribute '...'"),
        ("{{ row", "TemplateSyntaxError: unexpected end of template, expected '...'."),
        ("{{ row.name + 1 }}", "TypeError"),
        ("{{ row.name | tojson(default=5) }}", "TypeError"),
    ],
)
def test_a_rendering_error_names_the_field_and_no_value(
    template: str, reason: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    operator = task(private={"a": template})
    says = failure(lambda: run_task(operator, row={"name": PRIVATE}), caplog, capsys)
    assert says == f"private could not be rendered: {reason}. Check the template"


def people() -> None:
    raise ValueError(PRIVATE)


def people_in_json() -> None:
    json.loads(PRIVATE)


@pytest.mark.parametrize("read", [people, people_in_json])
def test_an_error_in_the_users_function_names_its_line_and_no_value(
    read: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    says = failure(lambda: run_task(task(private="{{ read() | tojson }}"), read=read), caplog, capsys)
    kind = "ValueError" if read is people else "JSONDecodeError"
    line = read.__code__.co_firstlineno + 1
    assert says == (
        f"private could not be rendered: {kind} in {read.__name__}(), line {line} of test_templated.py. Check that line"
    )


def test_an_error_in_a_users_lambda_names_its_line() -> None:
    read = lambda: 1 / 0  # noqa: E731
    with pytest.raises(RetellError) as error:
        run_task(task(private="{{ read() }}"), read=read)
    assert f"ZeroDivisionError in line {read.__code__.co_firstlineno} of test_templated.py" in str(
        error.value
    )


@pytest.mark.parametrize("kind", ["value", "json"])
def test_a_missing_airflow_variable_is_named(kind: str) -> None:
    with pytest.raises(RetellError) as error:
        run_task(task(private="{{ var." + kind + ".nope }}"))
    assert str(error.value) == (
        "private could not be rendered: the Airflow Variable 'nope' is not defined. Define it (Admin, Variables), or "
        "set AIRFLOW_VAR_NOPE where the task runs"
    )


@pytest.mark.parametrize(
    "cause",
    [
        KeyError("Variable nope does not exist"),
        RuntimeError("VARIABLE_NOT_FOUND: {'key': 'nope'}"),
        RuntimeError("VARIABLE_NOT_FOUND: {'message': 'Variable nope not found'}"),
    ],
)
def test_a_missing_variable_of_a_real_airflow_is_named(cause: Exception) -> None:
    def read() -> None:
        raise cause

    with pytest.raises(RetellError, match="the Airflow Variable 'nope' is not defined"):
        run_task(task(private="{{ read() }}"), read=read)


@pytest.mark.parametrize("text", ["{{ Ada }}", "{{ Ada", "{% Ada %}"])
def test_a_rendering_error_in_a_mapped_task_does_not_quote_the_value(
    text: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    says = failure(lambda: render_mapped({"private": {"note": text}}), caplog, capsys)
    assert says.startswith("private could not be rendered: ")


def test_a_rendering_error_in_an_object_does_not_quote_the_value(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    operator = task(private=Source("Ada {{ missing }}"))
    says = failure(lambda: run_task(operator), caplog, capsys)
    assert says == (
        "Source.sql could not be rendered: UndefinedError: 'missing' is undefined. Check the template"
    )


def test_airflows_own_exceptions_pass_through() -> None:
    def skip(**_: Any) -> None:
        raise AirflowSkipException("nothing to do")

    with pytest.raises(AirflowSkipException, match="nothing to do"):
        run_task(task(private=skip))


# -- text, whatever the DAG's render_template_as_native_obj


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("number", ["+14155550100", "0123", "1_000", "0x10", "1e5", "[1]", "None"])
def test_fields_of_text_are_rendered_to_text(native: bool, number: str) -> None:
    assert run_task(NumberTask(task_id="a_task", number="{{ n }}"), native=native, n=number) == number


@pytest.mark.parametrize("native", [False, True])
def test_keys_of_text_are_rendered_to_text(native: bool) -> None:
    given = [{"to_number": "{{ n }}", "count": "{{ 1 }}", "more": ({"to_number": "{{ n }}"},)}]
    result = run_task(task(private=given), native=native, n="+14155550100")["private"]
    count = 1 if native else "1"
    assert result == [{"to_number": "+14155550100", "count": count, "more": ({"to_number": "+14155550100"},)}]
    assert list(result[0]) == ["to_number", "count", "more"]


# -- the agent's own variables, and templates in keys


@pytest.mark.parametrize("lenient", [False, True])
def test_a_variable_of_the_agent_is_explained(lenient: bool) -> None:
    operator = task(other={"greeting": "Hello {{user_name}}, {% raw %}{{kept}}{% endraw %}"})
    dag = DAG(
        "a_dag",
        schedule=None,
        **({"template_undefined": Undefined} if lenient else {}),
    )
    operator.dag = dag
    with pytest.raises(RetellError) as error:
        operator.render_template_fields({"ti": Ti(), "params": {}}, dag.get_template_env())
    assert str(error.value) == (
        "other could not be rendered: UndefinedError: 'user_name' is undefined. Check the template. If "
        "{{user_name}} is a variable of the agent, write {% raw %}{{user_name}}{% endraw %}"
    )


def test_raw_text_reaches_the_agent() -> None:
    operator = task(other={"greeting": "Hello {% raw %}{{user_name}}{% endraw %} of {{ name }}"})
    assert run_task(operator, name="Acme")["other"] == {"greeting": "Hello {{user_name}} of Acme"}


@pytest.mark.parametrize(
    "value",
    [
        {"{{ params.key }}": "gold"},
        {"a": {"b": [{"{% if x %}y{% endif %}": 1}]}},
        [{"metadata": {"{{ params.key }}": "gold"}}],
    ],
)
@pytest.mark.parametrize("name", ["text", "private"])
def test_a_template_in_a_key_is_refused(name: str, value: Any) -> None:
    with pytest.raises(
        AirflowFailException, match=f"{name} has a template in a key.*Nothing was sent"
    ) as error:
        run_task(task(**{name: value}), params={"key": "tier"})
    assert "gold" not in str(error.value)


def test_a_template_of_a_whole_object_may_compute_keys() -> None:
    operator = task(private='{ "{{ params.key }}": "gold" }')
    assert run_task(operator, params={"key": "tier"})["private"] == '{ "tier": "gold" }'
