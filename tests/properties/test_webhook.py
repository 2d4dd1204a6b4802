"""Signatures of webhooks, and the receiver with arbitrary requests."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import strategies
from hypothesis import assume, given
from hypothesis import strategies as st
from retell.lib.webhook_auth import symmetric

from airflow_provider_retell.api.webhook import is_signed, signed_at
from airflow_provider_retell.webhook import app

NOW = 1_800_000_000.0
KEY = "key_webhook"

bodies = st.text().map(str.encode) | strategies.objects.map(lambda value: json.dumps(value).encode())
api_keys = st.text(st.characters(min_codepoint=33, max_codepoint=255, categories=["L", "N", "P"]), min_size=1)
# In milliseconds: some are too old, or too far in the future.
ages = st.integers(-400_000, 400_000) | st.sampled_from([-300_000, -300_001, 300_000, 300_001])
latin = st.text(st.characters(max_codepoint=255), max_size=100)
signatures = st.one_of(
    latin,
    st.builds(
        lambda time, digest: f"v={time},d={digest}",
        st.integers(-1, 10**20).map(str) | st.sampled_from(["", "01", "\u0661", "1e5", "9" * 5000]),
        st.text("0123456789abcdefABCDEF\u0661", min_size=63, max_size=65) | latin,
    ),
)


def sign(body: bytes, key: str, age: int = 0) -> str:
    """Sign *body* with Retell's SDK, *age* milliseconds ago."""
    return symmetric["sign"](body.decode(), key, int(NOW * 1000) - age)


@given(bodies, api_keys, ages)
def test_signatures_of_retells_sdk_are_accepted_if_they_are_recent(body: bytes, key: str, age: int) -> None:
    signature = sign(body, key, age)
    expected = symmetric["verify"](body.decode(), key, signature, {"timestamp": int(NOW * 1000)})
    assert expected == (abs(age) <= 300_000)
    assert is_signed(body, signature, key, NOW) == expected
    assert signed_at(signature) is not None


@given(bodies, bodies, api_keys, api_keys, st.integers(1, 1000))
def test_signature_is_valid_only_for_its_body_key_and_time(
    body: bytes, other_body: bytes, key: str, other_key: str, shift: int
) -> None:
    signature = sign(body, key)
    assert is_signed(other_body, signature, key, NOW) == (other_body == body)
    assert is_signed(body, signature, other_key, NOW) == (other_key == key)
    time, digest = signature[2:].split(",d=")
    assert not is_signed(body, f"v={int(time) + shift},d={digest}", key, NOW)


@given(signatures, bodies, st.floats(0, 10**12))
def test_forged_signature_is_never_accepted(signature: str, body: bytes, now: float) -> None:
    assert not is_signed(body, signature, KEY, now)
    time = signed_at(signature)
    assert time is None or signature.startswith(f"v={time}," if str(time) in signature else "v=0")


class Events:
    """Collects events, and fails for some."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.fails = False

    async def send(self, event: Any) -> bool:
        if self.fails:
            raise RuntimeError("down")
        self.sent.append(json.loads(json.dumps(event)))
        return True


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch, mocker: Any) -> app.WebhookApp:
    monkeypatch.setenv("AIRFLOW_CONN_RETELL_KEY", json.dumps({"conn_type": "retell", "password": KEY}))
    mocker.patch("airflow_provider_retell.clock.Clock.time", return_value=NOW)
    events: Any = Events()
    return app.WebhookApp({"call_ended": events, "chat_ended": events}, "retell_key")


def request(receiver: app.WebhookApp, scope: dict[str, Any], messages: list[Any]) -> int:
    """Send a request to *receiver*, and return the status of the response."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(receiver({"type": "http", **scope}, receive, send))
    start, body = sent
    assert body.get("body") == b""
    length, *result = start["headers"]
    assert length == (b"content-length", b"0")
    # Only responses to signed events have a result.
    results = {204: {b"created", b"duplicate", b"ignored"}, 400: {b"invalid"}, 503: {b"failed"}}
    for name, value in result:
        assert name == b"x-retell-result"
        assert value in results[start["status"]]
    assert len(result) <= 1
    assert result or start["status"] in (401, 503)
    return start["status"]


headers = st.lists(
    st.tuples(
        st.sampled_from([b"x-retell-signature", b"x-retell-signature", b"content-length", b"authorization"]),
        signatures.map(lambda text: text.encode("latin-1", "replace")) | st.binary(max_size=20),
    ),
    max_size=4,
)
messages = st.lists(
    st.one_of(
        st.fixed_dictionaries({"type": st.just("http.request")}, optional={"body": st.binary(max_size=9)}),
        st.fixed_dictionaries({"type": st.just("http.request"), "more_body": st.just(True), "body": bodies}),
        st.just({"type": "http.disconnect"}),
    ),
    max_size=4,
)


@given(
    st.sampled_from(["GET", "POST", "PUT"]),
    st.sampled_from(["/webhook", "/retell/webhook/", "/", ""]),
    headers,
    messages,
)
def test_unsigned_request_learns_nothing_and_makes_no_event(
    receiver: Any, method: str, path: str, headers: Any, messages: list[Any]
) -> None:
    assert request(receiver, {"method": method, "path": path, "headers": headers}, messages) == 401
    assert receiver._events["call_ended"].sent == []
    assert receiver._receiving == 0


def events_of(noun: str) -> Any:
    """Return a strategy of events of calls or chats, most of them malformed."""
    record = st.fixed_dictionaries(
        {
            f"{noun}_id": st.just("id_1") | strategies.server_values,
            f"{noun}_status": st.just("ended"),
        },
        optional={"end_timestamp": strategies.server_values, "transcript": st.just("pr1vate")},
    )
    names = st.sampled_from([f"{noun}_ended", f"{noun}_started"]) | strategies.server_values
    return st.fixed_dictionaries({"event": names, noun: strategies.server_values | record})


events = events_of("call") | events_of("chat")


@given(
    events.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40),
    st.lists(st.integers(0, 200)),
    st.booleans(),
)
def test_signed_body_becomes_at_most_one_event_without_private_data(
    receiver: Any, body: bytes, cuts: list[int], fails: bool
) -> None:
    try:
        signature = sign(body, KEY)
    except UnicodeDecodeError:
        assume(False)
    parts = [
        body[start:end] for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(body)], strict=True)
    ]
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.request"})
    receiver._events["call_ended"].sent.clear()
    receiver._events["call_ended"].fails = fails
    scope = {"method": "POST", "path": "/webhook", "headers": [(b"x-retell-signature", signature.encode())]}
    status = request(receiver, scope, messages)
    assert status in (204, 400, 503)
    assert (status == 503) <= fails
    assert len(receiver._events["call_ended"].sent) <= (status == 204)
    assert "pr1vate" not in json.dumps(receiver._events["call_ended"].sent)
    assert receiver._receiving == 0
