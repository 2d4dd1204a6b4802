"""Retell's webhooks as values: is this signed, and what does it say.

Source: https://docs.retellai.com/features/webhook-overview, and ``lib/webhook_auth.py`` of Retell's Python SDK.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any

from pydantic import BaseModel, ValidationError

from airflow_provider_retell.api import reading
from airflow_provider_retell.api.models import Call

TOLERANCE_SECONDS = 300
"""How far the time of a signature may be from now, either way."""

_SIGNATURE = re.compile(r"v=([0-9]{1,16}),d=([0-9a-f]{64})")
_FACTS = (
    "call_id",
    "call_status",
    "call_type",
    "direction",
    "agent_id",
    "disconnection_reason",
    "end_timestamp",
)


def signed_at(signature: str, now: float) -> int | None:
    """Return the milliseconds in a ``x-retell-signature`` header, or None if it is malformed or not fresh.

    Cheap: what fails here need not be read.
    """
    match = _SIGNATURE.fullmatch(signature)
    if match is None or abs(int(match[1]) / 1000 - now) > TOLERANCE_SECONDS:
        return None
    return int(match[1])


def is_signed(body: bytes, signature: str, api_key: str, now: float) -> bool:
    """Return whether *body* was signed with *api_key* within the last five minutes; takes the same time either way."""
    moment = signed_at(signature, now)
    if moment is None:
        return False
    expected = hmac.new(api_key.encode(), body + str(moment).encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v={moment},d={expected}", signature)


class _Name(BaseModel):
    event: str


class _Event(_Name):
    call: Call


class _ToldCall(BaseModel, extra="allow"):
    call_id: str
    end_timestamp: int | None = None


class _Told(BaseModel, extra="allow"):
    event: str
    calls: list[_ToldCall]


def event_name(body: bytes) -> str | None:
    """Return the name of the event, or None if the body is not an event."""
    try:
        return reading.read(_Name, body).event
    except ValidationError:
        return None


def event_facts(body: bytes) -> dict[str, Any] | None:
    """Return what an asset event says about an event of a call, or None if the body is no such event."""
    try:
        read = reading.read(_Event, body)
    except ValidationError:
        return None
    return {"event": read.event, "calls": [call_facts(read.call)]}


def call_facts(call: Call) -> dict[str, Any]:
    """Return what an asset event says about a call: ids, status and time, nothing of the people on it."""
    return {name: getattr(call, name) for name in _FACTS}


def told(extra: Any) -> dict[str, Any]:
    """Return what the extra of an asset event tells of calls: ``event`` and ``calls``, of the receiver or the trigger.

    Whatever somebody else has written into an event of the asset tells of none.
    """
    try:
        return _Told.model_validate(extra.get("payload", extra)).model_dump()
    except (AttributeError, ValidationError):
        return {"event": "", "calls": []}
