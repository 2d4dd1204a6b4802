"""Checks of chat objects, as get-chat and list-chats return them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from airflow_provider_retell.api import parsing
from airflow_provider_retell.api.chats.endpoints import get_chat
from airflow_provider_retell.contract.chats.common import CHATS, UNKNOWN_ID, sample
from airflow_provider_retell.contract.check import Checks, page
from airflow_provider_retell.contract.findings import CannotTellError, Finding, SkipError, differs, holds
from airflow_provider_retell.contract.records import check_ends, check_timestamps
from airflow_provider_retell.contract.seeing import describe, is_success, see, unknown

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

_STATUSES = frozenset({"ongoing", "ended", "error"})


@CHECKS.add(
    "chats.unknown_id",
    assumption="get-chat rejects an unknown id with 422.",
    matters="Bulk updates report `not_found`, and DeleteChatOperator accepts a chat that is already deleted.",
    source=page("get-chat"),
    question="Does the unknown id of a chat get 404 or 422?",
    otherwise="404 has the same meaning. With another status, the task or row fails.",
    options=("chats.unknown_id_status",),
)
def unknown_id(_target: Target) -> Flow[Finding]:
    """Read a chat that does not exist."""
    return (yield from unknown(get_chat(UNKNOWN_ID), 422, "chats.unknown_id_status"))


@CHECKS.add(
    "chats.fields_have_documented_types",
    assumption="The fields of a chat have the documented types.",
    matters="All tasks that read chats parse these fields.",
    source=page("get-chat"),
    otherwise="The task fails and names the field. A bulk update fails the row. An export writes the chat as received.",
)
def fields_have_documented_types(target: Target) -> Flow[Finding]:
    """Read the newest chat that has ended."""
    request = get_chat(CHATS.ids((yield from sample(target)))[0])
    response = yield from see(request)
    if not is_success(response):
        raise CannotTellError(f"get-chat: {describe(response)}")
    try:
        chat = request.parse(response.body)
    except ValidationError as fault:
        return differs(parsing.describe(fault))
    return holds(f"{len(chat.model_fields_set)} fields")


@CHECKS.add(
    "chats.statuses_are_known",
    assumption="chat_status is one of the three documented values.",
    matters="Waits end with `ended` or `error`.",
    source=page("get-chat"),
    otherwise="A chat with an unknown status never counts as ended, so a wait for it times out.",
)
def statuses_are_known(_target: Target) -> Flow[Finding]:
    """List the newest chats and compare their statuses."""
    _, chats = yield from CHATS.listed(limit=50)
    if not chats:
        raise SkipError("the organization has no chat")
    found = {str(chat.get("chat_status")) for chat in chats}
    if found - _STATUSES:
        return differs(f"{len(found - _STATUSES)} unknown")
    return holds(f"{len(found)} of {len(_STATUSES)} statuses")


@CHECKS.add(
    "chats.timestamps_are_milliseconds",
    assumption="Timestamps of chats are in epoch milliseconds.",
    matters="ChatEventTrigger filters chats by the time of their end.",
    source=page("get-chat"),
    otherwise="The trigger finds no chats.",
)
def timestamps_are_milliseconds(target: Target) -> Flow[Finding]:
    """Check the size of the timestamps of the newest chats."""
    chats = yield from sample(target)
    return check_timestamps("chat", chats)


@CHECKS.add(
    "chats.ended_chats_have_an_end",
    assumption="All chats that are over have end_timestamp, including those that failed.",
    matters="ChatEventTrigger finds chats by this field.",
    source=page("get-chat"),
    question="Do all chats that are over have end_timestamp?",
    otherwise="ChatEventTrigger misses chats without this field.",
)
def ended_chats_have_an_end(target: Target) -> Flow[Finding]:
    """Search the newest chats for one without an end."""
    chats = yield from sample(target)
    return check_ends("chat", chats, _STATUSES)
