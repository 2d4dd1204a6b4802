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


def make_event(record_id: str = "call_1", event: str = "call_ended", **fields: Any) -> bytes:
    """Return the body of a webhook event of a call or chat."""
    noun = event.partition("_")[0]
    kind = {"call": "phone_call", "chat": "api_chat"}[noun]
    record = {f"{noun}_id": record_id, f"{noun}_status": "ended", f"{noun}_type": kind, **fields}
    return json.dumps({"event": event, noun: record}).encode()
