"""The control API below ``/_emulator/``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Make, Send


def test_calls_are_added_and_follow_the_clock(emulator: Emulator, send: Send) -> None:
    calls = [{"call_id": "call_1", "call_status": "registered", "progress": True}, {"call_id": "call_2"}]
    assert len(send(emulator, "POST", "/_emulator/calls", calls, key=None).json) == 2
    assert send(emulator, "POST", "/_emulator/clock", {"advance": 10}).json["frozen"] is True
    shown = send(emulator, "GET", "/_emulator/calls", key=None).json
    assert [call["call_status"] for call in shown] == ["ongoing", "ended"]


def test_the_clock_can_be_frozen_and_resumed(emulator: Emulator, send: Send) -> None:
    assert send(emulator, "POST", "/_emulator/clock", {"frozen": False}).json["frozen"] is False
    assert send(emulator, "GET", "/_emulator/clock").json["speed"] == 1.0
    both = send(emulator, "POST", "/_emulator/clock", {"frozen": True, "advance": 60}).json
    assert both["frozen"] is True
    assert both["now_ms"] == emulator.clock.now_ms()


def test_a_call_is_edited(emulator: Emulator, client: Retell, send: Send) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing", metadata={"a": 1})
    body = {"call_status": "ended", "metadata": {"b": 2}, "batch_call_id": "batch_1", "agent_name": None}
    reply = send(emulator, "PATCH", "/_emulator/calls/call_1", body, key=None)
    assert reply.status == 200
    assert {name: reply.json.get(name) for name in body} == body
    assert "agent_name" not in reply.json
    call = client.call.retrieve("call_1")
    assert (call.call_status, call.metadata, call.agent_name) == ("ended", {"b": 2}, None)


def test_an_edited_call_continues_its_life_cycle_if_asked(emulator: Emulator, send: Send) -> None:
    for call_id in ("call_1", "call_2"):
        emulator.add_call(call_id=call_id, call_status="registered")
    now = emulator.clock.now_ms()
    body = {"call_status": "ongoing", "start_timestamp": now}
    send(emulator, "PATCH", "/_emulator/calls/call_1", body)
    send(emulator, "PATCH", "/_emulator/calls/call_2", {**body, "progress": True})
    emulator.clock.advance(30)
    assert [call["call_status"] for call in emulator.calls.values()] == ["ongoing", "ended"]
    assert emulator.calls["call_2"]["end_timestamp"] == now + 30_000


def test_the_id_of_an_edited_call_is_percent_decoded(emulator: Emulator, send: Send) -> None:
    emulator.add_call(call_id="a/b ü")
    reply = send(emulator, "PATCH", "/_emulator/calls/a%2Fb%20%C3%BC", {"metadata": {"a": 1}})
    assert (reply.status, emulator.calls["a/b ü"]["metadata"]) == (200, {"a": 1})


def test_ending_a_call_by_an_edit_lets_a_batch_continue(make: Make, send: Send) -> None:
    emulator = make(concurrency=1)
    body = {"from_number": "+14155550100", "tasks": [{"to_number": "+14155550123"}] * 2}
    send(emulator, "POST", "/create-batch-call", body)
    (first,) = emulator.placed
    send(emulator, "PATCH", f"/_emulator/calls/{first['call_id']}", {"call_status": "ended"})
    assert len(emulator.placed) == 2


def test_an_unknown_call_cannot_be_edited(emulator: Emulator, send: Send) -> None:
    reply = send(emulator, "PATCH", "/_emulator/calls/call_none", {"metadata": {}})
    assert (reply.status, reply.json["message"]) == (404, "there is no call 'call_none'")


@pytest.mark.parametrize(
    "body",
    [
        [],
        None,
        {"call_status": "done"},
        {"call_status": None},
        {"call_type": "fax"},
        {"call_id": "call_2"},
        {"call_id": None},
    ],
    ids=str,
)
def test_an_invalid_edit_changes_nothing(emulator: Emulator, body: Any, send: Send) -> None:
    before = dict(emulator.add_call(call_id="call_1", metadata={"a": 1}))
    body = {**body, "metadata": {}} if isinstance(body, dict) else body
    reply = send(emulator, "PATCH", "/_emulator/calls/call_1", body)
    assert reply.status == 400
    assert reply.json["message"]
    assert emulator.calls == {"call_1": before}


def test_a_fault_is_added_reported_and_removed(emulator: Emulator, send: Send) -> None:
    body = {"kind": "status", "status": 429, "headers": {"Retry-After": "2"}, "route": "get-concurrency"}
    assert send(emulator, "POST", "/_emulator/faults", {**body, "times": 2}).status == 200
    assert send(emulator, "GET", "/get-concurrency").headers["retry-after"] == "2"
    assert send(emulator, "GET", "/_emulator/faults").json[0]["hits"] == 1
    assert send(emulator, "DELETE", "/_emulator/faults").status == 204
    assert send(emulator, "GET", "/get-concurrency").status == 200


def test_a_fault_may_be_limited_to_a_call(emulator: Emulator, send: Send) -> None:
    (fault,) = send(emulator, "POST", "/_emulator/faults", {"kind": "drop", "call_id": "call_1"}).json
    assert (fault["kind"], fault["call_id"], fault["times"]) == ("drop", "call_1", 1)


def test_requests_are_listed_and_forgotten(emulator: Emulator, send: Send) -> None:
    send(emulator, "GET", "/v2/get-call/call_1")
    (seen,) = send(emulator, "GET", "/_emulator/requests").json
    assert (seen["route"], seen["ids"], seen["status"]) == ("get-call", {"call_id": "call_1"}, 422)
    assert send(emulator, "DELETE", "/_emulator/requests").status == 204
    assert emulator.count() == 0


def test_reset_clears_calls_and_requests(emulator: Emulator, send: Send) -> None:
    send(emulator, "GET", "/get-concurrency")
    emulator.add_call()
    assert send(emulator, "POST", "/_emulator/reset").status == 204
    assert (emulator.calls, emulator.count()) == ({}, 0)


def test_the_query_selects_an_organization(emulator: Emulator, send: Send) -> None:
    emulator.add_organization("other").add_call(call_id="call_o")
    (call,) = send(emulator, "GET", "/_emulator/calls?organization=other").json
    assert call["call_id"] == "call_o"
    edit = send(emulator, "PATCH", "/_emulator/calls/call_o?organization=other", {"metadata": {"a": 1}})
    assert edit.json["metadata"] == {"a": 1}
    assert send(emulator, "PATCH", "/_emulator/calls/call_o", {}).status == 404
    unknown = send(emulator, "GET", "/_emulator/calls?organization=nobody")
    assert (unknown.status, unknown.json["message"]) == (
        400,
        "unknown organization 'nobody'; known: default, other",
    )


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("calls", [1]),
        ("calls", {"call_status": "done"}),
        ("calls", b"{"),
        ("faults", {"kind": "explode"}),
        ("faults", {"kind": "slow"}),
        ("faults", {"kind": "drop", "route": "x"}),
        ("faults", {"kind": "drop", "color": "red"}),
        ("clock", {"advance": -1}),
        ("clock", {"advance": "1"}),
        ("clock", {"rewind": 1}),
    ],
)
def test_an_invalid_body_gets_400_and_a_message(emulator: Emulator, path: str, body: Any, send: Send) -> None:
    reply = send(emulator, "POST", f"/_emulator/{path}", body)
    assert reply.status == 400
    assert json.loads(reply.body)["message"]


def test_web_pages_are_refused(emulator: Emulator, send: Send) -> None:
    headers = {"Origin": "https://example.com"}
    assert send(emulator, "POST", "/_emulator/reset", headers=headers).status == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "nothing"),
        ("DELETE", "calls"),
        ("GET", "calls/call_1"),
        ("PATCH", "calls"),
        ("PATCH", "clock/x"),
    ],
)
def test_an_unknown_path_gets_404(emulator: Emulator, method: str, path: str, send: Send) -> None:
    emulator.add_call(call_id="call_1")
    reply = send(emulator, method, f"/_emulator/{path}")
    assert (reply.status, reply.body.decode()) == (404, f"Cannot {method} /_emulator/{path}")
