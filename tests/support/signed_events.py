"""Webhook events as Retell signs and sends them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

KEY = "key_webhook"


def sign(body: bytes, key: str = KEY, seconds: float = 0) -> str:
    """Return the signature header of *body*, signed *seconds* from now."""
    timestamp = int((time.time() + seconds) * 1000)
    digest = hmac.new(key.encode(), body + str(timestamp).encode(), hashlib.sha256).hexdigest()
    return f"v={timestamp},d={digest}"


def make_event(call_id: str = "call_1", event: str = "call_ended", **fields: Any) -> bytes:
    """Return the body of a webhook event."""
    call = {"call_id": call_id, "call_status": "ended", "call_type": "phone_call", **fields}
    return json.dumps({"event": event, "call": call}).encode()
