"""The link from a bulk task to its report page."""

from __future__ import annotations

from typing import Any

from airflow_provider_retell._compat import BaseOperatorLink

__all__ = ["RetellReportLink"]


class RetellReportLink(BaseOperatorLink):
    """Link to the page that shows the task's counts and failed rows (Airflow 3.1 and later)."""

    name = "Report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the URL of the page without scheme and host, or ``""`` if this Airflow does not serve the page."""
        from airflow_provider_retell.report_page.address import is_enabled, page_url

        if not is_enabled():
            return ""
        return page_url(ti_key.dag_id, ti_key.run_id, ti_key.task_id, ti_key.map_index)
