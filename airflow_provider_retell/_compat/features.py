"""Settings and features of Airflow that depend on its version."""

from __future__ import annotations


def default_deferrable() -> bool:
    """Return True if Airflow is configured to defer every operator that can."""
    from airflow.configuration import conf

    return bool(conf.getboolean("operators", "default_deferrable", fallback=False))


def supports_fastapi_apps() -> bool:
    """Return True if plugins can add apps to the API server (Airflow 3.0 and later)."""
    from airflow.plugins_manager import AirflowPlugin

    return hasattr(AirflowPlugin, "fastapi_apps")


def supports_report_page() -> bool:
    """Return True if the REST API accepts the session of a browser (Airflow 3.1 and later)."""
    from airflow import __version__

    return tuple(map(int, __version__.split(".")[:2])) >= (3, 1)


def supports_applies_to() -> bool:
    """Return True if plugins can limit tabs to the tasks of some operators (Airflow 3.4 and later)."""
    from airflow import plugins_manager

    return hasattr(plugins_manager, "AppliesToDict")
