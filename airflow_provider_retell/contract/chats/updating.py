"""Checks of update-chat and delete-chat. They change the metadata of a named chat, and the run restores it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.chats.endpoints import delete_chat, get_chat, update_chat
from airflow_provider_retell.contract.calls.attributes import ATTRIBUTE
from airflow_provider_retell.contract.chats.common import CHATS, UPDATES, WRITES
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, SDK, Checks, page
from airflow_provider_retell.contract.findings import CannotTellError, Finding, SkipError, differs, holds
from airflow_provider_retell.contract.flags import WRITE
from airflow_provider_retell.contract.records import KEY
from airflow_provider_retell.contract.seeing import (
    NOT_FOUND,
    REJECTED,
    ask,
    body_of,
    describe,
    is_success,
    kind,
    see,
)

if TYPE_CHECKING:
    from airflow_provider_retell.api.chats.models import Chat
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

_UPDATE = page("update-chat")
_ATTRIBUTES = (*WRITES, ATTRIBUTE)

CHECKS.add(
    "chats.update_unknown_id",
    assumption="update-chat rejects an unknown id with 404 or 422.",
    matters="Bulk updates report the row as `not_found`.",
    source=_UPDATE,
    otherwise="The row fails with Retell's reason.",
    flags=(WRITE,),
)(UPDATES.unknown_id)


@CHECKS.add(
    "chats.delete_unknown_id",
    assumption="delete-chat rejects an unknown id with 404 or 422.",
    matters="DeleteChatOperator succeeds if the chat is already deleted.",
    source=page("delete-chat"),
    otherwise="With 400 or a 2xx status, the task succeeds. With another status, it fails.",
    flags=(WRITE,),
)
def delete_unknown_id(_target: Target) -> Flow[Finding]:
    """Delete a chat that does not exist."""
    response = yield from see(delete_chat(CHATS.unknown_id))
    if response.status in NOT_FOUND:
        return holds(describe(response))
    return differs(describe(response), handled=is_success(response) or response.status == 400)


CHECKS.add(
    "chats.update_returns_chat",
    assumption="update-chat returns the chat with its new metadata.",
    matters="The package compares this response with the request.",
    source=_UPDATE,
    otherwise="The task fails, because the response does not have the values that were sent.",
    flags=WRITES,
)(UPDATES.response)

CHECKS.add(
    "chats.metadata_replaced",
    assumption="update-chat replaces all metadata.",
    matters="`metadata_mode` defines which keys remain.",
    source=NOT_DOCUMENTED,
    question="Does update-chat replace or merge metadata?",
    otherwise="`merge` and `fill` are correct either way. `replace` fails with an explanation if other keys remain.",
    flags=WRITES,
    options=("chats.metadata_semantics",),
)(UPDATES.replaces)

CHECKS.add(
    "chats.empty_metadata_clears",
    assumption="Empty metadata, `{}`, removes all metadata of a chat.",
    matters="`clear_metadata=True` sends it.",
    source=NOT_DOCUMENTED,
    question="Does empty metadata remove all metadata of a chat?",
    otherwise="`clear_metadata=True` fails and names the remaining keys.",
    flags=WRITES,
    options=("chats.empty_metadata_clears", "chats.metadata_semantics"),
)(UPDATES.empty_clears)

CHECKS.add(
    "chats.null_is_kept",
    assumption="update-chat keeps metadata values that are null.",
    matters="Bulk updates compare nulls in rows with the metadata of chats.",
    source=NOT_DOCUMENTED,
    question="Does update-chat keep nulls in metadata?",
    otherwise="Nothing changes, because the package treats null and a missing key as equal.",
    flags=WRITES,
    options=("chats.drops_null",),
)(UPDATES.keeps_null)

CHECKS.add(
    "chats.update_is_read_at_once",
    assumption="get-chat returns an update immediately.",
    matters="`merge` reads the metadata before it writes them.",
    source=NOT_DOCUMENTED,
    question="Does get-chat return an update immediately?",
    otherwise="Two merges in quick succession can lose a key.",
    flags=WRITES,
)(UPDATES.read_at_once)

CHECKS.add(
    "chats.update_is_listed_at_once",
    assumption="list-chats returns an update immediately.",
    matters="Bulk updates read the metadata from lists before they write them.",
    source=NOT_DOCUMENTED,
    question="Does list-chats return an update immediately?",
    otherwise="Two bulk updates of the same chats in quick succession can lose keys.",
    flags=WRITES,
)(UPDATES.listed_at_once)


@CHECKS.add(
    "chats.update_of_ongoing_chat",
    assumption="update-chat accepts ongoing chats.",
    matters="UpdateChatOperator does not wait for the end of a chat by default.",
    source=NOT_DOCUMENTED,
    question="Does update-chat accept ongoing chats?",
    otherwise='The task fails with Retell\'s reason. Use `wait_until="ended"`.',
    flags=WRITES,
    options=("chats.updates_ongoing",),
)
def update_of_ongoing_chat(target: Target) -> Flow[Finding]:
    """Update a named chat that is ongoing."""
    chat = yield from CHATS.writable(target, "ongoing")
    response = yield from see(update_chat(chat.chat_id, metadata={**(chat.metadata or {}), KEY: "a"}))
    if is_success(response):
        return holds(describe(response), options={"chats.updates_ongoing": True})
    if response.status in REJECTED:
        return differs(describe(response), options={"chats.updates_ongoing": False})
    return differs(describe(response))


CHECKS.add(
    "chats.unknown_attribute_dropped",
    assumption="update-chat drops unknown custom attributes without an error.",
    matters="The package compares the custom attributes in the response with the request.",
    source=_UPDATE,
    otherwise="The task fails with Retell's reason.",
    flags=WRITES,
    options=("chats.rejects_unknown_attributes",),
)(UPDATES.drops_unknown_attribute)


@CHECKS.add(
    "chats.attributes_are_shown",
    assumption="Chat objects contain custom attributes.",
    matters="The package compares the custom attributes of chats, and does not send those that a chat has.",
    source=SDK,
    question="Do chat objects contain custom attributes?",
    otherwise="Updates are always sent, with a warning that the response does not confirm the attributes. The chat's "
    "other attributes are lost if Retell replaces them.",
    flags=_ATTRIBUTES,
)
def attributes_are_shown(target: Target) -> Flow[Finding]:
    """Set a custom attribute, and read the response and the chat."""
    chat = yield from CHATS.writable(target)
    wanted = {target.values(ATTRIBUTE)[0]: "contract check"}
    for request in (update_chat(chat.chat_id, custom_attributes=wanted), get_chat(chat.chat_id)):
        response = yield from see(request)
        body = body_of(response)
        if not is_success(response) or not isinstance(body, dict):
            return differs(f"{request.operation}: {describe(response)}")
        shown = body.get("custom_attributes")
        if not isinstance(shown, dict) or not shown.items() >= wanted.items():
            return differs(f"{request.operation}: custom_attributes is {kind(shown)}")
    return holds("in both responses")


@CHECKS.add(
    "chats.attributes_merged",
    assumption="update-chat keeps custom attributes that the request does not contain.",
    matters="Updates send all attributes that the chat shows, with the new values.",
    source=NOT_DOCUMENTED,
    question="Does update-chat replace or merge custom attributes?",
    otherwise="Nothing changes, except with the hook's `update_chat`: it sends only the given attributes, and the chat "
    "loses the others.",
    flags=_ATTRIBUTES,
    options=("chats.custom_attributes_semantics",),
)
def attributes_merged(target: Target) -> Flow[Finding]:
    """Set two custom attributes, one after the other."""
    chat = yield from CHATS.writable(target)
    names = list(dict.fromkeys(target.values(ATTRIBUTE)))
    if len(names) < 2:
        raise SkipError("needs two different --custom-attribute")
    first, second = names[:2]
    shown: dict[str, Any] = {}
    for name in (first, second):
        yield from ask(update_chat(chat.chat_id, custom_attributes={name: "merged"}))
        changed: Chat = yield from ask(get_chat(chat.chat_id))
        shown = changed.custom_attributes or {}
        if shown.get(name) != "merged":
            raise CannotTellError("get-chat does not show the attribute")
    if first in shown:
        return holds("both", options={"chats.custom_attributes_semantics": "merge"})
    return differs("the second only", handled=True, options={"chats.custom_attributes_semantics": "replace"})
