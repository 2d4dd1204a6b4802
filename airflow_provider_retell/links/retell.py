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

# An attribute of tasks. False if the task has not stored the XCom for its link in this run.
_STORED = "_retell_link_stored"


def link_call(task: Any, context: Context, call_id: str) -> None:
    """Store the id that the link of *task* to Retell's dashboard leads to."""
    _store(task, context, XCOM_KEY, call_id)


def link_agent(task: Any, context: Context, agent_id: str) -> None:
    """Store the id that the link of *task* to the agent in Retell's dashboard leads to."""
    _store(task, context, AGENT_XCOM_KEY, agent_id)


def _store(task: Any, context: Context, key: str, linked_id: str) -> None:
    context["ti"].xcom_push(key=key, value=linked_id)
    expect_link(task)


def expect_no_link(task: Any) -> None:
    """Note that a task begins, and has no XCom for its link until one is stored."""
    task.__dict__[_STORED] = False


def expect_link(task: Any) -> None:
    """Note that a task continues after a deferral, before which it may have stored the XCom for its link."""
    task.__dict__[_STORED] = True


def _stored(task: Any, ti_key: Any, key: str) -> Any:
    # Airflow 3 asks for the links in the worker, after each task, and logs an error for an XCom that does not exist.
    # The API server and Airflow 2's web server ask for them with other objects in place of the task.
    return xcom_value(ti_key, key) if getattr(task, _STORED, True) else None


class RetellCallLink(BaseOperatorLink):
    """Link to the task's call in Retell's dashboard.

    The browser must be logged in to the workspace that owns the call. Retell does not document the URL, but has not
    changed it so far.
    """

    name = "Retell call"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the URL of the call, or ``""`` if the task has not pushed a call id."""
        call_id = _stored(operator, ti_key, XCOM_KEY)
        return f"https://dashboard.retellai.com/call-history?history={call_id}" if call_id else ""


class RetellAgentLink(BaseOperatorLink):
    """Link to the task's agent in Retell's dashboard.

    The browser must be logged in to the workspace that owns the agent. Retell does not document the URL, but has not
    changed it so far.
    """

    name = "Retell agent"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the URL of the agent, or ``""`` if the task has not pushed an agent id."""
        agent_id = _stored(operator, ti_key, AGENT_XCOM_KEY)
        return f"https://dashboard.retellai.com/agents/{agent_id}" if agent_id else ""
