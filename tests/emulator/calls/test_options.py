"""Options for calls whose effects the contract shows only in part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import retell

if TYPE_CHECKING:
    from tests.emulator.conftest import Connect, Make, Send

pytestmark = pytest.mark.usefixtures("v3_sdk")


def status_of(request: Any, *arguments: Any, **fields: Any) -> int:
    with pytest.raises(retell.APIStatusError) as caught:
        request(*arguments, **fields)
    return caught.value.status_code


def test_an_unknown_id_gets_the_chosen_status(make: Make, connect: Connect) -> None:
    call = connect(make(unknown_id_status=404)).call
    assert status_of(call.retrieve, "call_unknown") == 404
    assert status_of(call.update, "call_unknown", metadata={}) == 404
    assert status_of(call.delete, "call_unknown") == 404


def test_unknown_fields_may_be_ignored(make: Make, send: Send) -> None:
    emulator = make(ignores_unknown_fields=True)
    emulator.add_call(call_id="call_1")
    reply = send(emulator, "PATCH", "/v2/update-call/call_1", {"metadata": {"a": 1}, "unknown": 5})
    assert (reply.status, reply.json["metadata"]) == (200, {"a": 1})
    assert send(emulator, "PATCH", "/v2/update-call/call_1", {"metadata": 5, "unknown": 5}).status == 400
    assert send(emulator, "PATCH", "/v2/update-call/call_1", [5]).status == 400


def test_list_calls_may_lag_behind_an_update(make: Make, connect: Connect) -> None:
    emulator = make(list_lag=30.0)
    emulator.add_call(call_id="call_1", metadata={"a": "old"})
    call = connect(emulator).call
    call.update("call_1", metadata={"a": "new"})
    new: Any = {"metadata": [{"type": "string", "op": "eq", "key": "a", "value": "new"}]}
    assert call.retrieve("call_1").metadata == {"a": "new"}
    assert [item.metadata for item in call.list().items] == [{"a": "old"}]
    assert call.list(filter_criteria=new, include_total=True).total == 0
    emulator.clock.advance(29)
    assert call.list(filter_criteria=new).items == []
    emulator.clock.advance(1)
    assert [item.metadata for item in call.list(filter_criteria=new).items] == [{"a": "new"}]
    call.update("call_1", metadata={"a": "newer"})
    call.delete("call_1")
    assert call.list().items == []


@pytest.mark.parametrize("start", [False, True])
def test_calls_that_never_connected_may_have_a_start(make: Make, connect: Connect, start: bool) -> None:
    emulator = make(unconnected_calls_start=start, outcomes={"+14155550123": "dial_busy"})
    placed = connect(emulator).call.create_phone_call(from_number="+14155550100", to_number="+14155550123")
    emulator.clock.advance(60)
    call = connect(emulator).call.retrieve(placed.call_id)
    assert (call.call_status, call.start_timestamp is not None) == ("not_connected", start)


def test_a_repeated_analysis_may_take_time(make: Make, send: Send) -> None:
    emulator = make(rerun_seconds=20.0)
    before = emulator.add_call(call_id="call_1")["call_analysis"]
    assert send(emulator, "PUT", "/rerun-call-analysis/call_1").json["call_analysis"] == before
    emulator.clock.advance(19)
    assert emulator.calls["call_1"]["call_analysis"] == before
    emulator.clock.advance(1)
    assert emulator.calls["call_1"]["call_analysis"] != before


def test_a_looser_storage_setting_of_a_live_call_gets_the_chosen_status(make: Make, connect: Connect) -> None:
    emulator = make(storage_conflict_status=422)
    emulator.add_call(
        call_id="call_live", call_status="ongoing", data_storage_setting="basic_attributes_only"
    )
    update: Any = connect(emulator).call.update_live
    looser = {"data_storage_setting": "everything"}
    assert status_of(update, "call_live", fields_to_override=looser) == 422


def test_a_request_with_an_unknown_attribute_may_be_rejected_as_a_whole(make: Make, connect: Connect) -> None:
    emulator = make(rejects_unknown_attributes=True, custom_attributes=("attr_a",))
    emulator.add_call(call_id="call_1", custom_attributes={"attr_a": "x"})
    update = connect(emulator).call.update
    assert status_of(update, "call_1", custom_attributes={"attr_a": "y", "attr_b": "y"}) == 400
    assert emulator.calls["call_1"]["custom_attributes"] == {"attr_a": "x"}


def test_an_idempotency_key_must_match_the_whole_pattern(make: Make, connect: Connect) -> None:
    place: Any = connect(make(idempotency_key_pattern="[a-z]{5}")).call.create_phone_call
    numbers = {"from_number": "+14155550100", "to_number": "+14155550123"}
    assert place(**numbers, idempotency_key="abcde").call_id
    assert status_of(place, **numbers, idempotency_key="abcde/") == 400


@pytest.mark.parametrize("call_status", ["ongoing", "registered"])
def test_the_deletion_of_a_live_call_may_be_rejected(make: Make, connect: Connect, call_status: str) -> None:
    emulator = make(delete_live_status=422)
    emulator.add_call(call_id="call_live", call_status=call_status)
    assert status_of(connect(emulator).call.delete, "call_live") == 422
    assert list(emulator.calls) == ["call_live"]
