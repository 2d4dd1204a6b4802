"""The chats that checks use: a sample of the newest ones, and those that the user named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.chats.endpoints import ChatChange, get_chat, list_chats, update_chat
from airflow_provider_retell.api.chats.models import ENDED_STATUSES, Chat
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.records.changes import diff
from airflow_provider_retell.contract.findings import SkipError
from airflow_provider_retell.contract.flags import WRITE, Flag
from airflow_provider_retell.contract.record_list import RecordList
from airflow_provider_retell.contract.records import KEY, restore_metadata
from airflow_provider_retell.contract.seeing import ask
from airflow_provider_retell.contract.target import Target, one

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow

CHAT_ID = Flag(
    "--chat-id",
    "with --write: a chat whose metadata may be changed and restored; name an ongoing one, too, to check more",
    "ID",
    many=True,
)

WRITES = (WRITE, CHAT_ID)

UNKNOWN_ID = "chat_00000000000000000000000000000000"
"""The id of a chat that does not exist. It has the form of Retell's ids."""

SAMPLE = 50

CHATS = RecordList("chat", list_chats)


def sample(target: Target) -> Flow[list[dict[str, Any]]]:
    """Return the newest chats that have ended, as Retell lists them."""
    found: list[dict[str, Any]] = yield from target.once(_sample)
    return found


def _sample(_target: Target) -> Flow[list[dict[str, Any]]]:
    ended = {"type": "enum", "op": "in", "value": sorted(ENDED_STATUSES)}
    _, found = yield from CHATS.listed(filter_criteria={"chat_status": ended}, limit=SAMPLE)
    one(found, "the organization has no chat that has ended")
    return found


def _named(target: Target) -> Flow[list[Chat]]:
    chats = []
    for chat_id in target.values(CHAT_ID):
        chats.append((yield from ask(get_chat(chat_id))))
    return chats


def writable(target: Target, *statuses: str) -> Flow[Chat]:
    """Return a named chat in one of *statuses*, after recording its metadata, so that a check may change it.

    :raises SkipError: if none of the named chats can be changed and restored exactly.
    """
    named: list[Chat] = yield from target.once(_named)
    found = one(
        [chat for chat in named if chat.chat_status in statuses],
        f"needs --chat-id of a chat that is {' or '.join(statuses)}",
    )
    chat: Chat = yield from ask(get_chat(found.chat_id))
    if chat.chat_status != found.chat_status:
        raise SkipError("the status of the chat in --chat-id has changed")
    try:
        update_chat(chat.chat_id, metadata=chat.metadata or {})
        diff(chat, ChatChange(metadata={KEY: True}), "merge")
    except RetellInputError:
        raise SkipError("the package cannot restore the metadata of the chat in --chat-id exactly") from None
    target.about_to_change("chat", chat.chat_id, {"metadata": chat.metadata or {}})
    return chat


def restore(chat_id: str, state: dict[str, Any]) -> Flow[bool]:
    """Set the metadata of a chat to its state before the checks; return True if it is equal again."""
    return (
        yield from restore_metadata(
            lambda: get_chat(chat_id),
            lambda _chat, metadata: update_chat(chat_id, metadata=metadata),
            state["metadata"],
        )
    )
