"""Checks of a report's path.

The module of the operator imports this one, so it imports nothing that DAG files do not need.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.common.paths import check_no_secrets, file_name, safe_path
from airflow_provider_retell.params.checks import is_literal

# The other variables of templates have the same values in all mapped tasks of a DAG run.
_OWN_VARIABLES = frozenset({"ti", "task_instance", "task", "params", "loop"})


def check_suffix(path: str) -> None:
    """Raise :class:`RetellInputError` if a report cannot have this name."""
    check_no_secrets("report_path", path)
    if not file_name(path).removesuffix(".gz").endswith((".jsonl", ".ndjson")):
        raise RetellInputError(
            f"report_path must end in .jsonl or .ndjson, optionally followed by .gz, not {safe_path(path)!r}"
        )


def check_differs(template: Any, mapped_names: Collection[str] | None, map_index: int | None) -> None:
    """Raise :class:`RetellInputError` if all mapped tasks of an operator would write the same report.

    :param template: the path before it was rendered.
    :param mapped_names: the arguments that differ between the mapped tasks, or None if that is unknown.
    :param map_index: the index of the mapped task, or -1 or None if it is not mapped.
    """
    is_mapped = map_index is not None and map_index >= 0
    if not is_mapped or "report_path" in (mapped_names or ()) or not isinstance(template, str):
        return
    if not is_literal(template):
        from jinja2 import Environment, TemplateError, meta

        try:
            names = meta.find_undeclared_variables(Environment().parse(template))  # noqa: S701
        except TemplateError:  # Airflow's environment may have extensions
            return
        if names & _OWN_VARIABLES:
            return
    raise RetellInputError(
        "report_path must differ between mapped tasks, or they overwrite each other's report. Put "
        "{{ ti.map_index }} into the path"
    )
