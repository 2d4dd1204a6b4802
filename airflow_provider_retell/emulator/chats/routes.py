"""The routes of the chat endpoints."""

from __future__ import annotations

from airflow_provider_retell.emulator.chats import bodies, endpoints
from airflow_provider_retell.emulator.routing import Route

_READ = ("history", "read")
_EDIT = ("history", "edit")

ROUTES = (
    Route("get-chat", "GET", "/get-chat/{chat_id}", endpoints.get_chat, _READ),
    Route(
        "update-chat",
        "PATCH",
        "/update-chat/{chat_id}",
        endpoints.update_chat,
        _EDIT,
        schema=bodies.UPDATE_CHAT,
    ),
    Route(
        "list-chats",
        "POST",
        "/v3/list-chats",
        endpoints.list_chats,
        _READ,
        limiter="list",
        schema=bodies.LIST_CHATS,
        body_optional=True,
    ),
    Route("end-chat", "PATCH", "/end-chat/{chat_id}", endpoints.end_chat, ("call", "edit")),
    Route("delete-chat", "DELETE", "/delete-chat/{chat_id}", endpoints.delete_chat, _EDIT),
    Route(
        "rerun-chat-analysis",
        "PUT",
        "/rerun-chat-analysis/{chat_id}",
        endpoints.rerun_chat_analysis,
        _EDIT,
    ),
)
