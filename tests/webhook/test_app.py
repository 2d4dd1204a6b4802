"""The webhook receiver over real sockets: the requests that it accepts and rejects, and its log."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import logging
import socket
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from signed_events import KEY, make_event, sign
from tasks import eventually

from airflow_provider_retell._compat import AirflowNotFoundException
from airflow_provider_retell.webhook import app
from airflow_provider_retell.webhook.app import MAX_BYTES, MAX_BYTES_AT_ONCE

if TYPE_CHECKING:
    from pytest_mock import MockerFixture

PRIVATE = "zebra-umbrella"
OTHER_KEY = "a signature that does not match the API key"
ONE_HEADER = "without exactly one X-Retell-Signature header"
BODY = make_event()


def signed(body: bytes = BODY, key: str = KEY) -> tuple[str, str]:
    return ("X-Retell-Signature", sign(body, key))


def upper_case() -> tuple[str, str]:
    version, digest = sign(BODY).split(",d=")
    return ("X-Retell-Signature", f"{version},d={digest.upper()}")


@pytest.fixture(autouse=True)
def info_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def lines(records: list[logging.LogRecord]) -> list[str]:
    """Return the lines of this package, and the errors of all packages."""
    return [r.getMessage() for r in records if r.name.startswith("airflow_provider_retell") or r.levelno > 30]


CALL = make_event(
    agent_id="agent_1", end_timestamp=5, direction="inbound", transcript=PRIVATE, from_number="+14155550111",
    metadata={"note": PRIVATE}, access_token=PRIVATE, call_analysis={"call_summary": PRIVATE},
)  # fmt: skip
CALL_FACTS = {
    **{"call_id": "call_1", "call_status": "ended", "call_type": "phone_call", "direction": "inbound"},
    **{"agent_id": "agent_1", "disconnection_reason": None, "end_timestamp": 5},
}
CHAT = make_event(
    "chat_1", event="chat_analyzed", agent_id="agent_1", end_timestamp=5, chat_type="sms_chat",
    transcript=PRIVATE, user_number="+14155550111", message_with_tool_calls=[{"content": PRIVATE}],
    metadata={"note": PRIVATE}, chat_analysis={"chat_summary": PRIVATE},
)  # fmt: skip
CHAT_FACTS = {
    **{"chat_id": "chat_1", "chat_status": "ended", "chat_type": "sms_chat"},
    **{"agent_id": "agent_1", "end_timestamp": 5},
}


@pytest.mark.parametrize(
    ("body", "name", "noun", "asset_id", "facts"),
    [
        pytest.param(CALL, "call_ended", "call", 8, CALL_FACTS, id="call"),
        pytest.param(CHAT, "chat_analyzed", "chat", 9, CHAT_FACTS, id="chat"),
    ],
)
@pytest.mark.usefixtures("whole_log")
def test_signed_event_becomes_an_event_of_the_asset_of_its_kind(
    receiver: Any, airflow_api: Any, caplog: Any, body: bytes, name: str, noun: str, asset_id: int, facts: Any
) -> None:
    assert receiver.post(body) == 204
    (event,) = airflow_api.events
    assert event["asset_id"] == asset_id
    assert event["extra"] == {"event": name, f"{noun}s": [facts], "from_rest_api": True}
    assert lines(caplog.records) == [f"Webhook: {name} of {noun} {noun}_1"]
    assert PRIVATE not in caplog.text


@pytest.mark.parametrize("mount", ["/retell", "/airflow/retell", "/"])
def test_receiver_works_below_any_path(start: Any, airflow_api: Any, mount: str) -> None:
    receiver = start(mount=mount)
    body = make_event()
    path = f"{mount.rstrip('/')}/webhook"
    assert receiver.request("POST", path, body, {"x-retell-signature": sign(body)}) == 204
    assert len(airflow_api.events) == 1


class TestRejected:
    """Status 401, no request to Airflow, and no line in the log but a count with the reason."""

    @pytest.fixture
    def reasons(self) -> list[str]:
        """The words that the reason in the log must contain. A test adds them."""
        return []

    @pytest.fixture(autouse=True)
    def only_a_count(self, receiver: Any, airflow_api: Any, caplog: Any, reasons: list[str]) -> Any:
        yield
        assert airflow_api.seen == []
        (line,) = lines(caplog.get_records("call"))
        assert line.startswith("Webhook: rejected 1 request so far ")
        assert reasons
        assert [reason for reason in reasons if reason not in line] == []
        assert "call_1" not in line
        assert receiver.app._receiving == 0
        assert receiver.post(make_event("call_good")) == 204  # the next event is accepted
        assert len(airflow_api.events) == 1

    @pytest.mark.parametrize("key", ["key_other", "", "KEY_WEBHOOK"])
    def test_signature_of_another_key_is_rejected(self, receiver: Any, reasons: list[str], key: str) -> None:
        reasons += [OTHER_KEY, "'retell_key'", "webhook badge"]
        assert receiver.post(make_event(), key=key) == 401

    @pytest.mark.parametrize(
        ("seconds", "says"), [(-310, "5 min 1"), (310, "5 min "), (-3600, "1 h"), (10**9, "27777")]
    )
    def test_signature_that_is_too_old_or_in_the_future_is_rejected(
        self, receiver: Any, reasons: list[str], seconds: int, says: str
    ) -> None:
        reasons += [
            "The last was signed ",
            "ago" if seconds < 0 else "in the future",
            says,
            "correct the clock",
        ]
        assert receiver.post(make_event(), seconds=seconds) == 401

    @pytest.mark.parametrize("body", [b"", b"not json", b"{}", b"\xff" * 100, b"[" * 10_000])
    def test_request_without_a_signature_is_rejected(
        self, receiver: Any, reasons: list[str], body: bytes
    ) -> None:
        reasons += [ONE_HEADER]
        assert receiver.request("POST", "/retell/webhook", body) == 401

    @pytest.mark.parametrize(
        "header",
        ["", "v=,d=", "d=1", "v=1", "v=1,d=1", "x" * 5000, "v=99999999999999999999,d=" + "0" * 64, "\xe9"],
    )
    def test_malformed_signature_is_rejected(self, receiver: Any, reasons: list[str], header: str) -> None:
        reasons += ["malformed X-Retell-Signature header"]
        headers = {"X-Retell-Signature": header}
        assert receiver.request("POST", "/retell/webhook", make_event(), headers) == 401

    @pytest.mark.parametrize(
        ("headers", "body", "reason"),
        [
            (lambda: [signed(make_event("call_2"))], BODY, OTHER_KEY),
            (lambda: [signed(), ("Content-Encoding", "gzip")], gzip.compress(BODY), OTHER_KEY),
            (lambda: [upper_case()], BODY, "malformed X-Retell-Signature header"),
            (lambda: [signed(), signed()], BODY, ONE_HEADER),
            (lambda: [signed(), ("x-retell-signature", signed(key="other")[1])], BODY, ONE_HEADER),
            (lambda: [signed(key="other"), signed()], BODY, ONE_HEADER),
        ],
        ids=["another body", "compressed", "upper case", "two", "valid and invalid", "invalid and valid"],
    )
    def test_signature_that_is_not_of_the_body_or_not_the_only_one_is_rejected(
        self, receiver: Any, reasons: list[str], headers: Any, body: bytes, reason: str
    ) -> None:
        reasons += [reason]
        assert receiver.request("POST", "/retell/webhook", body, headers()) == 401

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            *(
                (method, "/retell/webhook")
                for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
            ),
            *(("POST", path) for path in ("/retell/", "/retell/webhooks", "/retell/webhook/x")),
        ],
    )
    def test_other_methods_and_paths_are_rejected(
        self, receiver: Any, reasons: list[str], method: str, path: str
    ) -> None:
        reasons += ["another address or method"]
        assert receiver.request(method, path, BODY, [signed()]) == 401

    @pytest.mark.parametrize("chunked", [False, True])
    def test_body_over_the_limit_is_rejected(self, receiver: Any, reasons: list[str], chunked: bool) -> None:
        reasons += ["too large"]
        body = b"x" * (MAX_BYTES + 1)
        headers = {"X-Retell-Signature": sign(body)}
        if chunked:
            headers["Transfer-Encoding"] = "chunked"
            parts = [body[i : i + 65536] for i in range(0, len(body), 65536)]
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        assert receiver.request("POST", "/retell/webhook", body, headers) == 401


def raw(receiver: Any, signature: str, length: int, part: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", receiver.port), timeout=20)
    head = f"POST /retell/webhook HTTP/1.1\r\nHost: x\r\nX-Retell-Signature: {signature}\r\n"
    connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode() + part)
    return connection


def status_of(connection: socket.socket) -> int:
    with connection:
        return int(connection.recv(4096).split()[1])


def test_slow_body_is_rejected(receiver: Any, airflow_api: Any, mocker: Any) -> None:
    mocker.patch("airflow_provider_retell.webhook.app._BODY_SECONDS", 0.3)
    body = make_event()
    began = time.monotonic()
    connection = raw(receiver, sign(body), len(body), body[:10])
    assert status_of(connection) == 401
    assert 0.25 < time.monotonic() - began < 5
    assert airflow_api.seen == []
    assert receiver.app._receiving == 0


def test_body_in_several_parts_is_accepted(receiver: Any, airflow_api: Any) -> None:
    body = make_event(transcript="x" * 200_000)
    connection = raw(receiver, sign(body), len(body), body[:10])
    for start_ in range(10, len(body), 50_000):
        connection.sendall(body[start_ : start_ + 50_000])
    assert status_of(connection) == 204
    assert len(airflow_api.events) == 1


def test_server_may_leave_out_an_empty_body(receiver: Any) -> None:
    headers = [(b"x-retell-signature", sign(b"").encode())]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/webhook", "headers": headers}
    asyncio.run(receiver.app(scope, receive, send))
    # 400 rather than 401: the signature is that of an empty body.
    assert [message.get("status") for message in sent] == [400, None]


def test_incomplete_body_is_rejected(receiver: Any, airflow_api: Any) -> None:
    body = make_event()
    raw(receiver, sign(body), len(body), body[:-1]).close()
    raw(receiver, sign(body[:-1]), len(body), body[:-1]).close()
    eventually(lambda: receiver.app._rejected["body"] == 2)
    assert airflow_api.seen == []
    assert receiver.app._receiving == 0


def test_concurrent_bodies_share_a_limit(receiver: Any, airflow_api: Any, mocker: Any) -> None:
    mocker.patch("airflow_provider_retell.webhook.app._BODY_SECONDS", 60)
    part = b"x" * (MAX_BYTES - 1)
    half_open = [
        raw(receiver, sign(b"forged"), MAX_BYTES, part) for _ in range(MAX_BYTES_AT_ONCE // MAX_BYTES)
    ]
    eventually(lambda: receiver.app._receiving > MAX_BYTES_AT_ONCE - 70_000)
    assert status_of(raw(receiver, sign(b"forged"), MAX_BYTES, part)) == 401  # one body too many
    for connection in half_open:
        connection.close()
    eventually(lambda: receiver.app._receiving == 0)
    assert receiver.post(make_event()) == 204


@pytest.mark.slow
def test_memory_does_not_grow_with_rejected_requests(receiver: Any, caplog: Any) -> None:
    caplog.set_level(logging.WARNING)  # otherwise caplog keeps the server's own records
    body = make_event(transcript="x" * 100_000)
    wrong = [
        ("POST", "/retell/webhook", body, {"X-Retell-Signature": sign(body, "other")}),
        ("POST", "/retell/webhook", body, {"X-Retell-Signature": sign(body, seconds=-999)}),
        ("POST", "/retell/webhook", body, {}),
        ("GET", f"/retell/{'x' * 500}", b"", {}),
    ]

    def some(count: int) -> None:
        for _ in range(count):
            assert [receiver.request(*request) for request in wrong] == [401] * 4

    tracemalloc.start()
    try:
        some(30)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        some(100)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 1_000_000  # 30 MB were sent
    finally:
        tracemalloc.stop()


def test_rejected_requests_are_counted_once_a_minute(
    receiver: Any, caplog: Any, mocker: MockerFixture
) -> None:

    for _ in range(5):
        receiver.request("GET", "/retell/webhook")
    mocker.patch.object(app, "_LOG_SECONDS", 0)
    receiver.request("GET", "/retell/webhook")
    reason = "so far for another address or method than POST .../webhook"
    assert lines(caplog.records) == [
        f"Webhook: rejected 1 request {reason}",
        f"Webhook: rejected 6 requests {reason}",
    ]


@pytest.mark.usefixtures("whole_log")
def test_requests_of_strangers_do_not_hide_another_reason(receiver: Any, caplog: Any) -> None:
    for _ in range(3):
        receiver.request("POST", "/retell/webhook", b"x")
    receiver.post(make_event(), key="key_other")
    receiver.post(make_event(), seconds=-400)
    first, second, third = lines(caplog.records)
    assert "rejected 1 request so far without exactly one X-Retell-Signature header" in first
    assert f"rejected 1 request so far with {OTHER_KEY}" in second
    assert "rejected 1 request so far with a time that is too far from the time of this machine" in third
    assert "signed 6 min 4" in third
    assert "key_other" not in caplog.text


def test_websocket_is_rejected(receiver: Any, caplog: Any) -> None:
    headers = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }  # fmt: skip
    connection = socket.create_connection(("127.0.0.1", receiver.port), timeout=20)
    text = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    connection.sendall(f"GET /retell/webhook HTTP/1.1\r\nHost: x\r\n{text}\r\n".encode())
    assert status_of(connection) in (401, 403)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_the_content_type_does_not_matter(receiver: Any, airflow_api: Any, kind: str) -> None:
    assert receiver.post(make_event(), **{"Content-Type": kind}) == 204
    assert len(airflow_api.events) == 1


def test_other_events_are_dropped_and_malformed_ones_are_errors(
    receiver: Any, airflow_api: Any, caplog: Any
) -> None:
    assert receiver.post(make_event(event="call_started")) == 204
    assert receiver.post(make_event(event="chat_started")) == 204
    assert receiver.post(b'{"event": "transcript_updated", "chat": {}}') == 204
    for body in (
        b"",
        b"no json",
        b"{}",
        b'{"event": "call_ended"}',
        b'{"event": "call_ended", "call": {}}',
        b'{"event": "chat_ended", "call": {"call_id": "call_1", "call_status": "ended"}}',
        b"[" * 10**5,
    ):
        assert receiver.post(body) == 400
    assert airflow_api.seen == []
    start = "Webhook: Retell has signed a body that is not an event of a call or chat: "
    assert {line.removeprefix(start) for line in lines(caplog.records)} == {
        f"{where} is not as the API documents it ({kind})"
        for where, kind in {
            "the body": "json_invalid",
            "event": "missing",
            "call": "missing",
            "call.call_id": "missing",
            "chat": "missing",
        }.items()
    }


def test_missing_key_rejects_all_events_with_one_lookup_a_minute(
    receiver: Any, airflow_api: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_RETELL_KEY", json.dumps({"conn_type": "retell"}))
    for key in ("", "key_webhook"):
        assert receiver.post(make_event(), key=key) == 503
    assert (
        caplog.text.count("no API key to check signatures with: connection 'retell_key' has no API key") == 1
    )
    monkeypatch.setenv("AIRFLOW_CONN_RETELL_KEY", json.dumps({"conn_type": "retell", "password": "key_new"}))
    receiver.app._key = (0.0, None)  # a minute later
    assert receiver.post(make_event(), key="key_webhook") == 401
    assert receiver.post(make_event(), key="key_new") == 204


def test_the_known_key_stays_while_the_connection_cannot_be_read(
    receiver: Any, mocker: MockerFixture, caplog: Any
) -> None:
    mocker.patch.object(app, "_KEY_SECONDS", 0)
    assert receiver.post(make_event()) == 204
    lookup = mocker.patch.object(app, "aget_connection", side_effect=OSError("the database is down"))
    assert receiver.post(make_event("call_analyzed")) == 204
    assert receiver.post(make_event("call_analyzed")) == 204
    # The failure is cached for some seconds.
    assert lookup.call_count == 1
    assert "the API key cannot be read" in caplog.text


def test_a_deleted_connection_rejects_all_events(receiver: Any, mocker: MockerFixture) -> None:
    mocker.patch.object(app, "_KEY_SECONDS", 0)
    assert receiver.post(make_event()) == 204
    mocker.patch.object(app, "aget_connection", side_effect=AirflowNotFoundException("no connection"))
    assert receiver.post(make_event("call_analyzed")) == 503
