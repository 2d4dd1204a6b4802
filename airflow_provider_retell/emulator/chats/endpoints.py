"""The endpoints of chats."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.chats import bodies
from airflow_provider_retell.emulator.chats.vocabulary import STORAGE_SETTINGS, TRANSCRIPTS, Chat
from airflow_provider_retell.emulator.conditions import inside
from airflow_provider_retell.emulator.filters import FilterFields, agents, take_ids
from airflow_provider_retell.emulator.paging import OrderKey, cut, walk
from airflow_provider_retell.emulator.responses import ApiError, Response, json_response
from airflow_provider_retell.emulator.routing import Request, Routes
from airflow_provider_retell.emulator.updates import (
    check_attributes,
    check_size,
    check_tightening,
    set_fields,
)

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.organization.organization import Organization

ROUTES = Routes()

_READ, _EDIT = ("history", "read"), ("history", "edit")

_FIELDS = FilterFields(
    nested={
        "chat_successful": inside("chat_analysis", "chat_successful"),
        "user_sentiment": inside("chat_analysis", "user_sentiment"),
        "combined_cost": inside("chat_cost", "combined_cost"),
        "custom_analysis_data": inside("chat_analysis", "custom_analysis_data"),
    },
    special={"agent": partial(agents, "version")},
)


@ROUTES.add("GET", "/get-chat/{chat_id}", _READ)
def get_chat(org: Organization, request: Request) -> Response:
    """Return the chat with all fields that Retell declares."""
    chats = org.chat_backend
    return json_response(200, chats.visible(chats.find(request.ids["chat_id"])))


@ROUTES.add("POST", "/v3/list-chats", _READ, bodies.LIST_CHATS)
def list_chats(org: Organization, request: Request) -> Response:
    """Return one page of chats, without transcripts."""
    body: dict[str, Any] = request.body
    chats = org.chat_backend
    keys = _matching(org, dict(body.get("filter_criteria", {})))
    ids, page = cut(walk(keys, body), body)
    page["items"] = [_without_transcripts(chats.visible(chats.objects[chat_id])) for chat_id in ids]
    if body.get("include_total"):
        page["total"] = len(keys)
    return json_response(200, page)


def _matching(org: Organization, criteria: dict[str, Any]) -> list[OrderKey]:
    """Return the sort keys of all chats that match, ascending."""
    chats = org.chat_backend.objects
    ids = take_ids(criteria, "chat_id", org.options.chats.max_ids_per_filter)
    candidates = [chats[chat_id] for chat_id in (chats if ids is None else ids) if chat_id in chats]
    tests = _FIELDS.compile(criteria)
    return sorted(
        (chat["start_timestamp"], chat["chat_id"]) for chat in candidates if all(test(chat) for test in tests)
    )


def _without_transcripts(chat: Chat) -> Chat:
    return {name: value for name, value in chat.items() if name not in TRANSCRIPTS}


@ROUTES.add("PATCH", "/update-chat/{chat_id}", _EDIT, bodies.UPDATE_CHAT)
def update_chat(org: Organization, request: Request) -> Response:
    """Update a chat. A refused request changes nothing."""
    body: dict[str, Any] = request.body
    options = org.options.chats
    check_size(org, body, "body")
    chat = org.chat_backend.find(request.ids["chat_id"])
    if chat["chat_status"] == "ongoing" and not options.updates_ongoing:
        raise ApiError(400, f"Chat {chat['chat_id']} has not ended (chat_status is ongoing)")
    check_attributes(org, options, body)
    setting = body.get("data_storage_setting")
    if setting is not None:
        check_tightening(chat, setting, STORAGE_SETTINGS, org.options.storage_conflict_status)
        _tighten(chat, setting)
    set_fields(org, options, chat, body)
    if "override_dynamic_variables" in body:
        override = body["override_dynamic_variables"]
        chat["overrides"] = {} if override is None else {**chat.get("overrides", {}), **override}
    return json_response(200, org.chat_backend.visible(chat))


def _tighten(chat: Chat, setting: str) -> None:
    """Set the ``data_storage_setting`` of the chat and remove the content that it does not allow."""
    chat["data_storage_setting"] = setting
    if setting == "basic_attributes_only":
        for name in TRANSCRIPTS:
            chat.pop(name, None)


@ROUTES.add("PATCH", "/end-chat/{chat_id}", ("call", "edit"))
def end_chat(org: Organization, request: Request) -> Response:
    """End an ongoing chat. That chats that have ended are refused like calls is our guess."""
    chat = org.chat_backend.find(request.ids["chat_id"])
    if chat["chat_status"] != "ongoing":
        raise ApiError(
            org.options.stop_ended_status,
            f"Chat {chat['chat_id']} is not ongoing (chat_status is {chat['chat_status']})",
        )
    org.chat_backend.end(chat, org.options.clock.now())
    return Response(204)


@ROUTES.add("DELETE", "/delete-chat/{chat_id}", _EDIT)
def delete_chat(org: Organization, request: Request) -> Response:
    """Remove a chat for good."""
    chat = org.chat_backend.find(request.ids["chat_id"])
    del org.chat_backend.objects[chat["chat_id"]]
    return Response(204)


@ROUTES.add("PUT", "/rerun-chat-analysis/{chat_id}", _EDIT)
def rerun_chat_analysis(org: Organization, request: Request) -> Response:
    """Analyze a chat that has ended again, and charge for it."""
    chats = org.chat_backend
    chat = chats.find(request.ids["chat_id"])
    if chat["chat_status"] == "ongoing":
        raise ApiError(400, f"Chat {chat['chat_id']} has not ended (chat_status is ongoing)")
    chats.rerun(chat)
    return json_response(org.options.rerun_status, chats.visible(chat))
