"""Chats as Retell returns them.

Source of the fields: https://docs.retellai.com/api-references/get-chat and the types of Retell's Python SDK.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import ConfigDict

from airflow_provider_retell.api.choices import CHAT_ANALYSIS_FIELDS
from airflow_provider_retell.api.records.models import RecordState, RecordSummary
from airflow_provider_retell.api.records.nouns import Noun
from airflow_provider_retell.api.response_model import Page, ResponseModel

__all__ = ["Chat", "ChatAnalysis", "ChatCost", "ChatPage", "ChatSummary"]

ENDED_STATUSES = frozenset({"ended", "error"})
"""Values of ``chat_status`` that are final."""


class ChatAnalysis(ResponseModel):
    """Retell's analysis of a chat. A chat has none until the analysis is complete."""

    chat_summary: str | None = None
    user_sentiment: str | None = None
    chat_successful: bool | None = None
    custom_analysis_data: dict[str, Any] | None = None


class ChatCost(ResponseModel):
    """The cost of a chat. ``combined_cost`` is in US cents."""

    combined_cost: float | None = None
    product_costs: list[dict[str, Any]] | None = None


class ChatState(RecordState):
    """The fields of a chat that an update compares."""

    model_config = ConfigDict(extra="ignore")

    kind: ClassVar[Noun] = "chat"
    ended_statuses: ClassVar[frozenset[str]] = ENDED_STATUSES
    identity: ClassVar[tuple[str, ...]] = ("chat_id", "chat_status")
    loggable: ClassVar[tuple[str, ...]] = ("chat_id", "chat_status")

    chat_id: str
    chat_status: str
    """``ongoing``, ``ended``, ``error``, or a status that Retell adds later."""
    metadata: dict[str, Any] | None = None
    custom_attributes: dict[str, Any] | None = None
    data_storage_setting: str | None = None
    """Not declared in Retell's SDK; set if the server sends it."""


class ChatSummary(RecordSummary, ChatState):
    """The fields that show the progress of a chat. :meth:`slim` returns those that can be stored anywhere."""

    loggable: ClassVar[tuple[str, ...]] = ("chat_id", "chat_status", "chat_type", "agent_id")
    slim_fields: ClassVar[tuple[str, ...]] = (
        "chat_id",
        "chat_status",
        "chat_type",
        "agent_id",
        "data_storage_setting",
        "start_timestamp",
        "end_timestamp",
    )
    own_analysis: ClassVar[tuple[str, ...]] = CHAT_ANALYSIS_FIELDS

    chat_type: str | None = None
    agent_id: str | None = None
    start_timestamp: int | float | None = None
    end_timestamp: int | float | None = None
    chat_cost: Any = None
    chat_analysis: Any = None


class Chat(ChatSummary):
    """A chat, as get-chat, update-chat and list-chats return it.

    Timestamps are in epoch milliseconds. Listed chats have no transcripts.
    """

    model_config = ConfigDict(extra="allow")

    version: int | str | None = None
    chat_analysis: ChatAnalysis | None = None
    chat_cost: ChatCost | None = None
    transcript: str | None = None


class ChatPage(Page[Chat]):
    """One page of list-chats."""
