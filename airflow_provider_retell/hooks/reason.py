"""Describe errors without private data."""

from __future__ import annotations

from airflow_provider_retell._compat import AirflowException
from airflow_provider_retell.api.errors import RetellError

CONNECTION = "the Airflow connection"
"""The connection in error messages of code that does not know its id."""


def safe_reason(error: BaseException) -> str:
    """Return a description of *error* that is safe to log and store.

    For exceptions of other packages this is only the type, because their messages may quote private input.
    """
    return str(error) if isinstance(error, (RetellError, AirflowException)) else type(error).__name__


def name_connection(error: RetellError, conn_id: str) -> None:
    """Add the id of the Airflow connection to the message of *error*, if the message asks to check the connection."""
    error.args = (str(error).replace(CONNECTION, f"{CONNECTION} {conn_id!r}"), *error.args[1:])


def missing_connection(error: BaseException) -> str:
    """Return the message for a connection that is not defined where the task runs."""
    return (
        f"{str(error).rstrip('.')}. Define it (Admin, Connections) or set AIRFLOW_CONN_… where the task runs. Nothing "
        "was sent"
    )
