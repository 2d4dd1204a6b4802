"""Events as Retell sends and signs them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

KEY = "key_webhook"


def sign(body: bytes, key: str = KEY, seconds: float = 0) -> str:
    """Return the header of a body that is signed so many seconds from now."""
    moment = int((time.time() + seconds) * 1000)
    return f"v={moment},d={hmac.new(key.encode(), body + str(moment).encode(), hashlib.sha256).hexdigest()}"


def make_event(call_id: str = "call_1", event: str = "call_ended", **fields: Any) -> bytes:
    """Return the body of an event."""
    call = {"call_id": call_id, "call_status": "ended", "call_type": "phone_call", **fields}
    return json.dumps({"event": event, "call": call}).encode()
