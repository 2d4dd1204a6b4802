"""The receiver over real sockets: what gets in, what does not, and what it leaves behind."""

from __future__ import annotations

import gc
import gzip
import json
import logging
import socket
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PRIVATE = "zebra-umbrella"


@pytest.fixture(autouse=True)
def log_of_all(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def ours(records: list[logging.LogRecord]) -> list[str]:
    return [r.getMessage() for r in records if r.name.startswith("airflow_provider_retell") or r.levelno > 30]


def test_a_signed_event_becomes_an_asset_event(
    receiver: Any, airflow_api: Any, make_event: Any, caplog: Any
) -> None:
    body = make_event(
        agent_id="agent_1", end_timestamp=5, direction="inbound", transcript=PRIVATE, from_number="+14155550111",
        metadata={"note": PRIVATE}, access_token=PRIVATE, call_analysis={"call_summary": PRIVATE},
    )  # fmt: skip
    assert receiver.post(body) == 204
    (event,) = airflow_api.events
    assert event["asset_id"] == 8
    facts = {
        "call_id": "call_1",
        "call_status": "ended",
        "call_type": "phone_call",
        "direction": "inbound",
        "agent_id": "agent_1",
        "disconnection_reason": None,
        "end_timestamp": 5,
    }
    assert event["extra"] == {"event": "call_ended", "calls": [facts], "from_rest_api": True}
    assert ours(caplog.records) == ["Webhook: call_ended of call call_1"]
    assert PRIVATE not in caplog.text


@pytest.mark.parametrize("mount", ["/retell", "/airflow/retell", "/"])
def test_wherever_it_is_mounted(start: Any, airflow_api: Any, make_event: Any, sign: Any, mount: str) -> None:
    receiver = start(mount=mount)
    body = make_event()
    path = f"{mount.rstrip('/')}/webhook"
    assert receiver.request("POST", path, body, {"x-retell-signature": sign(body)}) == 204
    assert len(airflow_api.events) == 1


class TestRefused:
    """401, nothing in Airflow, and nothing in the log but a count."""

    @pytest.fixture(autouse=True)
    def nothing_is_left(self, receiver: Any, airflow_api: Any, make_event: Any, caplog: Any) -> Any:
        yield
        assert airflow_api.seen == []
        assert ours(caplog.get_records("call")) == ["Webhook: 1 requests without a valid signature so far"]
        assert receiver.app._arriving == 0
        assert receiver.post(make_event("call_good")) == 204  # and it still works
        assert len(airflow_api.events) == 1

    @pytest.mark.parametrize("key", ["key_other", "", "KEY_WEBHOOK"])
    def test_forged(self, receiver: Any, make_event: Any, key: str) -> None:
        assert receiver.post(make_event(), key=key) == 401

    @pytest.mark.parametrize("seconds", [-310, 310, -3600, 10**9])
    def test_stale_or_from_the_future(self, receiver: Any, make_event: Any, seconds: int) -> None:
        assert receiver.post(make_event(), seconds=seconds) == 401

    def test_another_body(self, receiver: Any, make_event: Any, sign: Any) -> None:
        headers = {"X-Retell-Signature": sign(make_event())}
        assert receiver.request("POST", "/retell/webhook", make_event("call_2"), headers) == 401

    @pytest.mark.parametrize("body", [b"", b"not json", b"{}", b"\xff" * 100, b"[" * 10_000])
    def test_unsigned(self, receiver: Any, body: bytes) -> None:
        assert receiver.request("POST", "/retell/webhook", body) == 401

    @pytest.mark.parametrize(
        "header",
        ["", "v=,d=", "d=1", "v=1", "v=1,d=1", "x" * 5000, "v=99999999999999999999,d=" + "0" * 64, "\xe9"],
    )
    def test_a_broken_signature(self, receiver: Any, make_event: Any, header: str) -> None:
        headers = {"X-Retell-Signature": header}
        assert receiver.request("POST", "/retell/webhook", make_event(), headers) == 401

    def test_upper_case(self, receiver: Any, make_event: Any, sign: Any) -> None:
        body = make_event()
        moment, digest = sign(body).split(",d=")
        headers = {"X-Retell-Signature": f"{moment},d={digest.upper()}"}
        assert receiver.request("POST", "/retell/webhook", body, headers) == 401

    @pytest.mark.parametrize("good_first", [True, False])
    def test_two_signatures(self, receiver: Any, make_event: Any, sign: Any, good_first: bool) -> None:
        body = make_event()
        headers = [("X-Retell-Signature", sign(body)), ("x-retell-signature", sign(body, "other"))]
        assert (
            receiver.request("POST", "/retell/webhook", body, headers if good_first else headers[::-1]) == 401
        )

    def test_two_good_signatures(self, receiver: Any, make_event: Any, sign: Any) -> None:
        body = make_event()
        assert (
            receiver.request("POST", "/retell/webhook", body, [("X-Retell-Signature", sign(body))] * 2) == 401
        )

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
    def test_another_method(self, receiver: Any, make_event: Any, sign: Any, method: str) -> None:
        body = make_event()
        assert receiver.request(method, "/retell/webhook", body, {"X-Retell-Signature": sign(body)}) == 401

    @pytest.mark.parametrize("path", ["/retell/", "/retell/webhooks", "/retell/webhook/x"])
    def test_another_path(self, receiver: Any, make_event: Any, sign: Any, path: str) -> None:
        body = make_event()
        assert receiver.request("POST", path, body, {"X-Retell-Signature": sign(body)}) == 401

    def test_compressed_with_the_signature_of_the_text(
        self, receiver: Any, make_event: Any, sign: Any
    ) -> None:
        body = make_event()
        headers = {"X-Retell-Signature": sign(body), "Content-Encoding": "gzip"}
        assert receiver.request("POST", "/retell/webhook", gzip.compress(body), headers) == 401

    @pytest.mark.parametrize("chunked", [False, True])
    def test_too_large(self, receiver: Any, sign: Any, chunked: bool) -> None:
        from airflow_provider_retell.webhook.app import MAX_BYTES

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


def test_a_slow_body_is_given_up(start: Any, airflow_api: Any, make_event: Any, sign: Any) -> None:
    receiver = start(body_seconds=0.3)
    body = make_event()
    began = time.monotonic()
    connection = raw(receiver, sign(body), len(body), body[:10])
    assert status_of(connection) == 401
    assert 0.25 < time.monotonic() - began < 5
    assert airflow_api.seen == []
    assert receiver.app._arriving == 0


def test_a_body_in_pieces_is_whole(receiver: Any, airflow_api: Any, make_event: Any, sign: Any) -> None:
    body = make_event(transcript="x" * 200_000)
    connection = raw(receiver, sign(body), len(body), body[:10])
    for start_ in range(10, len(body), 50_000):
        connection.sendall(body[start_ : start_ + 50_000])
    assert status_of(connection) == 204
    assert len(airflow_api.events) == 1


def test_a_body_that_breaks_off_is_refused(
    receiver: Any, airflow_api: Any, make_event: Any, sign: Any
) -> None:
    body = make_event()
    raw(receiver, sign(body), len(body), body[:-1]).close()
    raw(receiver, sign(body[:-1]), len(body), body[:-1]).close()
    wait_for(lambda: receiver.app._refused == 2)
    assert airflow_api.seen == []
    assert receiver.app._arriving == 0


def test_bodies_that_arrive_at_once_take_no_more_than_their_share(
    start: Any, make_event: Any, sign: Any, airflow_api: Any
) -> None:
    from airflow_provider_retell.webhook.app import MAX_BYTES, MAX_BYTES_AT_ONCE

    receiver = start(body_seconds=60)
    part = b"x" * (MAX_BYTES - 1)
    half_open = [
        raw(receiver, sign(b"forged"), MAX_BYTES, part) for _ in range(MAX_BYTES_AT_ONCE // MAX_BYTES)
    ]
    wait_for(lambda: receiver.app._arriving > MAX_BYTES_AT_ONCE - 70_000)
    assert status_of(raw(receiver, sign(b"forged"), MAX_BYTES, part)) == 401  # the drop that is too much
    for connection in half_open:
        connection.close()
    wait_for(lambda: receiver.app._arriving == 0)
    assert receiver.post(make_event()) == 204


@pytest.mark.slow
def test_memory_does_not_grow_with_refused_requests(
    receiver: Any, make_event: Any, sign: Any, caplog: Any
) -> None:
    caplog.set_level(logging.WARNING)  # the server's own records would be kept
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
        assert tracemalloc.get_traced_memory()[0] - before < 200_000  # 30 MB were sent
    finally:
        tracemalloc.stop()


def test_refusals_are_counted_once_a_minute(
    receiver: Any, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_retell.webhook import app

    for _ in range(5):
        receiver.request("GET", "/retell/webhook")
    monkeypatch.setattr(app, "_LOG_SECONDS", 0)
    receiver.request("GET", "/retell/webhook")
    counts = [
        "Webhook: 1 requests without a valid signature so far",
        "Webhook: 6 requests without a valid signature so far",
    ]
    assert ours(caplog.records) == counts


def test_a_websocket_is_refused(receiver: Any, caplog: Any) -> None:
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
def test_the_content_type_does_not_matter(
    receiver: Any, airflow_api: Any, make_event: Any, kind: str
) -> None:
    assert receiver.post(make_event(), **{"Content-Type": kind}) == 204
    assert len(airflow_api.events) == 1


def test_signed_but_not_wanted_or_not_an_event(
    receiver: Any, airflow_api: Any, make_event: Any, caplog: Any
) -> None:
    assert receiver.post(make_event(event="call_started")) == 204
    assert receiver.post(b'{"event": "chat_ended", "chat": {}}') == 204
    for body in (
        b"",
        b"no json",
        b"{}",
        b'{"event": "call_ended"}',
        b'{"event": "call_ended", "call": {}}',
        b"[" * 10**5,
    ):
        assert receiver.post(body) == 400
    assert airflow_api.seen == []
    start = "Webhook: Retell has signed a body that is not an event of a call: "
    assert {line.removeprefix(start) for line in ours(caplog.records)} == {
        f"{what} is not as its API documents ({kind})"
        for what, kind in {
            "the body": "json_invalid",
            "event": "missing",
            "call": "missing",
            "call.call_id": "missing",
        }.items()
    }


class TestOnce:
    def test_replayed(self, receiver: Any, airflow_api: Any, make_event: Any, sign: Any, caplog: Any) -> None:
        body = make_event()
        headers = {"X-Retell-Signature": sign(body, seconds=-200)}
        assert [receiver.request("POST", "/retell/webhook", body, headers) for _ in range(3)] == [204] * 3
        assert receiver.post(body) == 204
        assert receiver.post(make_event(event="call_analyzed")) == 204
        assert [event["extra"]["event"] for event in airflow_api.events] == ["call_ended", "call_analyzed"]
        assert caplog.text.count("came again, dropped") == 3

    def test_at_the_same_time(self, receiver: Any, airflow_api: Any, make_event: Any) -> None:
        airflow_api.after = lambda method: time.sleep(0.2)
        with ThreadPoolExecutor(20) as pool:
            bodies = [make_event(f"call_{index % 4}") for index in range(20)]
            assert set(pool.map(receiver.post, bodies)) == {204}
        assert sorted(event["extra"]["calls"][0]["call_id"] for event in airflow_api.events) == [
            f"call_{i}" for i in range(4)
        ]

    def test_in_another_process(self, start: Any, airflow_api: Any, make_event: Any) -> None:
        one, other = start(), start()
        for index in range(250):  # more than a page of Airflow's API
            airflow_api.add({"event": "call_ended", "calls": [{"call_id": f"old_{index}"}]})
        for index in range(5):
            assert one.post(make_event(f"call_{index}")) == 204
        for index in range(10):
            assert other.post(make_event(f"call_{index}")) == 204
        assert other.post(make_event("old_249")) == 204
        assert one.post(make_event("call_9")) == 204
        assert len(airflow_api.events) == 250 + 10

    def test_after_a_restart(self, start: Any, airflow_api: Any, make_event: Any) -> None:
        assert start().post(make_event()) == 204
        assert start().post(make_event()) == 204
        assert len(airflow_api.events) == 1

    def test_fired_by_the_trigger_before(self, receiver: Any, airflow_api: Any, make_event: Any) -> None:
        airflow_api.add(
            {"from_trigger": True, "payload": {"event": "call_ended", "calls": [{"call_id": "call_1"}]}}
        )
        airflow_api.add({})
        airflow_api.add(
            {"event": "call_ended", "calls": [{"call_id": "call_2"}]}, asset_id=7
        )  # another asset's
        assert receiver.post(make_event("call_1")) == 204
        assert receiver.post(make_event("call_2")) == 204
        assert len(airflow_api.events) == 4

    def test_its_memory_is_bounded(
        self, receiver: Any, make_event: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from airflow_provider_retell.webhook import events

        monkeypatch.setattr(events, "_REMEMBERED", 10)
        for index in range(30):
            assert receiver.post(make_event(f"call_{index}")) == 204
        assert len(receiver.app._events._seen) == 10
        assert receiver.app._events._sending == {}


class TestAirflowFails:
    """Retell is told 503, and what it sends again becomes one event."""

    @pytest.mark.parametrize(
        ("method", "status"), [("POST", 500), ("GET", 503), ("POST", 422), ("GET", 302), ("POST", 307)]
    )
    def test_for_a_moment(
        self, receiver: Any, airflow_api: Any, make_event: Any, caplog: Any, method: str, status: int
    ) -> None:
        assert receiver.post(make_event("call_0")) == 204
        airflow_api.answers = [(method, status)]
        assert receiver.post(make_event()) == 503
        assert (
            f"call_ended of call call_1: no asset event: Airflow's REST API answered {status} to"
            in caplog.text
        )
        assert receiver.post(make_event()) == 204
        assert len(airflow_api.events) == 2

    def test_altogether(self, receiver: Any, airflow_api: Any, make_event: Any, caplog: Any) -> None:
        airflow_api.shutdown()
        airflow_api.server_close()
        assert receiver.post(make_event()) == 503
        assert (
            f"Airflow's REST API cannot be reached at {airflow_api.url} (ClientConnectorError)" in caplog.text
        )

    def test_after_it_has_acted(self, receiver: Any, airflow_api: Any, make_event: Any) -> None:
        def drop(method: str) -> None:
            if method == "POST":
                airflow_api.after = lambda _method: None
                raise OSError

        airflow_api.after = drop
        assert receiver.post(make_event()) == 503
        assert receiver.post(make_event()) == 204
        assert len(airflow_api.events) == 1

    def test_by_being_slow(
        self, receiver: Any, airflow_api: Any, make_event: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from airflow_provider_retell.webhook import events

        monkeypatch.setattr(events, "_ANSWER_SECONDS", 0.2)
        go_on = threading.Event()
        airflow_api.after = lambda method: method == "POST" and go_on.wait(20)
        assert receiver.post(make_event()) == 503
        assert receiver.post(make_event()) == 503  # still under way
        go_on.set()
        wait_for(lambda: not receiver.app._events._sending)
        assert receiver.post(make_event()) == 204
        assert len(airflow_api.events) == 1

    def test_by_forgetting_the_token(self, receiver: Any, airflow_api: Any, make_event: Any) -> None:
        for index in range(3):
            airflow_api.tokens = {"none"}
            assert receiver.post(make_event(f"call_{index}")) == 204
        airflow_api.answers = [("GET", 403)]  # what Airflow says of tokens that another key has signed
        assert receiver.post(make_event("call_3")) == 204
        assert len(airflow_api.events) == 4

    def test_by_making_the_asset_anew(self, receiver: Any, airflow_api: Any, make_event: Any) -> None:
        assert receiver.post(make_event("call_0")) == 204
        airflow_api.assets = {9: "retell_calls"}
        assert receiver.post(make_event("call_1")) == 204
        assert [event["asset_id"] for event in airflow_api.events] == [8, 9]

    def test_by_not_knowing_the_asset(
        self, receiver: Any, airflow_api: Any, make_event: Any, caplog: Any
    ) -> None:
        airflow_api.assets = {7: "other_retell_calls"}
        assert receiver.post(make_event()) == 503
        assert "Airflow knows no asset named 'retell_calls': a DAG must use it" in caplog.text

    def test_by_refusing_the_login(
        self, receiver: Any, airflow_api: Any, make_event: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
    ) -> None:
        connection = {"conn_type": "http", "host": airflow_api.url, "login": "bot", "password": PRIVATE}
        monkeypatch.setenv("AIRFLOW_CONN_AIRFLOW_API", json.dumps(connection))
        assert receiver.post(make_event()) == 503
        assert "Airflow's REST API answered 401 to POST /auth/token" in caplog.text
        assert PRIVATE not in caplog.text


def test_its_asset_is_found_among_many_of_like_name(receiver: Any, airflow_api: Any, make_event: Any) -> None:
    airflow_api.assets = {index: f"retell_calls_{index}" for index in range(250)} | {999: "retell_calls"}
    assert receiver.post(make_event()) == 204
    assert [event["asset_id"] for event in airflow_api.events] == [999]


def test_what_others_write_into_events_of_the_asset_is_no_trouble(
    receiver: Any, airflow_api: Any, make_event: Any
) -> None:
    for extra in ({"payload": "text"}, {"event": "call_ended", "calls": ["x"]}, {"event": 1, "calls": None}):
        airflow_api.add(extra)
    assert receiver.post(make_event()) == 204
    assert len(airflow_api.events) == 4


def test_a_token_will_do_in_place_of_a_login(
    receiver: Any, airflow_api: Any, make_event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = {
        "conn_type": "http",
        "host": "127.0.0.1",
        "port": airflow_api.server_address[1],
        "password": "token_1",
    }
    monkeypatch.setenv("AIRFLOW_CONN_AIRFLOW_API", json.dumps(connection))
    assert receiver.post(make_event()) == 204
    assert ("POST", "/auth/token") not in airflow_api.seen


def test_without_a_key_nothing_passes_and_airflow_is_not_asked_each_time(
    receiver: Any, airflow_api: Any, make_event: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    from airflow_provider_retell.webhook import app

    monkeypatch.setenv("AIRFLOW_CONN_RETELL_KEY", json.dumps({"conn_type": "retell"}))
    for key in ("", "key_webhook"):
        assert receiver.post(make_event(), key=key) == 503
    assert (
        caplog.text.count("no API key to check signatures with: connection 'retell_key' has no API key") == 1
    )
    monkeypatch.setenv("AIRFLOW_CONN_RETELL_KEY", json.dumps({"conn_type": "retell", "password": "key_new"}))
    monkeypatch.setattr(app, "_KEY_SECONDS", 0)
    assert receiver.post(make_event(), key="key_webhook") == 401
    assert receiver.post(make_event(), key="key_new") == 204


def wait_for(so: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 20
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.005)
