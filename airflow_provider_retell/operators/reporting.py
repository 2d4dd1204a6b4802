"""Base class of the operators that write a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.common.paths import check_no_secrets, file_name, safe_path
from airflow_provider_retell.operators.base import RetellOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.rendered import as_text

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context


class ReportingOperator(RetellOperator):
    """Base class of the operators that write a report."""

    def __init__(
        self, *, report_path: str | XComArg | None = None, report_conn_id: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if checks.is_literal(report_path):
            _check_suffix(report_path)
        self.check_effect("report_path", report_path is not None, report_conn_id=report_conn_id)
        self.report_path = report_path
        self.report_conn_id = report_conn_id

    def check_report_path(self, context: Context) -> None:
        """Raise :class:`RetellInputError` if a report cannot have this name, or if mapped tasks share it."""
        path = self.rendered("report_path", as_text)
        if path is None:
            return
        map_index = context["ti"].map_index
        if map_index is not None and map_index >= 0 and not self.differs_between_mapped_tasks("report_path"):
            raise RetellInputError(
                "report_path must differ between mapped tasks, or they overwrite each other's report. Put "
                "{{ ti.map_index }} into the path"
            )
        _check_suffix(path)


def _check_suffix(path: str) -> None:
    check_no_secrets("report_path", path)
    if not file_name(path).removesuffix(".gz").endswith((".jsonl", ".ndjson")):
        raise RetellInputError(
            f"report_path must end in .jsonl or .ndjson, optionally followed by .gz, not {safe_path(path)!r}"
        )
