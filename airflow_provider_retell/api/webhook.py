"""Retell's webhooks as values: is this signed, and what does it say.

Source: https://docs.retellai.com/features/webhook-overview, and ``lib/webhook_auth.py`` of Retell's Python SDK.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from typing import Any

from pydantic import BaseModel, ValidationError

from airflow_provider_retell.api import reading

TOLERANCE_SECONDS = 300
"""How far the time of a signature may be from now, either way."""

_SIGNATURE = re.compile(r"v=([0-9]{1,16}),d=([0-9a-f]{64})")


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


class _Facts(BaseModel):
    """Nothing else of a call is read: a field that is not needed, and not as documented, must not cost its event."""

    call_id: str
    call_status: str
    call_type: Any = None
    direction: Any = None
    agent_id: Any = None
    disconnection_reason: Any = None
    end_timestamp: Any = None


class _Event(_Name):
    call: _Facts


class _ToldCall(BaseModel, extra="allow"):
    call_id: str
    end_timestamp: int | float | None = None


class _Told(BaseModel, extra="allow"):
    event: str
    calls: list[_ToldCall]


def event_name(body: bytes) -> str | None:
    """Return the name of the event, or None if the body is not an event."""
    try:
        return reading.read(_Name, body).event
    except ValidationError:
        return None


def event_facts(body: bytes) -> dict[str, Any]:
    """Return what an asset event says about an event of a call.

    :raises pydantic.ValidationError: if the body is no such event.
    """
    read = reading.read(_Event, body)
    return {"event": read.event, "calls": [call_facts(read.call)]}


def call_facts(call: Any) -> dict[str, Any]:
    """Return what an asset event says about a call: ids, status and time, nothing of the people on it.

    What is neither text nor a number becomes None: the call may not be as Retell documents it.
    """
    return {name: _fact(getattr(call, name, None)) for name in _Facts.model_fields}


def _fact(value: Any) -> str | int | None:
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else None
    return value if isinstance(value, (str, int)) else None


def told(extra: Any) -> dict[str, Any]:
    """Return what the extra of an asset event tells of calls: ``event`` and ``calls``, of the receiver or the trigger.

    Whatever somebody else has written into an event of the asset tells of none.
    """
    try:
        return _Told.model_validate(extra.get("payload", extra)).model_dump()
    except (AttributeError, ValidationError):
        return {"event": "", "calls": []}
