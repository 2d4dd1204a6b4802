"""Examples of the endpoints of chats."""

from __future__ import annotations

from decimal import Decimal

from airflow_provider_retell.api.chats.models import Chat, ChatPage
from wire import Example

OTHER_CHANGES = {
    "data_storage_setting": "basic_attributes_only",
    "custom_attributes": {"attr_tier": "gold"},
    "override_dynamic_variables": {"name": "Ada"},
}
LISTING = {
    "filter_criteria": {"chat_id": {"type": "enum", "op": "in", "value": ["chat_1"]}},
    "limit": 5,
}

EXAMPLES = [
    Example(
        "update_chat",
        ("chat_1",),
        {"metadata": {"score": Decimal("0.5"), "none": None}, **OTHER_CHANGES},
        "PATCH /update-chat/chat_1",
        {"metadata": {"score": 0.5, "none": None}, **OTHER_CHANGES},
        200,
        Chat,
    ),
    Example(
        "update_chat",
        ("chat_1",),
        {"override_dynamic_variables": None},
        "PATCH /update-chat/chat_1",
        {"override_dynamic_variables": None},
        200,
        Chat,
    ),
    Example("get_chat", ("chat_1",), {}, "GET /get-chat/chat_1", None, 200, Chat),
    Example("list_chats_page", (), LISTING, "POST /v3/list-chats", LISTING, 200, ChatPage),
    Example("end_chat", ("chat_live",), {}, "PATCH /end-chat/chat_live", None, 204, None),
    Example("delete_chat", ("chat_1",), {}, "DELETE /delete-chat/chat_1", None, 204, None),
    Example(
        "rerun_chat_analysis",
        ("chat_1",),
        {},
        "PUT /rerun-chat-analysis/chat_1",
        None,
        201,
        Chat,
        sent_once=True,
    ),
]
