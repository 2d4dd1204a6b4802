"""Template fields of a mapped task whose values come out of XCom.

Airflow renders the values that ``expand_kwargs(upstream())`` takes out of XCom as if the DAG file contained them. Text
of a customer, such as ``{{ conn.retell_default.password }}``, would then write the API key into a call. The operators
and sensors of this package render only values that the DAG file contains.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_retell._compat import AirflowFailException


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
