"""Complete listings of agents and their versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_retell.api.agents import endpoints
from airflow_provider_retell.api.agents.models import AgentSummary, AgentVersion
from airflow_provider_retell.api.paging import read_all
from airflow_provider_retell.api.request import Flow


def list_agents(*, filter_criteria: Mapping[str, Any] | None = None) -> Flow[list[AgentSummary]]:
    """Read all voice and chat agents, page by page.

    :param filter_criteria: conditions on ``channel``, ``is_transfer_agent`` and ``query`` (a part of the name or id).
    """
    return read_all(endpoints.list_agents, filter_criteria=filter_criteria)


def list_agent_versions(agent_id: str) -> Flow[list[AgentVersion]]:
    """Read all versions of a voice or chat agent, newest first.

    :param agent_id: the agent.
    """
    versions = yield from read_all(endpoints.list_agent_versions, agent_id=agent_id)
    # Retell does not guarantee an order.
    return sorted(versions, key=lambda version: version.version, reverse=True)
