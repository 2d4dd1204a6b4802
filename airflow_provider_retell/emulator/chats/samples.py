"""Sample data: the fields that Retell fills in when a chat starts, ends and is analyzed."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.chats.vocabulary import CHAT_STATUSES, CHAT_TYPES, Chat

if TYPE_CHECKING:
    from collections.abc import Mapping

CHAT_MS = 95_000
"""The default duration of a chat, in milliseconds."""


def check_vocabulary(chat: Mapping[str, Any]) -> None:
    """Raise ValueError if Retell has no such status or type."""
    for name, known in (("chat_status", CHAT_STATUSES), ("chat_type", CHAT_TYPES)):
        if chat.get(name) not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, not {chat.get(name)!r}")


def build(fields: Mapping[str, Any], *, start_ms: int, minimal: bool) -> Chat:
    """Return a chat with *fields*, and the other fields of a chat of its status.

    :param start_ms: its start, in epoch milliseconds.
    :param minimal: leave out transcript, cost and analysis.
    """
    chat_id = fields.get("chat_id") or f"chat_{uuid.uuid4().hex}"
    chat: Chat = {
        "chat_id": chat_id,
        "agent_id": "agent_chat_5b2e9d0c47a1",
        "version": 2,
        "chat_status": "ended",
        "chat_type": "api_chat",
        "start_timestamp": start_ms,
        "metadata": {},
        "retell_llm_dynamic_variables": {},
        "custom_attributes": {},
        "data_storage_setting": "everything",
        **({} if minimal else _content()),
    }
    chat.update(fields)
    check_vocabulary(chat)
    if chat["chat_status"] != "ongoing":
        finish(chat, chat["start_timestamp"] + CHAT_MS, chat["chat_status"])
        if not minimal:
            chat.setdefault("chat_analysis", analysis(chat))
    chat.update(fields)
    return {name: value for name, value in chat.items() if value is not None}


def finish(chat: Chat, end_ms: int, status: str = "ended") -> None:
    """Set the fields that a chat gains at its end."""
    chat["chat_status"] = status
    chat["end_timestamp"] = end_ms
    chat["duration_ms"] = end_ms - chat["start_timestamp"]
    chat.setdefault("collected_dynamic_variables", {})
    if "transcript" in chat:
        chat["chat_cost"] = {
            "combined_cost": 1.5,
            "product_costs": [{"product": "gpt_4o_mini_chat", "unit_price": 0.5, "cost": 1.5}],
        }


def _content() -> dict[str, Any]:
    messages = [
        {"message_id": "msg_1", "role": "agent", "content": "Hello, how can I help?"},
        {"message_id": "msg_2", "role": "user", "content": "Where is my order? My number is 415 555 0123."},
        {"message_id": "msg_3", "role": "agent", "content": "It will arrive on Tuesday."},
    ]
    return {
        "message_with_tool_calls": messages,
        "transcript": "".join(f"{turn['role'].capitalize()}: {turn['content']}\n" for turn in messages),
    }


def analysis(chat: Chat, run: int = 1) -> dict[str, Any]:
    """Return the ``chat_analysis`` of a chat that is over.

    :param run: the number of the analysis; the summary mentions it from the second on.
    """
    successful = chat["chat_status"] == "ended"
    summary = "The user asked for the delivery date of an order."
    return {
        "chat_summary": summary if run == 1 else f"{summary} (analysis run {run})",
        "user_sentiment": "Positive" if successful else "Unknown",
        "chat_successful": successful,
        "custom_analysis_data": {"intent": "order_status", "score": 0.8} if successful else {},
    }
