"""The fields that a chat can have.

Source: https://docs.retellai.com/api-references/get-chat and the types of Retell's Python SDK.
"""

from __future__ import annotations

from airflow_provider_retell.api.records.fields import RecordFields

TRANSCRIPTS = frozenset(
    {
        "message_with_tool_calls",
        "post_session_message_with_tool_calls",
        "pre_session_message_with_tool_calls",
        "scrubbed_post_session_message_with_tool_calls",
        "scrubbed_pre_session_message_with_tool_calls",
        "transcript",
    }
)
"""The fields that get-chat returns and list-chats does not."""

FIELDS = RecordFields(
    "chat",
    listed=frozenset(
        {
            "agent_id",
            "agent_tag",
            "chat_analysis",
            "chat_cost",
            "chat_id",
            "chat_status",
            "chat_type",
            "collected_dynamic_variables",
            "custom_attributes",
            "data_storage_setting",
            "end_timestamp",
            "metadata",
            "retell_llm_dynamic_variables",
            "start_timestamp",
            "version",
        }
    ),
    transcripts=TRANSCRIPTS,
)
"""The fields of an export."""
