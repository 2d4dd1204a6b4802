"""Recorded requests and their counts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Make, Send


def test_requests_are_recorded_without_their_key(emulator: Emulator, client: Retell, send: Send) -> None:
    emulator.add_call(call_id="call_1")
    before = time.monotonic()
    client.call.update("call_1", metadata={"a": 1}, extra_headers={"X-Mine": "yes"})
    send(emulator, "PATCH", "/v2/update-call/call_2", b"not json")
    send(emulator, "GET", "/nowhere", key=None)
    first, second, third = emulator.requests
    assert (first.method, first.path) == ("PATCH", "/v2/update-call/call_1")
    assert (first.route, first.call_id, first.status) == ("update-call", "call_1", 200)
    assert first.ids == {"call_id": "call_1"}
    assert first.body == {"metadata": {"a": 1}}
    assert first.organization == "default"
    assert first.headers["x-mine"] == "yes"
    assert "authorization" not in first.headers
    assert before <= first.at <= second.at <= third.at <= time.monotonic()
    assert (second.status, second.body) == (400, None)
    assert (third.route, third.call_id, third.status, third.organization) == (None, None, 404, None)


def test_requests_are_counted_by_route_status_and_organization(emulator: Emulator, send: Send) -> None:
    emulator.add_call(call_id="call_1")
    send(emulator, "PATCH", "/v2/update-call/call_1", {})
    send(emulator, "PATCH", "/v2/update-call/call_2", {})
    send(emulator, "GET", "/nowhere", key=None)
    assert emulator.count() == 3
    assert emulator.count("update-call") == 2
    assert emulator.count("update-call", status=200) == 1
    assert emulator.count("update-call", organization="other") == 0
    emulator.clear_requests()
    assert (emulator.requests, emulator.count()) == ([], 0)


@pytest.mark.parametrize(("keep", "kept"), [(True, 5), (2, 2), (False, 0)])
def test_record_requests_limits_the_record_but_not_the_count(
    make: Make, keep: bool | int, kept: int, send: Send
) -> None:
    emulator = make(record_requests=keep)
    for _ in range(5):
        send(emulator, "GET", "/get-concurrency")
    assert len(emulator.requests) == kept
    assert emulator.count("get-concurrency", status=200) == 5
