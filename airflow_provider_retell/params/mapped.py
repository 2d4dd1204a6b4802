"""Template fields of a mapped task whose values come out of XCom.

Airflow renders the values that ``expand_kwargs(upstream())`` takes out of XCom as if the DAG file contained them. Text
of a customer, such as ``{{ conn.retell_default.password }}``, would then write the API key into a call. The operators
and sensors of this package render only values that the DAG file contains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_retell._compat import AirflowFailException

# Airflow passes these arguments with the mapped ones. The params are a copy, whether they are mapped or not, and the
# configuration of the DAG run can replace them.
ADDED = frozenset(
    {"_airflow_from_mapped", "dag", "end_date", "params", "start_date", "task_group", "task_id"}
)
_TASK_VARIABLES = ("ti", "task_instance", "task")


def mapped_arguments(arguments: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the names of the arguments that are mapped, or None if Airflow does not show them.

    :param arguments: the arguments with which Airflow makes a task from a mapped operator: those of ``partial``, and
        the mapped ones. Airflow adds values of ``default_args`` later.
    """
    partial = getattr(
        _mapped_operator(arguments.get("dag"), arguments.get("task_id")), "partial_kwargs", None
    )
    if not isinstance(partial, Mapping):
        return None
    return frozenset(
        name for name, value in arguments.items() if name not in partial or partial[name] is not value
    )


def data_fields(task: Any, map_index: int, mapped: frozenset[str] | None) -> frozenset[str]:
    """Return the names of the template fields that have a value out of XCom.

    :param task: the task that Airflow has made from a mapped operator, or a task that is not mapped.
    :param mapped: the result of :func:`mapped_arguments`; empty for a task that is not mapped.
    :raises AirflowFailException: if this version of Airflow does not show which fields these are.
    """
    operator = _mapped_operator(task.get_dag(), task.task_id)
    if operator is None and mapped == frozenset():
        return frozenset()
    # A decorated task maps the arguments of its function, and has an empty expand_input.
    values = getattr(getattr(operator, "expand_input", None), "value", None)
    if not mapped or not values:
        raise AirflowFailException(
            f"{task.task_id} is a mapped task, and this version of Airflow does not show which of its values come out "
            "of XCom. They must not be rendered as templates, so the task does not run. Use a mapped task group "
            "instead. Nothing was sent"
        )
    if isinstance(values, Mapping):  # expand(name=[...], other=upstream())
        return frozenset(name for name, value in values.items() if _is_reference(value))
    if not _is_reference(values):  # expand_kwargs([{...}, upstream()])
        values = values[map_index]
    return mapped if _is_reference(values) else frozenset()


def _mapped_operator(dag: Any, task_id: Any) -> Any:
    operator = getattr(dag, "task_dict", {}).get(task_id)
    is_mapped = getattr(operator, "is_mapped", hasattr(operator, "expand_input"))  # 3.0 added is_mapped
    return operator if is_mapped else None


def _is_reference(value: Any) -> bool:
    """Return True for the output of another task, and for an argument of a mapped task group."""
    return hasattr(value, "iter_references")


def reads_map_index(template: str, is_mapped: Callable[[str], bool]) -> bool:
    """Return True if *template* reads ``ti.map_index``, or a mapped parameter as ``task.parameter``.

    Other variables, such as ``run_id`` and ``params``, can have the same values in all mapped tasks.

    :param is_mapped: return True if a parameter of the task is mapped.
    """
    from jinja2 import Environment, TemplateError, nodes

    def _name(node: Any) -> str | None:
        return node.name if isinstance(node, nodes.Name) else None

    try:
        tree = Environment().parse(template)  # noqa: S701
    except TemplateError:  # Airflow's environment may have extensions
        return True
    # A function or a macro may read the map index of the task instance.
    if any(
        _name(argument) in _TASK_VARIABLES for call in tree.find_all(nodes.Call) for argument in call.args
    ):
        return True
    read = {(_name(node.node), node.attr) for node in tree.find_all(nodes.Getattr)}
    read |= {
        (_name(node.node), node.arg.value)
        for node in tree.find_all(nodes.Getitem)
        if isinstance(node.arg, nodes.Const)
    }
    return any(
        is_mapped(name) if variable == "task" else name == "map_index"
        for variable, name in read
        if variable in _TASK_VARIABLES
    )


def differs_in_group(value: Any) -> bool:
    """Return True if *value* is an argument of a mapped task group, or the output of a task in one."""
    if not _is_reference(value):
        return False
    return type(value).__name__ == "MappedArgument" or any(
        list(operator.iter_mapped_task_groups()) for operator, _ in value.iter_references()
    )
