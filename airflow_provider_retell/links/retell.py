"""Links from tasks to Retell's dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import BaseOperatorLink
from airflow_provider_retell._compat.services import xcom_value

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Context

__all__ = ["RetellAgentLink", "RetellCallLink"]

XCOM_KEY = "retell_call_id"
AGENT_XCOM_KEY = "retell_agent_id"


def link_call(context: Context, call_id: str) -> None:
    """Store the id that the task's link to Retell's dashboard leads to."""
    context["ti"].xcom_push(key=XCOM_KEY, value=call_id)


def link_agent(context: Context, agent_id: str) -> None:
    """Store the id that the task's link to the agent in Retell's dashboard leads to."""
    context["ti"].xcom_push(key=AGENT_XCOM_KEY, value=agent_id)


class RetellCallLink(BaseOperatorLink):
    """Link to the task's call in Retell's dashboard.

    The browser must be logged in to the workspace that owns the call. Retell does not document the URL, but has not
    changed it so far.
    """

    name = "Retell call"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the URL of the call, or ``""`` if the task has not pushed a call id."""
        call_id = xcom_value(ti_key, XCOM_KEY)
        return f"https://dashboard.retellai.com/call-history?history={call_id}" if call_id else ""


class RetellAgentLink(BaseOperatorLink):
    """Link to the task's agent in Retell's dashboard.

    The browser must be logged in to the workspace that owns the agent. Retell does not document the URL, but has not
    changed it so far.
    """

    name = "Retell agent"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the URL of the agent, or ``""`` if the task has not pushed an agent id."""
        agent_id = xcom_value(ti_key, AGENT_XCOM_KEY)
        return f"https://dashboard.retellai.com/agents/{agent_id}" if agent_id else ""
