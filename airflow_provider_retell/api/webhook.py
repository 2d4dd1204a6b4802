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


def signed_at(signature: str, now: float) -> int | None:
    """Return the timestamp (milliseconds) in an ``x-retell-signature`` header; None if it is malformed or not recent.

    This check is cheap. The body of a request that fails it need not be read.
    """
    match = _SIGNATURE.fullmatch(signature)
    if match is None or abs(int(match[1]) / 1000 - now) > TOLERANCE_SECONDS:
        return None
    return int(match[1])


def is_signed(body: bytes, signature: str, api_key: str, now: float) -> bool:
    """Return True if *signature* is a recent signature of *body* with *api_key*. The comparison takes constant time."""
    timestamp = signed_at(signature, now)
    if timestamp is None:
        return False
    expected = hmac.new(api_key.encode(), body + str(timestamp).encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v={timestamp},d={expected}", signature)
