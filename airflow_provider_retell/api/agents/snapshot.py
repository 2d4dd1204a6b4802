"""Read agents with their response engines, test cases and phone numbers as files, without I/O.

The files have no timestamps and their lists are sorted, so files of the same configuration are equal. Of each agent
they have the version that was published last, and the version that was created last if it is a draft.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any

from airflow_provider_retell.api.agents.listings import list_agents
from airflow_provider_retell.api.agents.models import Agent, AgentSummary
from airflow_provider_retell.api.agents.settings import ENGINE_PARTS, get_version, read_engine
from airflow_provider_retell.api.choices import Channel
from airflow_provider_retell.api.engines.models import ConversationFlow, RetellLlm
from airflow_provider_retell.api.errors import NotFoundError, RetellInputError
from airflow_provider_retell.api.phone_numbers.listings import list_phone_numbers
from airflow_provider_retell.api.request import Flow, given
from airflow_provider_retell.api.response_model import ResponseModel
from airflow_provider_retell.api.simulations.listings import list_test_case_definitions
from airflow_provider_retell.api.simulations.models import TestCaseDefinition

log = logging.getLogger(__name__)

Files = dict[str, Any]
"""JSON values by file name, such as ``agents/agent_abc/llm.json``."""

PHONE_NUMBERS = "phone_numbers.json"

_LEFT_OUT = frozenset({"assigned_tags", "is_published"})


def read_snapshot(agent_ids: Collection[str] | None = None) -> Flow[Files]:
    """Read the files of a snapshot.

    :param agent_ids: the agents to read, with their test cases and phone numbers. Default: all.
    :raises RetellInputError: if one of *agent_ids* does not exist.
    """
    agents = yield from list_agents()
    if agent_ids is not None:
        if unknown := sorted(set(agent_ids) - {agent.agent_id for agent in agents}):
            raise RetellInputError(
                f"agent_ids has agents that the API key's organization does not have: {', '.join(unknown)}"
            )
        agents = [agent for agent in agents if agent.agent_id in agent_ids]
    files: Files = {}
    for agent in sorted(agents, key=lambda agent: agent.agent_id):
        files.update((yield from _read_agent(agent)))
    numbers = yield from list_phone_numbers()
    files[PHONE_NUMBERS] = [
        _fields(number)
        for number in sorted(numbers, key=lambda number: number.phone_number)
        if agent_ids is None or any(bound.agent_id in agent_ids for _, bound in number.bindings())
    ]
    return files


def _read_agent(summary: AgentSummary) -> Flow[Files]:
    channel: Channel = "chat" if summary.channel == "chat" else "voice"
    try:
        latest: Agent = yield get_version(summary.agent_id, channel)
    except NotFoundError:
        log.warning("Agent %s was deleted before it was read", summary.agent_id)
        return {}
    try:
        published: Agent | None = yield get_version(summary.agent_id, channel, "latest_published")
    except NotFoundError:
        published = None
    is_draft = not latest.is_published and (published is None or latest.version != published.version)
    roles = given(published=published, draft=latest if is_draft else None)
    folder = f"agents/{summary.agent_id}"
    files: Files = {
        f"{folder}/agent.json": {
            "agent_id": summary.agent_id,
            "agent_name": summary.agent_name,
            "channel": summary.channel,
            "tags": {tag: value.version for tag, value in (summary.tags or {}).items()},
            "published": None,
            "draft": None,
            **{role: _fields(agent) for role, agent in roles.items()},
        }
    }
    engines: dict[str, Mapping[str, Any]] = {}
    for role, agent in roles.items():
        part = ENGINE_PARTS.get(agent.response_engine.type)
        if part is None or agent.response_engine.engine_id is None:
            continue
        engine = yield from _read_engine(agent)
        file = files.setdefault(f"{folder}/{part}.json", {"published": None, "draft": None})
        if engine is None:
            continue
        file[role] = _fields(engine)
        engines[agent.response_engine.engine_id] = given(
            type=agent.response_engine.type,
            llm_id=agent.response_engine.llm_id,
            conversation_flow_id=agent.response_engine.conversation_flow_id,
        )
    test_cases: list[TestCaseDefinition] = []
    for response_engine in engines.values():
        test_cases += yield from list_test_case_definitions(response_engine)
    files[f"{folder}/test_cases.json"] = [
        _fields(case)
        for case in sorted(test_cases, key=lambda case: (case.name, case.test_case_definition_id))
    ]
    return files


def _read_engine(agent: Agent) -> Flow[RetellLlm | ConversationFlow | None]:
    try:
        return (yield from read_engine(agent))
    except NotFoundError:
        log.warning(
            "Agent %s: its response engine %s does not exist", agent.agent_id, agent.response_engine.engine_id
        )
        return None


def _fields(model: ResponseModel) -> dict[str, Any]:
    return {
        name: value
        for name, value in model.model_dump(exclude_unset=True).items()
        if name not in _LEFT_OUT and not name.endswith("_timestamp")
    }
