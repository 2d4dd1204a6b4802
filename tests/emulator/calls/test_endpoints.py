"""The endpoints that stop, delete or analyze one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import retell

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Send


def test_a_stopped_call_ends_at_once_and_is_analyzed_later(
    emulator: Emulator, client: Retell, send: Send
) -> None:
    call_id = client.call.create_phone_call(from_number="+14155550100", to_number="+14155550123").call_id
    emulator.clock.advance(12)
    assert send(emulator, "POST", f"/v2/stop-call/{call_id}").status == 204
    call = emulator.calls[call_id]
    assert (call["call_status"], call["disconnection_reason"]) == ("ended", "manual_stopped")
    assert call["duration_ms"] == 10_000
    assert send(emulator, "POST", f"/v2/stop-call/{call_id}").status == 400
    emulator.clock.advance(10)
    assert call["call_analysis"]
    emulator.clock.advance(60)
    assert call["disconnection_reason"] == "manual_stopped"


def test_a_deleted_call_is_unknown(emulator: Emulator, client: Retell) -> None:
    emulator.add_call(call_id="call_1")
    client.call.delete("call_1")
    for attempt in (client.call.retrieve, client.call.delete):
        with pytest.raises(retell.UnprocessableEntityError):
            attempt("call_1")
    assert "call_1" not in emulator.calls


def test_a_rerun_changes_the_analysis_and_is_charged(emulator: Emulator, send: Send) -> None:
    emulator.add_call(call_id="call_1")
    before = emulator.calls["call_1"]["call_analysis"]
    reply = send(emulator, "PUT", "/rerun-call-analysis/call_1")
    assert reply.status == 201
    assert reply.json["call_analysis"]["call_summary"] != before["call_summary"]
    assert emulator.reruns == 1


def test_the_analysis_of_a_live_call_is_refused_and_not_charged(emulator: Emulator, send: Send) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing")
    assert send(emulator, "PUT", "/rerun-call-analysis/call_1").status == 400
    assert emulator.reruns == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/get-call/"),
        ("PATCH", "/v2/update-call/"),
        ("PATCH", "/v2/update-live-call/"),
        ("POST", "/v2/stop-call/"),
        ("DELETE", "/v2/delete-call/"),
        ("PUT", "/rerun-call-analysis/"),
    ],
)
def test_an_unknown_call_gets_422(emulator: Emulator, method: str, path: str, send: Send) -> None:
    reply = send(emulator, method, path + "call_none", {} if method == "PATCH" else None)
    assert reply.status == 422
    assert reply.json["status"] == "error"
