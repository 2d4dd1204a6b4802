"""The signature, checked against the vendor's own code."""

from __future__ import annotations

import json
import time

import pytest
from pydantic import ValidationError

from airflow_provider_retell.api.event_payload import event_name, event_payload
from airflow_provider_retell.api.webhook import is_signed

webhook_auth = pytest.importorskip("retell.lib.webhook_auth")

KEY = "key_abc"
BODIES = [
    b"",
    b"{}",
    '{"event":"call_ended","call":{"note":"Zo\u00eb \u2603"}}'.encode(),
    b'{"a": "' + b"x" * 100_000 + b'"}',
]


def now_ms() -> int:
    return int(time.time() * 1000)


@pytest.mark.parametrize("body", BODIES, ids=len)
@pytest.mark.parametrize("key", [KEY, "key_\u00e9"])
def test_what_the_sdk_signs_is_signed(body: bytes, key: str) -> None:
    signature = webhook_auth.symmetric["sign"](body.decode(), key)
    assert is_signed(body, signature, key, time.time())
    assert not is_signed(body, signature, key + "x", time.time())
    assert not is_signed(body + b" ", signature, key, time.time())


@pytest.mark.parametrize(
    "written",
    [
        "V={v},D={d}",
        "v={v},d={D}",
        " v={v},d={d}",
        "v={v},d={d} ",
        "v={v},d={d}\n",
        "v={v}, d={d}",
        "v=0{v},d={d}",
        "v=-{v},d={d}",
        "v=+{v},d={d}",
        "v=1e{v},d={d}",
        "v=\u0661{v},d={d}",
        "v={v},d={d}0",
        "v={v},d=0x{d}",
        "v={v},d={d},v={v},d={d}",
        "d={d},v={v}",
        "v={v}",
        "d={d}",
        "",
    ],
)
def test_a_signature_that_is_written_otherwise_is_refused(written: str) -> None:
    moment, digest = webhook_auth.symmetric["sign"]("{}", KEY)[2:].split(",d=")
    assert is_signed(b"{}", f"v={moment},d={digest}", KEY, time.time())
    assert not is_signed(b"{}", written.format(v=moment, d=digest, D=digest.upper()), KEY, time.time())


@pytest.mark.parametrize(
    ("seconds", "good"),
    [(0, True), (-299, True), (299, True), (-301, False), (301, False), (-(10**9), False)],
)
def test_a_signature_is_good_for_five_minutes_either_way(seconds: int, good: bool) -> None:
    """The SDK, told the same, says the same."""
    signature = _sign(b"{}", KEY, now_ms() + seconds * 1000)
    assert is_signed(b"{}", signature, KEY, time.time()) is good
    assert bool(webhook_auth.symmetric["verify"]("{}", KEY, signature)) is good


def _sign(body: bytes, key: str, moment: int) -> str:
    import hashlib
    import hmac

    return f"v={moment},d={hmac.new(key.encode(), body + str(moment).encode(), hashlib.sha256).hexdigest()}"


def test_the_client_of_the_sdk_agrees() -> None:
    from retell import Retell

    signature = _sign(BODIES[2], KEY, now_ms())
    assert Retell(api_key=KEY).verify(BODIES[2].decode(), KEY, signature)
    assert is_signed(BODIES[2], signature, KEY, time.time())


def test_the_digest_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    import hmac

    compared = []
    monkeypatch.setattr(hmac, "compare_digest", lambda one, other: compared.append((one, other)) or True)
    assert is_signed(b"{}", f"v={now_ms()},d={'0' * 64}", KEY, time.time())
    assert len(compared) == 1


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"call": {}}', b'{"event": 3}', b"[" * 100_000]
)
def test_a_body_that_is_no_event(body: bytes) -> None:
    assert event_name(body) is None
    with pytest.raises(ValidationError):
        event_payload(body)


@pytest.mark.parametrize(
    "call", [b"null", b"[]", b"{}", b'{"call_id": "a"}', b'{"call_id": 3, "call_status": "ended"}']
)
def test_an_event_without_a_call(call: bytes) -> None:
    body = b'{"event": "call_ended", "call": ' + call + b"}"
    assert event_name(body) == "call_ended"
    with pytest.raises(ValidationError):
        event_payload(body)


def test_a_field_that_is_not_needed_may_be_anything() -> None:
    call = {
        "call_id": "a",
        "call_status": "ended",
        "end_timestamp": 1763836100123.5,
        "direction": ["inbound"],
        "metadata": "text",
        "call_analysis": {"in_voicemail": "unknown"},
        "call_cost": {"product_costs": {}},
        "agent_version": 1.5,
    }
    facts = event_payload(json.dumps({"event": "call_ended", "call": call}).encode())
    assert parse_event_payload(facts)["calls"] == facts["calls"]
    known = {name: fact for name, fact in facts["calls"][0].items() if fact is not None}
    assert known == {"call_id": "a", "call_status": "ended", "end_timestamp": 1763836100123}
