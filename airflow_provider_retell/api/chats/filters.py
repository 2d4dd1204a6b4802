"""The filter of list-chats. Its conditions are those of :mod:`airflow_provider_retell.api.records.conditions`.

A chat must meet all conditions. Retell cannot filter chats by metadata. Source:
https://docs.retellai.com/api-references/list-chats and the types of Retell's Python SDK.
"""

from __future__ import annotations

from airflow_provider_retell.api.records.conditions import OneOf, RecordFilter, TextIs, TextOrList, TruthIs


class ChatFilterCriteria(RecordFilter):
    """Conditions on a chat, which must meet all that are set."""

    agent_number: TextIs | None = None
    chat_id: TextOrList | None = None
    chat_status: OneOf | None = None
    chat_successful: TruthIs | None = None
    chat_type: OneOf | None = None
    user_number: TextIs | None = None
