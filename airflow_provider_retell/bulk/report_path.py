"""Checks of a report's path.

The module of the operator imports this one, so it imports nothing that DAG files do not need.
"""

from __future__ import annotations

from collections.abc import Callable

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.common.paths import check_no_secrets, file_name, safe_path


def check_suffix(path: str) -> None:
    """Raise :class:`RetellInputError` if a report cannot have this name."""
    check_no_secrets("report_path", path)
    if not file_name(path).removesuffix(".gz").endswith((".jsonl", ".ndjson")):
        raise RetellInputError(
            f"report_path must end in .jsonl or .ndjson, optionally followed by .gz, not {safe_path(path)!r}"
        )


def check_differs(map_index: int | None, differs: Callable[[str], bool]) -> None:
    """Raise :class:`RetellInputError` if all mapped tasks of an operator would write the same report.

    :param map_index: the index of the mapped task, or -1 or None if it is not mapped.
    :param differs: return True if a parameter of the operator differs between its mapped tasks.
    """
    if map_index is not None and map_index >= 0 and not differs("report_path"):
        raise RetellInputError(
            "report_path must differ between mapped tasks, or they overwrite each other's report. Put "
            "{{ ti.map_index }} into the path"
        )
