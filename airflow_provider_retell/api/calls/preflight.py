"""Checks before many calls are placed: each would fail on its own, after the batch was accepted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from airflow_provider_retell.api.agents.listings import list_agents
from airflow_provider_retell.api.agents.models import AgentSummary
from airflow_provider_retell.api.errors import NotFoundError, RetellInputError
from airflow_provider_retell.api.phone_numbers.endpoints import get_phone_number
from airflow_provider_retell.api.phone_numbers.models import PhoneNumber
from airflow_provider_retell.api.request import Flow


def check_batch(from_number: str, tasks: Sequence[Mapping[str, Any]]) -> Flow[None]:
    """Check that the number and all agents of a batch can place calls. Takes one request, and one per page of agents.

    Only list-agents shows whether an agent is suspended.

    :raises RetellInputError: if the number or an agent does not exist, no agent is set for some calls, or an agent is
        suspended or not a voice agent.
    """
    try:
        number = yield get_phone_number(from_number)
    except NotFoundError:
        raise RetellInputError(
            "from_number must be a phone number of the API key's organization. Check the number and the connection"
        ) from None
    agents = yield from list_agents()
    _check_agents(_agents_of(number, tasks), {agent.agent_id: agent for agent in agents})


def _agents_of(number: PhoneNumber, tasks: Sequence[Mapping[str, Any]]) -> set[str]:
    overrides = [task.get("override_agent_id") for task in tasks]
    used = {agent_id for agent_id in overrides if isinstance(agent_id, str)}
    if None in overrides:
        bound = {agent.agent_id for agent in number.outbound_agents or ()}
        if not bound:
            raise RetellInputError(
                f"tasks[{overrides.index(None)}] must have override_agent_id, because from_number ({number.label}) has "
                "no outbound agent. Set one of them"
            )
        used |= bound
    return used


def _check_agents(used: Collection[str], known: Mapping[str, AgentSummary]) -> None:
    for agent_id in sorted(used):
        agent = known.get(agent_id)
        if agent is None:
            raise RetellInputError(
                f"the organization has no agent {agent_id}. Check override_agent_id and the number's agents"
            )
        if agent.is_suspended:
            raise RetellInputError(f"agent {agent_id} is suspended. See the agent in Retell's dashboard")
        if agent.channel == "chat":
            raise RetellInputError(f"agent {agent_id} is a chat agent and cannot call. Use a voice agent")
