"""Links from tasks to Retell's dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import BaseOperatorLink

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Context

__all__ = ["RetellCallLink"]

XCOM_KEY = "retell_call_id"


def link_call(context: Context, call_id: str) -> None:
    """Store the id that the task's link to Retell's dashboard leads to."""
    context["ti"].xcom_push(key=XCOM_KEY, value=call_id)


class RetellCallLink(BaseOperatorLink):
    """The call in Retell's dashboard.

    Retell does not document the address, but its dashboard has kept it stable; the browser must be logged in to the
    workspace that owns the call.
    """

    name = "Retell call"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address of the call that the task was about, or ``""`` if it did not get that far."""
        from airflow_provider_retell._compat import xcom_of

        call_id = xcom_of(ti_key, XCOM_KEY)
        return f"https://dashboard.retellai.com/call-history?history={call_id}" if call_id else ""
