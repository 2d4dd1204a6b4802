"""Mapped tasks: values out of XCom are data, and only the DAG file has templates."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tasks import DAG, Ti

try:
    from airflow.sdk import task_group
    from airflow.sdk.definitions._internal.mixins import ResolveMixin
except ImportError:  # 2.11
    from airflow.decorators import task_group
    from airflow.utils.mixins import ResolveMixin

from airflow_provider_retell._compat import AirflowFailException, BaseOperator
from airflow_provider_retell.params.masked import unmask
from airflow_provider_retell.params.templated import TemplatedTask

# Text that a customer may have typed.
TEXTS = [
    "{{ 7*7 }}{{ conn.retell_default.password }}",
    "50 {% off",
    "{{first_name}}",
    "{# note #}",
    "{% for x in ().__class__.__mro__ %}{{ x }}{% endfor %}",
    "{{ ds",
]


class Upstream(BaseOperator):
    pass


class Task(TemplatedTask, BaseOperator):
    template_fields = ("text", "private", "other")
    template_ext = (".sql",)
    masked_fields = ("private",)

    def __init__(
        self, *, text: Any = None, private: Any = None, other: Any = "default", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.text = text
        self.private = private
        self.other = other


def a_dag(default_args: dict[str, Any] | None = None) -> DAG:
    return DAG("a_dag", schedule=None, default_args=default_args or {})


def render(
    define: Callable[[Any], Any],
    mapping: Mapping[str, Any],
    map_index: int = 0,
    default_args: Any = None,
    **context: Any,
) -> dict[str, Any]:
    """Render the task that Airflow makes from the mapped operator of *define*, and return its fields.

    :param define: gets the output of another task, and returns a mapped operator.
    :param mapping: the mapped arguments, as they come out of XCom or out of the DAG file.
    """
    with a_dag(default_args) as dag:
        mapped = define(Upstream(task_id="upstream").output)
    task = mapped.unmap(mapping)
    values: Any = {"ti": Ti(map_index=map_index), "dag": dag, "params": {}, "day": "Monday", **context}
    task._do_render_template_fields(task, mapped.template_fields, values, dag.get_template_env(), set())
    return {name: unmask(getattr(task, name)) for name in task.template_fields}


def partial(**arguments: Any) -> Any:
    return Task.partial(task_id="a_task", **arguments)


def nested(text: str) -> Any:
    return {"note": text, "list": [text, (text,)], "dict": {"a": {"b": text}}, text: 1}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    "define",
    [
        lambda up: partial().expand_kwargs(up),
        lambda up: partial().expand_kwargs(up.map(lambda row: row)),
        lambda up: partial().expand_kwargs(up.concat(up)),
        lambda up: partial().expand_kwargs(up.zip(up).map(lambda pair: pair[0])),
        lambda up: partial().expand_kwargs([up, up]),
        lambda up: partial().expand(text=up, private=up, other=up.map(lambda row: row)),
        lambda up: partial(text="{{ day }}", other="{{ day }}").expand_kwargs(up, strict=False),
    ],
    ids=["output", "map", "concat", "zip", "list of outputs", "expand", "over partial"],
)
def test_values_out_of_xcom_are_not_rendered(define: Any, text: str) -> None:
    given = {"text": text, "private": nested(text), "other": [text]}
    assert render(define, given) == given


def test_text_out_of_xcom_is_no_name_of_a_file() -> None:
    given = {"text": "secrets.sql", "private": ["secrets.sql"], "other": None}
    assert render(lambda up: partial().expand_kwargs(up), given) == given


def test_templates_in_partial_are_rendered() -> None:
    fields = render(lambda up: partial(private={"day": "{{ day }}"}).expand_kwargs(up), {"text": "{{ day }}"})
    assert fields == {"text": "{{ day }}", "private": {"day": "Monday"}, "other": "default"}


def test_templates_in_partial_that_the_mapping_does_not_replace_are_rendered() -> None:
    fields = render(
        lambda up: partial(text="{{ day }}", other="{{ day }}").expand_kwargs(up, strict=False),
        {"text": "{{ x }}"},
    )
    assert fields == {"text": "{{ x }}", "private": None, "other": "Monday"}


def test_templates_in_default_args_are_rendered() -> None:
    defaults = {"text": "{{ day }}", "other": "{{ day }}"}
    fields = render(lambda up: partial().expand_kwargs(up), {"other": "{{ x }}"}, default_args=defaults)
    assert fields == {"text": "Monday", "private": None, "other": "{{ x }}"}


def test_templates_in_literal_lists_are_rendered() -> None:
    fields = render(lambda _: partial().expand(text=["{{ day }}"]), {"text": "{{ day }}"})
    assert fields["text"] == "Monday"
    literal = {"private": {"day": "{{ day }}"}, "other": "{{ day }}"}
    fields = render(lambda _: partial().expand_kwargs([literal]), literal)
    assert fields == {"text": None, "private": {"day": "Monday"}, "other": "Monday"}


def test_literal_lists_and_outputs_can_be_mixed() -> None:
    fields = render(
        lambda up: partial().expand(text=["{{ day }}"], private=up),
        {"text": "{{ day }}", "private": "{{ x }}"},
    )
    assert fields == {"text": "Monday", "private": "{{ x }}", "other": "default"}
    for map_index, text in ((0, "Monday"), (1, "{{ day }}")):
        fields = render(
            lambda up: partial().expand_kwargs([{"text": "{{ day }}"}, up]), {"text": "{{ day }}"}, map_index
        )
        assert fields["text"] == text


def test_values_of_an_argument_of_a_mapped_task_group_are_not_rendered() -> None:
    class Argument(ResolveMixin):  # type: ignore[misc]
        """As Airflow's argument of a mapped task group."""

        def iter_references(self) -> Any:
            return iter(())

        def resolve(self, *_: Any, **__: Any) -> Any:
            return nested("{{ x }}")

    with a_dag() as dag:
        task = Task(task_id="a_task", private=Argument(), text="{{ day }}")
    context: Any = {"ti": Ti(map_index=3), "dag": dag, "params": {}, "day": "Monday"}
    task.render_template_fields(context, dag.get_template_env())
    assert (unmask(task.private), task.text) == (nested("{{ x }}"), "Monday")


def check_refused(task: Task, dag: DAG) -> None:
    context: Any = {"ti": Ti(map_index=0), "dag": dag, "params": {}}
    with pytest.raises(AirflowFailException, match="does not show which of its values come out of XCom"):
        task._do_render_template_fields(task, Task.template_fields, context, dag.get_template_env(), set())


@pytest.mark.parametrize("missing", ["partial_kwargs", "expand_input", "value", "dag"])
def test_a_task_does_not_run_if_airflow_does_not_show_what_is_mapped(missing: str) -> None:
    with a_dag() as dag:
        mapped = partial().expand_kwargs(Upstream(task_id="upstream").output)

    class Operator:
        is_mapped = True
        partial_kwargs: Any = mapped.partial_kwargs
        expand_input: Any = mapped.expand_input

    if missing == "dag":
        dag.task_dict.pop("a_task")
    elif missing == "value":
        Operator.expand_input = object()
        dag.task_dict["a_task"] = Operator()
    else:
        setattr(Operator, missing, None)
        dag.task_dict["a_task"] = Operator()
    task = mapped.unmap({"text": "{{ x }}"})
    check_refused(task, dag)


def test_a_task_that_airflow_makes_in_an_unknown_way_does_not_run() -> None:
    with a_dag() as dag:
        mapped = partial().expand_kwargs(Upstream(task_id="upstream").output)
    with a_dag() as other:
        task = Task(task_id="a_task", text="{{ x }}")
    other.task_dict["a_task"] = mapped
    check_refused(task, dag)


@pytest.mark.parametrize(
    ("template", "differs"),
    [
        ("{{ ti.map_index }}", True),
        ("{{ ds }}-{{ '%03d' % task_instance.map_index }}", True),
        ("{% set rows = ti.xcom_pull('rows') %}{{ rows[ti.map_index].day }}", True),
        ("{{ task.private.day }}", True),
        ("{% another_tag %}", True),  # an extension of the DAG's environment may know it
        ("{{ task.other }}", False),
        ("{{ ti.run_id }}-{{ ds }}", False),
        ("{{ task_instance.task_id }}", False),
        ("{{ params.day }}-{{ task.params.day }}", False),
        ("{{ task.task_id }}-{{ task.dag.dag_id }}", False),
        ("{{ task.text }}", False),
        ("{{ loop.index }}-{{ map_index }}-{{ dag_run.map_index }}", False),
        ("{% for ti in [1] %}{{ loop.index }}{% endfor %}", False),
        ("text", False),
    ],
)
def test_a_template_differs_between_mapped_tasks_if_it_reads_the_index_or_a_mapped_parameter(
    template: str, differs: bool
) -> None:
    with a_dag():
        upstream = Upstream(task_id="upstream").output
        mapped = partial(text=template, other=upstream, params={"day": 1}).expand(private=[{"day": 1}])
    task = mapped.unmap({"private": {"day": 1}})
    assert task.differs_between_mapped_tasks("text") is differs
    assert task.differs_between_mapped_tasks("private") is True
    assert task.differs_between_mapped_tasks("other") is False


@pytest.mark.parametrize(
    ("template", "differs"),
    [
        ("{{ task.private }}", True),
        ("{{ task.other }}", True),
        ("{{ ti.map_index }}", True),
        ("{{ task.third }}", False),
        ("{{ task.task_id }}-{{ task.trigger_rule }}", False),
        ("{{ ti.task_id }}", False),
    ],
)
def test_arguments_and_outputs_of_a_mapped_task_group_differ_between_its_tasks(
    template: str, differs: bool
) -> None:
    class WithThird(Task):
        template_fields = ("text", "private", "other", "third")

        def __init__(self, *, third: Any, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.third = third

    with a_dag() as dag:
        outside = Upstream(task_id="upstream").output

        @task_group
        def group(day: Any) -> None:
            inside = Upstream(task_id="inside").output
            WithThird(task_id="a_task", text=template, private=day, other=inside, third=outside)

        group.expand(day=["Monday", "Tuesday"])
    task: Any = dag.get_task("group.a_task")
    assert task.differs_between_mapped_tasks("text") is differs
    fields = ("private", "other", "third")
    assert [task.differs_between_mapped_tasks(name) for name in fields] == [True, True, False]


def public_tasks() -> list[type]:
    packages = [
        importlib.import_module(f"airflow_provider_retell.{name}") for name in ("operators", "sensors")
    ]
    names = [(package, name) for package in packages for name in package.__all__]
    return [getattr(package, name) for package, name in names if name.endswith(("Operator", "Sensor"))]


@pytest.mark.parametrize("kind", public_tasks(), ids=lambda kind: kind.__name__)
def test_every_template_field_has_the_name_of_its_argument(kind: Any) -> None:
    assert issubclass(kind, TemplatedTask)
    arguments = {
        name
        for base in kind.__mro__
        if base.__module__.startswith("airflow_provider_retell.") and "__init__" in vars(base)
        for name in inspect.signature(vars(base)["__init__"]).parameters
    }
    assert set(kind.template_fields) <= arguments
    assert set(kind.masked_fields) <= set(kind.template_fields)
    assert set(kind.agent_fields) <= set(kind.template_fields)
