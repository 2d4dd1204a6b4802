"""Signatures of Retell's webhooks.

Source: https://docs.retellai.com/features/webhook-overview, and ``lib/webhook_auth.py`` of Retell's Python SDK.
"""

from __future__ import annotations

import hashlib
import hmac
import re

TOLERANCE_SECONDS = 300
"""The maximum difference between the time of a signature and now, in either direction."""

_SIGNATURE = re.compile(r"v=([0-9]{1,16}),d=([0-9a-f]{64})")


def sign(body: bytes, api_key: str, now: float) -> str:
    """Return the ``x-retell-signature`` header of *body*.

    :param now: the time in epoch seconds.
    """
    return _signature(body, api_key, int(now * 1000))


def _signature(body: bytes, api_key: str, timestamp: int) -> str:
    digest = hmac.new(api_key.encode(), body + str(timestamp).encode(), hashlib.sha256).hexdigest()
    return f"v={timestamp},d={digest}"


def signed_at(signature: str) -> int | None:
    """Return the timestamp (milliseconds) in an ``x-retell-signature`` header, or None if it is malformed."""
    match = _SIGNATURE.fullmatch(signature)
    return None if match is None else int(match[1])


def clock_offset(timestamp: int, now: float) -> float:
    """Return how many seconds a *timestamp* (milliseconds) is after *now*. In the past, the number is negative.

    If it is more than :data:`TOLERANCE_SECONDS` in either direction, the signature is invalid.
    """
    return timestamp / 1000 - now


def is_signed(body: bytes, signature: str, api_key: str, now: float) -> bool:
    """Return True if *signature* is a recent signature of *body* with *api_key*. The comparison takes constant time."""
    timestamp = signed_at(signature)
    if timestamp is None or abs(clock_offset(timestamp, now)) > TOLERANCE_SECONDS:
        return False
    return hmac.compare_digest(_signature(body, api_key, timestamp), signature)
