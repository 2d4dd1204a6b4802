"""The payload of asset events about calls, as the webhook receiver and ``CallEventTrigger`` write it.

Source of the webhook events: https://docs.retellai.com/features/webhook-overview
"""

from __future__ import annotations

import math
from typing import Any

from pydantic import BaseModel, ValidationError

from airflow_provider_retell.api import parsing


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


class _Event(_Name):
    call: _Call


class _PayloadCall(BaseModel, extra="allow"):
    call_id: str
    end_timestamp: int | float | None = None


class _Payload(BaseModel, extra="allow"):
    event: str
    calls: list[_PayloadCall]


def event_name(body: bytes) -> str | None:
    """Return the name of the webhook event in *body*, or None if *body* is not an event."""
    try:
        return parsing.read(_Name, body).event
    except ValidationError:
        return None


def event_payload(body: bytes) -> dict[str, Any]:
    """Return the payload of the asset event for the webhook event in *body*.

    :raises pydantic.ValidationError: if *body* is not an event of a call.
    """
    event = parsing.read(_Event, body)
    return {"event": event.event, "calls": [call_summary(event.call)]}


def call_summary(call: Any) -> dict[str, Any]:
    """Return the fields of *call* that an event contains: ids, status and end time, but no personal data.

    The call may be malformed: a value that is neither text nor a number becomes None, and so does an end time that is
    not a number.
    """
    summary = {name: _plain(getattr(call, name, None)) for name in _Call.model_fields}
    if isinstance(summary["end_timestamp"], str):
        summary["end_timestamp"] = None
    return summary


def _plain(value: Any) -> str | int | None:
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else None
    return value if isinstance(value, (str, int)) else None


def parse_event_payload(extra: Any) -> dict[str, Any]:
    """Return ``event`` and ``calls`` from the *extra* of an asset event. Events of other producers have no calls."""
    try:
        return _Payload.model_validate(extra.get("payload", extra)).model_dump()
    except (AttributeError, ValidationError):
        return {"event": "", "calls": []}
