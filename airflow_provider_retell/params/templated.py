"""Rendering of the template fields of operators and sensors."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.params.mapped import (
    ADDED,
    data_fields,
    differs_in_group,
    mapped_arguments,
    reads_map_index,
)
from airflow_provider_retell.params.masked import Masked, mask, mask_path, unmask
from airflow_provider_retell.params.render_errors import render_error

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator as _Task
    from typing_extensions import Self
else:
    _Task = object

R = TypeVar("R")


class TemplatedTask(_Task):
    """Mixin of operators and sensors that controls how Airflow renders their template fields.

    Values that a mapped task gets out of XCom are not rendered.

    :cvar masked_fields: the template fields whose rendered values are private.
    :cvar shown_ids: by masked field, the keys of its object whose values are shown if they are ids.
    :cvar path_fields: the template fields with a path. The secrets of a URL are masked there.
    :cvar text_names: names of template fields, and of keys in them, that are rendered to text even if the DAG has
        ``render_template_as_native_obj``, which makes a number of ``+14155550100``. In a list, each item is.
    :cvar agent_fields: the template fields that can contain the agent's own ``{{variables}}``.
    """

    masked_fields: Sequence[str] = ()
    shown_ids: ClassVar[Mapping[str, Collection[str]]] = {
        "filter_criteria": ("agent", "agent_id", "batch_call_id", "call_id", "chat_id")
    }
    path_fields: Sequence[str] = ("path", "report_path", "compare_with")
    text_names: Sequence[str] = ()
    agent_fields: Sequence[str] = ()

    def __new__(cls, *_args: Any, **arguments: Any) -> Self:
        """Note which arguments the DAG file sets, and which are mapped if Airflow makes a task of a mapped operator."""
        task = super().__new__(cls)
        task.__dict__["_set_in_dag"] = frozenset(arguments)
        if arguments.get("_airflow_from_mapped"):
            task.__dict__["_mapped"] = mapped_arguments(arguments)
        return task

    @property
    def from_mapped(self) -> bool:
        """True if Airflow has made the task from a mapped operator, so that its arguments may come out of XCom."""
        return "_mapped" in self.__dict__

    @property
    def mapped_names(self) -> frozenset[str] | None:
        """The names of the arguments that differ between mapped tasks, or None if Airflow does not show them."""
        names: frozenset[str] | None = self.__dict__.get("_mapped", frozenset())
        return None if names is None else names - ADDED

    def is_set_in_dag(self, name: str) -> bool:
        """Return True if the DAG file sets parameter *name* of this task itself, and not in ``default_args``."""
        return name in self.__dict__["_set_in_dag"]

    def check_effect(self, needed: str, is_set: bool, **options: Any) -> None:
        """Raise :class:`ValueError` if the DAG file sets an option that has no effect without another parameter.

        Options that are False, None or empty are accepted, and so are those in ``default_args``, which are meant for
        other tasks too. A mapped task accepts the option if one of the two is mapped.

        :param needed: the name of the other parameter.
        :param is_set: True if the other parameter is set.
        :param options: the options and their values.
        """
        mapped = self.mapped_names
        if is_set or mapped is None or needed in mapped:
            return
        for name, value in options.items():
            is_off = value is None or value is False or value == () or name in mapped
            if self.is_set_in_dag(name) and not is_off:
                raise ValueError(
                    f"{name} must not be set without {needed}, because it has no effect then. Set {needed}, or leave "
                    f"{name} out"
                )

    def given(self, name: str) -> bool:
        """Return True if the DAG file sets template field *name*, even if its template renders to None."""
        return self._template(name) is not None

    def _template(self, name: str) -> Any:
        """Return the value of template field *name* before it was rendered."""
        templates: Mapping[str, Any] | None = self.__dict__.get("_templates")
        return getattr(self, name) if templates is None else templates.get(name)

    def differs_between_mapped_tasks(self, name: str) -> bool:
        """Return True if template field *name* is mapped, or reads the map index or another mapped parameter.

        In a mapped task group, the arguments of the group and the outputs of its tasks are mapped.
        """

        def is_mapped(name: str) -> bool:
            if self.from_mapped:
                return name in (self.mapped_names or ())
            return name in self.template_fields and differs_in_group(self._template(name))

        template = self._template(name)
        return is_mapped(name) or (isinstance(template, str) and reads_map_index(template, is_mapped))

    def rendered(self, name: str, convert: Callable[[Any, str], R], where: str = "") -> R | None:
        """Return the value of template field *name*, or None if the DAG file does not set it.

        :param convert: a function of :mod:`airflow_provider_retell.params.rendered`.
        :param where: put before the name in error messages.
        """
        return convert(unmask(getattr(self, name)), where + name) if self.given(name) else None

    def depend_on_xcoms_in(self, value: Any) -> None:
        """Run this task after the tasks whose output is in the template fields of *value*.

        Airflow does so for outputs in its own template fields, and in lists and dicts there, but not in other objects.
        """
        # Mapped tasks have the dependencies of their mapped operator.
        if not self.from_mapped:
            for operator in _tasks_with_output_in(value):
                self.set_upstream(operator)

    def _check_dependencies(self, name: str, value: Any) -> None:
        """Raise if a mapped task does not run after a task whose output is in an object in field *name*."""
        missing = {operator.task_id for operator in _tasks_with_output_in(value)}
        if missing:
            dag: Any = self.get_dag()
            missing -= dag.get_task(self.task_id).get_flat_relative_ids(upstream=True)
        if missing:
            other = min(missing)
            raise AirflowFailException(
                f"{name} has the output of {other}, but the task does not run after it: Airflow does not see outputs "
                f"inside objects in partial() and expand(). Set the dependency: {other} >> {self.task_id}. "
                "Nothing was sent"
            )

    def _do_render_template_fields(
        self,
        parent: Any,
        template_fields: Iterable[str],
        context: Any,
        jinja_env: Any,
        seen_oids: set[int],
    ) -> None:
        """Render the template fields of *parent*: this task, or an object in one of its fields.

        All versions of Airflow call this method, for mapped tasks on the task that was made from the mapped operator.
        Airflow's own version logs the values if one cannot be rendered.
        """
        names, is_task, data = list(template_fields), parent is self, frozenset[str]()
        if is_task:
            data = data_fields(self, context["ti"].map_index, self.__dict__.get("_mapped", frozenset()))
            if "_templates" not in self.__dict__:
                self._templates = {name: getattr(self, name) for name in names}
        for name in names:
            value = getattr(parent, name)
            if value is None or isinstance(value, Masked):
                continue
            if name not in data:
                if is_task and self.from_mapped:
                    self._check_dependencies(name, value)
                where = name if is_task else f"{type(parent).__name__}.{name}"
                value = self._rendered_value(name, value, where, context, jinja_env, seen_oids)
            if is_task and name in self.masked_fields:
                value = mask(value, self.shown_ids.get(name, ()))
            elif is_task and name in self.path_fields:
                value = mask_path(value)
            setattr(parent, name, value)

    def _rendered_value(
        self, name: str, value: Any, where: str, context: Any, jinja_env: Any, seen_oids: set[int]
    ) -> Any:
        if _has_template_key(value):
            raise AirflowFailException(
                f"{where} has a template in a key, and Airflow renders only values. Render the whole object with one "
                "template that ends in | tojson. Nothing was sent"
            )
        from jinja2 import StrictUndefined

        try:
            if callable(value):
                return value(context=context, jinja_env=jinja_env)
            if name in self.text_names and isinstance(value, str):
                return self._text(value, context)
            if name in self.text_names and isinstance(value, (list, tuple)):
                return [
                    self._text(item, context)
                    if isinstance(item, str)
                    else self.render_template(item, context, jinja_env, seen_oids)
                    for item in value
                ]
            if name in self.agent_fields:
                # The agent's variables must not vanish, whatever the DAG's template_undefined.
                jinja_env = jinja_env.overlay(undefined=StrictUndefined)
            return self.render_template(value, context, jinja_env, seen_oids)
        except Exception as caught:
            # A mapped task may have values that a DAG file has read from elsewhere.
            source = None if self.from_mapped else value
            error = render_error(where, caught, source, hint=name in self.agent_fields)
        raise error  # not in the except clause, so that the original error is not logged with it

    def render_template(
        self, content: Any, context: Any, jinja_env: Any = None, seen_oids: set[int] | None = None
    ) -> Any:
        """Render *content*. Values of the keys in ``text_names`` are rendered to text.

        Objects with template fields, such as sources of rows, are copied first: Airflow renders them in place, and all
        tries and mapped tasks of a process share them.
        """
        if hasattr(content, "template_fields"):
            content = copy.copy(content)
        texts: Mapping[str, str] = {}
        if isinstance(content, dict) and id(content) not in (seen_oids or ()):
            texts = {name: content[name] for name in self.text_names if isinstance(content.get(name), str)}
        if not texts:
            return super().render_template(content, context, jinja_env, seen_oids)
        others = {name: value for name, value in content.items() if name not in texts}
        rendered = super().render_template(others, context, jinja_env, seen_oids)
        rendered |= {name: self._text(text, context) for name, text in texts.items()}
        return {name: rendered[name] for name in content}

    def _text(self, template: str, context: Any) -> str:
        dag = self.get_dag()
        return render_to_text(
            template, context, dag.get_template_env(force_sandboxed=True) if dag else self.get_template_env()
        )


def render_to_text(template: str, context: Any, sandboxed_env: Any) -> str:
    """Render *template* to text, whatever the DAG's ``render_template_as_native_obj``."""
    from airflow_provider_retell._compat import render_template_to_string

    return str(render_template_to_string(sandboxed_env.from_string(template), context))


def _tasks_with_output_in(value: Any) -> Iterator[Any]:
    """Yield the tasks whose output is in *value*, in lists and dicts there, or in template fields of objects."""
    if hasattr(value, "iter_references"):
        for operator, _ in value.iter_references():
            yield operator
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tasks_with_output_in(item)
    elif isinstance(value, Mapping):
        yield from _tasks_with_output_in(list(value.values()))
    else:
        for name in getattr(value, "template_fields", ()):
            yield from _tasks_with_output_in(getattr(value, name))


def _has_template_key(value: Any) -> bool:
    if isinstance(value, dict):
        return any(isinstance(key, str) and ("{{" in key or "{%" in key) for key in value) or any(
            map(_has_template_key, value.values())
        )
    return isinstance(value, (list, tuple)) and any(map(_has_template_key, value))
