"""Agents and their versions as Retell returns them.

Source of the fields: https://docs.retellai.com/api-references/get-agent and the types of Retell's Python SDK. Only the
fields that this package uses are declared; all others are kept as Retell sent them (``model_extra``).
"""

from __future__ import annotations

from typing import ClassVar

from airflow_provider_retell.api.response_model import Page, ResponseModel

__all__ = [
    "Agent",
    "AgentPage",
    "AgentSummary",
    "AgentTag",
    "AgentVersion",
    "AgentVersionPage",
    "ResponseEngine",
]


class ResponseEngine(ResponseModel):
    """The response engine of an agent version.

    ``type`` is ``retell-llm``, ``conversation-flow``, ``custom-llm``, or a type that Retell adds later.
    """

    loggable: ClassVar[tuple[str, ...]] = ("type", "llm_id", "conversation_flow_id", "version")

    type: str
    llm_id: str | None = None
    conversation_flow_id: str | None = None
    version: int | float | None = None

    @property
    def engine_id(self) -> str | None:
        """The id of the LLM or flow. A custom LLM has none."""
        return self.llm_id or self.conversation_flow_id


class Agent(ResponseModel):
    """One version of an agent or chat agent."""

    identity: ClassVar[tuple[str, ...]] = ("agent_id",)
    loggable: ClassVar[tuple[str, ...]] = ("agent_id", "agent_name", "version")

    agent_id: str
    response_engine: ResponseEngine
    version: int | None = None
    base_version: int | None = None
    is_published: bool | None = None
    agent_name: str | None = None
    version_title: str | None = None
    version_description: str | None = None
    assigned_tags: list[str] | None = None
    """The tags that point to this version."""
    last_modification_timestamp: int | float | None = None
    """Epoch milliseconds."""

    @property
    def engine_version(self) -> int | None:
        """The version of the response engine. Retell gives agent and engine the same number."""
        version = self.response_engine.version
        return self.version if version is None else int(version)


class AgentVersion(ResponseModel):
    """An entry of list-agent-versions."""

    loggable: ClassVar[tuple[str, ...]] = ("version", "is_published", "base_version")

    version: int
    is_published: bool
    base_version: int | None = None
    """The version that this one was forked from."""
    version_title: str | None = None
    version_description: str | None = None
    last_modification_timestamp: int | float | None = None


class AgentVersionPage(Page[AgentVersion]):
    """One page of list-agent-versions."""


class AgentTag(ResponseModel):
    """The version that a tag points to; None if the tag is not assigned."""

    loggable: ClassVar[tuple[str, ...]] = ("version",)

    version: int | None = None


class AgentSummary(ResponseModel):
    """An entry of list-agents, which has voice and chat agents."""

    identity: ClassVar[tuple[str, ...]] = ("agent_id",)
    loggable: ClassVar[tuple[str, ...]] = ("agent_id", "agent_name", "channel")

    agent_id: str
    agent_name: str | None = None
    channel: str | None = None
    """``voice`` or ``chat``."""
    is_suspended: bool | None = None
    tags: dict[str, AgentTag] | None = None


class AgentPage(Page[AgentSummary]):
    """One page of list-agents."""
