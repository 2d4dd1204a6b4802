"""Calls that tests add, edit and reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import retell

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Send


@pytest.mark.parametrize("call_type", ["phone_call", "web_call"])
@pytest.mark.parametrize("status", ["registered", "ongoing", "ended", "error", "not_connected"])
def test_every_kind_of_call_matches_the_types_of_the_sdk(
    emulator: Emulator, client: Retell, call_type: str, status: str, send: Send
) -> None:
    made = emulator.add_call(call_type=call_type, call_status=status)
    call = client.call.retrieve(made["call_id"])
    known = type(call).model_fields
    assert type(call).__name__.startswith("Phone" if call_type == "phone_call" else "Web")
    raw = send(emulator, "GET", f"/v2/get-call/{made['call_id']}").json
    type(call).model_validate(raw, strict=True)
    if int(retell.__version__.split(".")[0]) >= 6:
        assert raw.keys() <= known.keys()


def test_the_defaults_are_consistent_with_the_given_fields(emulator: Emulator) -> None:
    call = emulator.add_call(start_timestamp=1000, end_timestamp=31_000, call_analysis=None)
    assert call["duration_ms"] == 30_000
    assert call["call_cost"]["total_duration_seconds"] == 30
    assert "call_analysis" not in call
    assert emulator.add_call(disconnection_reason="voicemail_reached")["call_analysis"]["in_voicemail"]


def test_an_invalid_call_is_refused(emulator: Emulator) -> None:
    emulator.add_call(call_id="call_1")
    with pytest.raises(ValueError, match="already"):
        emulator.add_call(call_id="call_1")
    with pytest.raises(ValueError, match="call_status"):
        emulator.add_call(call_status="done")
    with pytest.raises(ValueError, match="call_type"):
        emulator.add_call(call_type="fax")


def test_calls_that_were_added_together_do_not_share_their_metadata(emulator: Emulator) -> None:
    emulator.add_calls(["call_1", "call_2"], metadata={"a": 1})
    emulator.calls["call_1"]["metadata"]["a"] = 2
    assert emulator.calls["call_2"]["metadata"] == {"a": 1}
    assert "transcript" not in emulator.calls["call_1"]


def test_an_edit_changes_the_given_fields_only(emulator: Emulator) -> None:
    call = emulator.add_call(call_id="call_1", metadata={"a": 1})
    before = dict(call)
    edited = emulator.edit_call("call_1", metadata={"b": 2}, call_analysis=None)
    assert edited is call
    del before["call_analysis"]
    assert call == {**before, "metadata": {"b": 2}}


def test_an_edit_that_ends_a_call_sets_the_end_timestamp(emulator: Emulator) -> None:
    for call_id in ("call_1", "call_2"):
        emulator.add_call(call_id=call_id, call_status="ongoing")
    ended = emulator.edit_call("call_1", call_status="ended")
    assert emulator.clock.now_ms() - 1000 <= ended["end_timestamp"] <= emulator.clock.now_ms()
    assert "call_analysis" not in ended
    assert emulator.edit_call("call_2", call_status="ended", end_timestamp=1)["end_timestamp"] == 1


def test_many_calls_are_added_by_their_ids(emulator: Emulator) -> None:
    with pytest.raises(TypeError, match=r"use add_call\(\*\*fields\) for each call"):
        emulator.add_calls([{"call_id": "call_1"}])  # type: ignore[list-item]
    assert not emulator.calls


def test_an_edit_of_the_start_moves_the_call_in_the_list(emulator: Emulator, send: Send) -> None:
    for call_id in ("call_1", "call_2"):
        emulator.add_call(call_id=call_id)
    emulator.edit_call("call_1", start_timestamp=emulator.clock.now_ms())
    items = send(emulator, "POST", "/v3/list-calls").json["items"]
    assert [item["call_id"] for item in items] == ["call_1", "call_2"]


def test_an_edit_to_a_live_status_counts_as_concurrency(emulator: Emulator, client: Retell) -> None:
    emulator.add_call(call_id="call_1")
    emulator.edit_call("call_1", call_status="ongoing")
    assert client.concurrency.retrieve().current_concurrency == 1


def test_an_invalid_edit_is_refused(emulator: Emulator) -> None:
    emulator.add_call(call_id="call_1")
    with pytest.raises(LookupError, match="there is no call 'call_2'"):
        emulator.edit_call("call_2", metadata={})
    with pytest.raises(ValueError, match="call_status must be one of"):
        emulator.edit_call("call_1", call_status="done")


def test_reset_keeps_keys_and_cancels_what_was_scheduled(emulator: Emulator, send: Send) -> None:
    emulator.add_call(call_id="call_1", call_status="registered", progress=True)
    send(emulator, "GET", "/v2/get-call/call_1")
    emulator.reset()
    emulator.clock.advance(100)
    assert (emulator.calls, emulator.requests, emulator.placed) == ({}, [], [])
    assert send(emulator, "GET", "/get-concurrency").status == 200
