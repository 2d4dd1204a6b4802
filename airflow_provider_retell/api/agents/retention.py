"""The retention times of calls and chats, which only get-agent shows."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_retell.api.agents import endpoints
from airflow_provider_retell.api.agents.settings import get_version
from airflow_provider_retell.api.choices import Channel
from airflow_provider_retell.api.errors import NotFoundError
from airflow_provider_retell.api.request import Flow

MAX_AGENTS = 20
"""The largest number of agents that are read."""


def read_retention(agent_ids: Sequence[str], channel: Channel) -> Flow[dict[str, float]]:
    """Return the days for which Retell keeps the data of agents, by agent. Agents without a limit are left out.

    :param agent_ids: the agents; if empty, the first ones of the organization.
    """
    if not agent_ids:
        page = yield endpoints.list_agents(limit=100)
        agent_ids = [agent.agent_id for agent in page.items if agent.channel == channel]
    days = {}
    for agent_id in agent_ids[:MAX_AGENTS]:
        try:
            agent = yield get_version(agent_id, channel)
        except NotFoundError:
            continue  # deleted, or an agent of the other kind
        kept = getattr(agent, "data_storage_retention_days", None)
        if isinstance(kept, (int, float)):
            days[agent_id] = float(kept)
    return days
