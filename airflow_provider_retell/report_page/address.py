"""The address of the report page. All of Airflow's processes import this module."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

PREFIX = "/retell"
"""The path of the package's apps, below the path of ``[api] base_url``."""

_QUERY = "dag_id={}&run_id={}&task_id={}&map_index={}"


def is_enabled() -> bool:
    """Return True unless ``[retell] report_page`` is False, or Airflow's API accepts no browser's session."""
    from airflow.configuration import conf

    from airflow_provider_retell._compat.features import supports_report_page

    return supports_report_page() and conf.getboolean("retell", "report_page", fallback=True)


def page_url(dag_id: str, run_id: str, task_id: str, map_index: int) -> str:
    """Return the URL of a task's report, without scheme and host.

    A worker may know another host of the API server than browsers do.
    """
    values = (quote(str(value), safe="") for value in (dag_id, run_id, task_id, map_index))
    return f"{_page_path()}?{_QUERY.format(*values)}"


def url_template() -> str:
    """Return the URL with the placeholders that Airflow's UI replaces."""
    return f"{_page_path()}?{_QUERY.format('{DAG_ID}', '{RUN_ID}', '{TASK_ID}', '{MAP_INDEX}')}"


def _page_path() -> str:
    from airflow.configuration import conf

    path = urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/")
    return f"{path}{PREFIX}/report"
