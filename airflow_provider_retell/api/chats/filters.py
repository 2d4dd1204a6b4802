"""The filter of list-chats. Its conditions are those of :mod:`airflow_provider_retell.api.records.conditions`.

A chat must meet all conditions. Retell cannot filter chats by metadata. Source:
https://docs.retellai.com/api-references/list-chats and the types of Retell's Python SDK.
"""

from __future__ import annotations

from airflow_provider_retell.api.body import Body
from airflow_provider_retell.api.records.conditions import (
    AgentIs,
    Keyed,
    Number,
    OneOf,
    TextIs,
    TextOrList,
    TruthIs,
)


class ChatFilterCriteria(Body):
    """Conditions on a chat, which must meet all that are set."""

    agent: list[AgentIs] | None = None
    agent_number: TextIs | None = None
    agent_tag: OneOf | None = None
    chat_id: TextOrList | None = None
    chat_status: OneOf | None = None
    chat_successful: TruthIs | None = None
    chat_type: OneOf | None = None
    combined_cost: Number | None = None
    custom_analysis_data: list[Keyed] | None = None
    custom_attributes: list[Keyed] | None = None
    data_storage_setting: OneOf | None = None
    direction: OneOf | None = None
    disconnection_reason: OneOf | None = None
    duration_ms: Number | None = None
    end_timestamp: Number | None = None
    start_timestamp: Number | None = None
    user_number: TextIs | None = None
    user_sentiment: OneOf | None = None
