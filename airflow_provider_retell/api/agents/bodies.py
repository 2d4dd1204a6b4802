"""Request bodies of the agent endpoints.

Source of the fields: the pages of https://docs.retellai.com/api-references and the types of Retell's Python SDK. The
settings of an agent are not listed here: Retell adds some almost every month.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from airflow_provider_retell.api.body import Body, Text
from airflow_provider_retell.api.records.conditions import TextIs, TruthIs

VersionNumber = Annotated[int, Field(ge=0)]


class ChannelIs(TextIs):
    """A condition on the channel."""

    value: Literal["voice", "chat"]


class AgentFilter(Body):
    """The conditions of list-agents. An agent must meet all of them."""

    channel: ChannelIs | None = None
    is_transfer_agent: TruthIs | None = None
    query: Text | None = None


class ListAgents(Body):
    """Body of list-agents."""

    filter_criteria: AgentFilter | None = None


class CreateAgentVersion(Body):
    """Body of create-agent-version."""

    base_version: VersionNumber


class PublishAgentVersion(Body):
    """Body of publish-agent-version."""

    version: VersionNumber
    version_title: Text | None = None
    version_description: Text | None = None
