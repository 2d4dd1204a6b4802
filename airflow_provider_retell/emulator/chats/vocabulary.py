"""Retell's chat object: the values of its fields."""

from __future__ import annotations

from typing import Any

Chat = dict[str, Any]
"""A chat as the emulator stores it: Retell's chat object and the fields of :data:`UNDECLARED`."""

CHAT_STATUSES = ("ongoing", "ended", "error")
CHAT_TYPES = ("api_chat", "sms_chat")

STORAGE_SETTINGS = ("everything", "basic_attributes_only")
"""From least to most restrictive; a chat can only move to a stricter one."""

UNDECLARED = (
    "agent_number",
    "data_storage_setting",
    "direction",
    "disconnection_reason",
    "duration_ms",
    "overrides",
    "user_number",
)
"""Fields that filters or updates use but Retell's chat object does not declare, so that they are not returned.
``overrides`` are the dynamic variables that update-chat has set."""

TRANSCRIPTS = (
    "message_with_tool_calls",
    "post_session_message_with_tool_calls",
    "pre_session_message_with_tool_calls",
    "scrubbed_post_session_message_with_tool_calls",
    "scrubbed_pre_session_message_with_tool_calls",
    "transcript",
)
"""Fields that list-chats leaves out."""
