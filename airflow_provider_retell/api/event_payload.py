"""The payload of asset events about calls and chats, as the webhook receiver and the event triggers write it.

Source of the webhook events: https://docs.retellai.com/features/webhook-overview
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from airflow_provider_retell.api import parsing
from airflow_provider_retell.api.records.nouns import NOUNS, Noun


class _Name(BaseModel):
    event: str


class _Call(BaseModel):
    """The fields of a payload. Other fields are ignored, so that a malformed one does not invalidate the event."""

    call_id: str
    call_status: str
    call_type: Any = None
    direction: Any = None
    agent_id: Any = None
    disconnection_reason: Any = None
    end_timestamp: Any = None


class _Chat(BaseModel):
    """The fields of a payload. Retell's chat object has no direction and no disconnection reason."""

    chat_id: str
    chat_status: str
    chat_type: Any = None
    agent_id: Any = None
    end_timestamp: Any = None


class _CallEvent(_Name):
    call: _Call


class _ChatEvent(_Name):
    chat: _Chat


_SUMMARIES: dict[Noun, type[BaseModel]] = {"call": _Call, "chat": _Chat}
_EVENTS: dict[Noun, type[_Name]] = {"call": _CallEvent, "chat": _ChatEvent}


class _StoredCall(BaseModel, extra="allow"):
    call_id: str
    end_timestamp: int | float | None = None


class _StoredChat(BaseModel, extra="allow"):
    chat_id: str
    end_timestamp: int | float | None = None


class _Calls(_Name, extra="allow"):
    calls: list[_StoredCall]


class _Chats(_Name, extra="allow"):
    chats: list[_StoredChat]


_PAYLOAD: TypeAdapter[_Calls | _Chats] = TypeAdapter(_Calls | _Chats)


def event_name(body: bytes) -> str | None:
    """Return the name of the webhook event in *body*, or None if *body* is not an event."""
    try:
        return parsing.read(_Name, body).event
    except ValidationError:
        return None


def noun_of(event: str) -> Noun:
    """Return ``"chat"`` if the event with this name is one of a chat, and otherwise ``"call"``."""
    return "chat" if event.startswith("chat_") else "call"


def event_payload(body: bytes, noun: Noun) -> dict[str, Any]:
    """Return the payload of the asset event for the webhook event in *body*.

    :param noun: the kind of record that the event must have.
    :raises pydantic.ValidationError: if *body* is not an event of a call or chat.
    """
    event = parsing.read(_EVENTS[noun], body)
    return {"event": event.event, f"{noun}s": [record_summary(noun, getattr(event, noun))]}


def record_summary(noun: Noun, record: Any) -> dict[str, Any]:
    """Return the fields of a call or chat that an event contains: ids, status and end time, but no personal data.

    The record may be malformed: a value that is neither text nor a number becomes None, and so does an end time that is
    not a number.
    """
    summary = {name: _plain(getattr(record, name, None)) for name in _SUMMARIES[noun].model_fields}
    if isinstance(summary["end_timestamp"], str):
        summary["end_timestamp"] = None
    return summary


def _plain(value: Any) -> str | int | None:
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else None
    return value if isinstance(value, (str, int)) else None


def parse_event_payload(extra: Any) -> dict[str, Any]:
    """Return ``event``, and ``calls`` or ``chats``, from the *extra* of an asset event.

    The result for the event of another producer has an empty ``event`` and no calls.
    """
    try:
        return _PAYLOAD.validate_python(extra.get("payload", extra)).model_dump()
    except (AttributeError, ValidationError):
        return {"event": "", "calls": []}


def records_in(payload: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the id and the summary of each call and chat in the payload of an event."""
    for noun in NOUNS:
        for summary in payload.get(f"{noun}s", ()):
            yield summary[f"{noun}_id"], summary
