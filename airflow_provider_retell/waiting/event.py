"""Read the one event that a waiting trigger sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_retell.api.errors import RetellError, WaitFailedError, WaitTimeoutError


def check_event(event: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return the event if the wait came to its end; raise what went wrong otherwise.

    :raises WaitTimeoutError: if time was up.
    :raises RetellError: if Retell could not be asked any more; :class:`WaitFailedError` if trying again cannot help,
        or if the event is not one of this package's.
    """
    event = event or {}
    status, message = event.get("status"), str(event.get("message"))
    if status == "done":
        return event
    if status == "timeout":
        raise WaitTimeoutError(message)
    if status == "error":
        raise (WaitFailedError if event.get("permanent") else RetellError)(message)
    raise WaitFailedError(f"The trigger sent an event that this version does not know (status {status!r})")
