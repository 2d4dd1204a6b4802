"""The settings of one agent version and of its response engine, and their comparison.

A setting is a field that a task can change, unlike ids, version numbers, titles and timestamps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_retell.api.agents import endpoints
from airflow_provider_retell.api.agents.models import Agent
from airflow_provider_retell.api.choices import Channel
from airflow_provider_retell.api.encode import JsonValue, same_json
from airflow_provider_retell.api.engines import endpoints as engine_endpoints
from airflow_provider_retell.api.engines.models import ConversationFlow, RetellLlm
from airflow_provider_retell.api.request import Flow, Request

Settings = Mapping[str, Any]

AGENT = "agent"

ENGINE_PARTS: Mapping[str, str] = {"retell-llm": "llm", "conversation-flow": "conversation_flow"}
"""The name of the part for each type of response engine. Custom LLMs have no settings at Retell."""

MODIFIED = "last_modification_timestamp"
"""The field of agents and response engines with the time of their last change, in epoch milliseconds."""

NOT_SETTINGS = frozenset(
    {
        "agent_id",
        "assigned_tags",
        "base_version",
        "conversation_flow_id",
        "is_published",
        MODIFIED,
        "llm_id",
        "version",
        "version_description",
        "version_title",
    }
)


@dataclass(frozen=True)
class VersionState:
    """One version of an agent with its response engine.

    :ivar parts: the settings by part: ``agent``, and ``llm`` or ``conversation_flow`` unless it has a custom LLM.
    """

    agent: Agent
    version: int
    parts: Mapping[str, Settings] = field(repr=False)

    def with_part(self, part: str, response: Agent | RetellLlm | ConversationFlow) -> VersionState:
        """Return the state after an update of *part* with this *response*."""
        return VersionState(self.agent, self.version, {**self.parts, part: settings(response)})


def get_version(agent_id: str, channel: Channel, version: int | str | None = None) -> Request[Agent]:
    """Return the request that reads one version of an agent of *channel*."""
    read = endpoints.get_agent if channel == "voice" else endpoints.get_chat_agent
    return read(agent_id, version=version)


def read_state(agent: Agent) -> Flow[VersionState]:
    """Read the response engine of *agent* and return both."""
    version = agent.version if agent.version is not None else agent.engine_version
    parts = {AGENT: settings(agent)}
    engine = yield from read_engine(agent)
    if engine is not None:
        parts["llm" if isinstance(engine, RetellLlm) else "conversation_flow"] = settings(engine)
    return VersionState(agent, version or 0, parts)


def read_engine(agent: Agent) -> Flow[RetellLlm | ConversationFlow | None]:
    """Read the response engine of *agent*. A custom LLM is None."""
    engine = agent.response_engine
    if engine.type not in ENGINE_PARTS:
        return None
    if engine.llm_id:
        llm: RetellLlm = yield engine_endpoints.get_retell_llm(engine.llm_id, version=agent.engine_version)
        return llm
    if engine.conversation_flow_id:
        flow: ConversationFlow = yield engine_endpoints.get_conversation_flow(
            engine.conversation_flow_id, version=agent.engine_version
        )
        return flow
    return None


def last_modified(*timestamps: object) -> float | None:
    """Return the latest of the timestamps that Retell shows, or None."""
    return max((each for each in timestamps if isinstance(each, (int, float))), default=None)


def settings(model: Agent | RetellLlm | ConversationFlow) -> dict[str, Any]:
    """Return the settings in a response of Retell, by name."""
    fields = {
        name: value
        for name, value in model.model_dump(exclude_unset=True).items()
        if name not in NOT_SETTINGS and not name.endswith("_timestamp")
    }
    if isinstance(fields.get("response_engine"), dict):
        fields["response_engine"] = {
            name: value for name, value in fields["response_engine"].items() if name != "version"
        }
    return fields


def differing(left: VersionState, right: VersionState) -> frozenset[str]:
    """Return the names of the settings in which two versions differ, such as ``llm.general_prompt``."""
    names = set()
    for part in left.parts.keys() | right.parts.keys():
        one, other = left.parts.get(part, {}), right.parts.get(part, {})
        names |= {
            f"{part}.{name}"
            for name in one.keys() | other.keys()
            if not same_json(one.get(name), other.get(name))
        }
    return frozenset(names)


def listed(names: Iterable[str]) -> str:
    """Return *names* for a message, at most twenty of them."""
    ordered = sorted(names)
    more = f" and {len(ordered) - 20} more" if len(ordered) > 20 else ""
    return ", ".join(ordered[:20]) + more


def holds(stored: JsonValue, sent: JsonValue) -> bool:
    """Return True if Retell stores *sent*, apart from fields that it adds to objects and space around text."""
    if isinstance(stored, dict) and isinstance(sent, dict):
        return all(holds(stored.get(name), value) for name, value in sent.items())
    if isinstance(stored, list) and isinstance(sent, list):
        return len(stored) == len(sent) and all(map(holds, stored, sent))
    if isinstance(stored, str) and isinstance(sent, str):
        return stored.strip() == sent.strip()
    return same_json(stored, sent)
