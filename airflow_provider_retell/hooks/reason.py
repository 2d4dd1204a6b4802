"""Which errors' texts may be shown."""

from __future__ import annotations

from airflow_provider_retell.api.errors import RetellError


def safe_reason(error: BaseException) -> str:
    """Return what may be stored of *error*: an error of another's making might quote what it could not read."""
    from airflow_provider_retell._compat import AirflowException

    return str(error) if isinstance(error, (RetellError, AirflowException)) else type(error).__name__
