"""Faults: their effect on the client and on the state."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import retell

from airflow_provider_retell.emulator import Emulator, Fault

if TYPE_CHECKING:
    from tests.emulator.conftest import Connect, Send

UPDATE = "/v2/update-call/call_1"


@pytest.fixture(autouse=True)
def _two_calls(emulator: Emulator) -> None:
    emulator.add_call(call_id="call_1", metadata={})
    emulator.add_call(call_id="call_2", metadata={})


def test_a_status_with_headers_strikes_a_number_of_times(emulator: Emulator, connect: Connect) -> None:
    rule = emulator.faults.add(Fault.status(429, headers={"Retry-After": "1"}), route="update-call", times=3)
    client = connect(emulator)
    for _ in range(3):
        assert client.call.retrieve("call_1").call_id == "call_1"
        with pytest.raises(retell.RateLimitError) as caught:
            client.call.update("call_1", metadata={"a": 1})
        assert caught.value.response.headers["retry-after"] == "1"
        assert caught.value.response.json()["status"] == "error"
        assert emulator.calls["call_1"]["metadata"] == {}
    assert client.call.update("call_1", metadata={"a": 1}).metadata == {"a": 1}
    assert rule.hits == 3
    assert emulator.count("update-call", status=429) == 3


def test_a_status_may_have_any_body(emulator: Emulator, send: Send) -> None:
    emulator.faults.add(Fault.status(402, body={"error_message": "Trial has ended"}))
    assert send(emulator, "PATCH", UPDATE, {}).json == {"error_message": "Trial has ended"}
    emulator.faults.add(Fault.status(502, body="<h1>Bad gateway</h1>"))
    reply = send(emulator, "PATCH", UPDATE, {})
    assert (reply.status, reply.body) == (502, b"<h1>Bad gateway</h1>")
    assert reply.headers["content-type"].startswith("text/html")


def test_a_fault_strikes_one_call_of_one_organization_after_some_requests(
    emulator: Emulator, send: Send
) -> None:
    emulator.add_organization("other", api_key="key_other").add_call(call_id="call_1")
    emulator.faults.add(Fault.status(500), call_id="call_1", organization="default", after=1)
    statuses = [
        send(emulator, "GET", f"/v2/get-call/{call_id}", key=key).status
        for call_id, key in (
            ("call_2", ""),
            ("call_1", "key_other"),
            ("call_1", ""),
            ("call_1", ""),
            ("call_1", ""),
        )
    ]
    assert statuses == [200, 200, 200, 500, 200]


def test_the_same_seed_strikes_the_same_requests(emulator: Emulator, send: Send) -> None:
    runs = []
    for _ in range(2):
        rule = emulator.faults.add(Fault.status(500), probability=0.3, seed=7)
        runs.append([send(emulator, "GET", "/get-concurrency").status for _ in range(60)])
        emulator.faults.remove(rule)
    assert runs[0] == runs[1]
    assert 8 <= runs[0].count(500) <= 28


def test_drop_changes_nothing_and_drop_after_acts(emulator: Emulator, connect: Connect) -> None:
    for fault, metadata in ((Fault.drop(), {}), (Fault.drop_after(), {"a": 1})):
        emulator.faults.add(fault, route="update-call")
        with pytest.raises(retell.APIConnectionError):
            connect(emulator).call.update("call_1", metadata={"a": 1})
        assert emulator.calls["call_1"]["metadata"] == metadata
    assert [request.status for request in emulator.requests] == [None, None]


def test_truncate_acts_and_sends_half_of_the_body(emulator: Emulator, send: Send) -> None:
    emulator.faults.add(Fault.truncate())
    with pytest.raises(http.client.IncompleteRead) as caught:
        send(emulator, "PATCH", UPDATE, {"metadata": {"a": 1}})
    assert len(caught.value.partial) > 0
    assert (caught.value.expected or 0) > 0
    assert emulator.calls["call_1"]["metadata"] == {"a": 1}


def test_garbage_and_redirect_change_nothing(emulator: Emulator, send: Send) -> None:
    emulator.faults.add(Fault.garbage())
    emulator.faults.add(Fault.redirect("https://elsewhere.invalid/x"))
    reply = send(emulator, "PATCH", UPDATE, {"metadata": {"a": 1}})
    assert (reply.status, reply.body[:6]) == (200, b"<html>")
    reply = send(emulator, "PATCH", UPDATE, {"metadata": {"a": 1}})
    assert (reply.status, reply.headers["location"]) == (302, "https://elsewhere.invalid/x")
    assert emulator.calls["call_1"]["metadata"] == {}


def test_slow_acts_even_if_the_client_has_left(emulator: Emulator, client: retell.Retell, send: Send) -> None:
    emulator.faults.add(Fault.slow(0.2), times=0)
    client = client.with_options(timeout=0.05)
    with pytest.raises(retell.APITimeoutError):
        client.call.update("call_1", metadata={"a": 1})
    assert emulator.calls["call_1"]["metadata"] == {}
    started = time.monotonic()
    assert send(emulator, "GET", "/v2/get-call/call_1").json["metadata"] == {"a": 1}
    assert time.monotonic() - started >= 0.2


def test_hang_ends_when_the_client_leaves(emulator: Emulator, send: Send) -> None:
    emulator.faults.add(Fault.hang())
    address = urlsplit(emulator.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(b"GET /get-concurrency HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.settimeout(0.15)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        assert emulator.count("get-concurrency") == 1
    assert send(emulator, "GET", "/get-concurrency").status == 200


@pytest.mark.parametrize("fault", [Fault.hang(), Fault.slow(60)], ids=["hang", "slow"])
def test_stop_does_not_wait_for_pending_requests(fault: Fault) -> None:
    before = set(threading.enumerate())
    emulator = Emulator().start()
    emulator.faults.add(fault, times=0)
    address = urlsplit(emulator.url)
    connections = [socket.create_connection((address.hostname, address.port)) for _ in range(5)]
    for connection in connections:
        connection.sendall(b"GET /get-concurrency HTTP/1.1\r\nHost: x\r\n\r\n")
    deadline = time.monotonic() + 5
    while emulator.count("get-concurrency") < 5 and time.monotonic() < deadline:
        time.sleep(0.005)
    started = time.monotonic()
    emulator.stop()
    assert time.monotonic() - started < 2
    assert set(threading.enumerate()) == before
    for connection in connections:
        connection.close()


def test_an_unknown_route_or_condition_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="unknown route 'updat-call'"):
        emulator.faults.add(Fault.drop(), route="updat-call")
    with pytest.raises(ValueError, match="unknown condition cal_id; known ids: .*call_id"):
        emulator.faults.add(Fault.drop(), cal_id="call_1")


def test_a_number_out_of_range_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="probability"):
        emulator.faults.add(Fault.drop(), probability=2)
    with pytest.raises(ValueError, match="times"):
        emulator.faults.add(Fault.drop(), times=-1)
    with pytest.raises(ValueError, match="status"):
        Fault.status(42)
    with pytest.raises(ValueError, match="seconds"):
        Fault.slow(float("inf"))
