"""Checks of a report's path.

The module of the operator imports this one, so it imports nothing that DAG files do not need.
"""

from __future__ import annotations

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


def check_differs(template: Any) -> None:
    """Raise :class:`RetellInputError` if *template* gives the same path to all mapped tasks."""
    if not isinstance(template, str):
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
