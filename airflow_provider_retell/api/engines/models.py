"""Response engines as Retell returns them.

Source of the fields: https://docs.retellai.com/api-references/get-retell-llm and the types of Retell's Python SDK. Only
the fields that this package uses are declared; all others are kept as Retell sent them (``model_extra``).
"""

from __future__ import annotations

from typing import ClassVar

from airflow_provider_retell.api.response_model import Page, ResponseModel

__all__ = [
    "ConversationFlow",
    "ConversationFlowComponent",
    "ConversationFlowPage",
    "RetellLlm",
    "RetellLlmPage",
]


class RetellLlm(ResponseModel):
    """One version of a Retell LLM: prompts, states, tools and the model."""

    identity: ClassVar[tuple[str, ...]] = ("llm_id",)
    loggable: ClassVar[tuple[str, ...]] = ("llm_id", "version")

    llm_id: str
    version: int | None = None
    is_published: bool | None = None
    knowledge_base_ids: list[str] | None = None
    last_modification_timestamp: int | float | None = None


class RetellLlmPage(Page[RetellLlm]):
    """One page of list-retell-llms."""


class ConversationFlow(ResponseModel):
    """One version of a conversation flow: nodes, components, tools and the model."""

    identity: ClassVar[tuple[str, ...]] = ("conversation_flow_id",)
    loggable: ClassVar[tuple[str, ...]] = ("conversation_flow_id", "version")

    conversation_flow_id: str
    version: int | None = None
    knowledge_base_ids: list[str] | None = None
    last_modification_timestamp: int | float | None = None


class ConversationFlowPage(Page[ConversationFlow]):
    """One page of list-conversation-flows."""


class ConversationFlowComponent(ResponseModel):
    """Nodes and tools that several conversation flows share."""

    identity: ClassVar[tuple[str, ...]] = ("conversation_flow_component_id",)
    loggable: ClassVar[tuple[str, ...]] = ("conversation_flow_component_id",)

    conversation_flow_component_id: str
