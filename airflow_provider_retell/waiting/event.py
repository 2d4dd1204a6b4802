"""The event of a polling trigger, and the time-out of a deferred task."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow_provider_retell.api.errors import RetellError, WaitFailedError, WaitTimeoutError


def trigger_timeout(seconds: float) -> timedelta:
    """Return the time after which Airflow fails a deferred task, given the *seconds* until the trigger's deadline.

    The trigger's own time-out comes first, and its message has the reason. Airflow's limit only matters if no triggerer
    runs.
    """
    return timedelta(seconds=seconds + 300)


def execution_deadline(started: float, execution_timeout: timedelta | None) -> float | None:
    """Return the time, in epoch seconds, at which ``execution_timeout`` ends the task, or None.

    Airflow itself applies ``execution_timeout`` only in workers, not in the triggerer.
    """
    return None if execution_timeout is None else started + execution_timeout.total_seconds()


def end_of_wait(deadline: float, execution_deadline: float | None) -> tuple[float, bool]:
    """Return the end of a wait in epoch seconds, and whether ``execution_timeout`` is the reason for it."""
    if execution_deadline is None or deadline < execution_deadline:
        return deadline, False
    return execution_deadline, True


def timeout_error(message: str, execution_timeout: bool) -> BaseException:
    """Return the exception for a wait that has reached its end.

    For ``execution_timeout`` it is Airflow's own exception, so that Airflow calls ``on_kill`` as it does in a worker.
    """
    if not execution_timeout:
        return WaitTimeoutError(message)
    from airflow_provider_retell._compat import AirflowTaskTimeout

    return AirflowTaskTimeout(f"{message}. The task reached its execution_timeout")


def check_event(event: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return the event of a wait that succeeded.

    :raises WaitTimeoutError: if the wait reached its deadline.
    :raises AirflowTaskTimeout: if the wait reached the task's ``execution_timeout``.
    :raises WaitFailedError: if the wait met a permanent error, or if the event is not from a polling trigger.
    :raises RetellError: if too many polls failed.
    """
    event = event or {}
    status, message = event.get("status"), str(event.get("message"))
    if status == "done":
        return event
    if status == "timeout":
        raise timeout_error(message, bool(event.get("execution_timeout")))
    if status == "error":
        raise (WaitFailedError if event.get("permanent") else RetellError)(message)
    raise WaitFailedError(
        f"The trigger sent an event with the unknown status {status!r}. Clear the task to start the wait again"
    )
