"""The event of a polling trigger, as the task reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_retell.api.errors import RetellError, WaitFailedError, WaitTimeoutError


def check_event(event: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return the event if the condition holds, otherwise raise the error in it.

    :raises WaitTimeoutError: if the deadline passed.
    :raises WaitFailedError: if a permanent error ended the wait, or if the event is not from a polling trigger.
    :raises RetellError: if too many polls failed.
    """
    event = event or {}
    status, message = event.get("status"), str(event.get("message"))
    if status == "done":
        return event
    if status == "timeout":
        raise WaitTimeoutError(message)
    if status == "error":
        raise (WaitFailedError if event.get("permanent") else RetellError)(message)
    raise WaitFailedError(
        f"The trigger sent an event with the unknown status {status!r}. Clear the task to start the wait again"
    )
