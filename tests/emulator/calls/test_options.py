"""The options for calls, each with an effect that the vendor's SDK sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import retell

if TYPE_CHECKING:
    from tests.emulator.conftest import Connect, Make, Send

FROM, TO = "+14155550100", "+14155550123"
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


def test_empty_metadata_may_change_nothing(make: Make, connect: Connect) -> None:
    emulator = make(empty_metadata_clears=False)
    emulator.add_call(call_id="call_1", metadata={"a": 1})
    assert connect(emulator).call.update("call_1", metadata={}).metadata == {"a": 1}
    assert connect(emulator).call.update("call_1", metadata={"b": 1}).metadata == {"b": 1}


def test_the_limit_of_metadata_can_be_chosen(make: Make, connect: Connect) -> None:
    emulator = make(metadata_max_bytes=100)
    emulator.add_call(call_id="call_1")
    emulator.add_call(call_id="call_live", call_status="ongoing")
    call = connect(emulator).call
    fits, large = {"a": "x" * 92}, {"a": "x" * 93}
    assert call.update("call_1", metadata=fits).metadata == fits
    assert status_of(call.update, "call_1", metadata=large) == 400
    assert call.update_live("call_live", fields_to_override={"metadata": fits}).success
    assert status_of(call.update_live, "call_live", fields_to_override={"metadata": large}) == 400


def test_unknown_fields_may_be_ignored(make: Make, send: Send) -> None:
    emulator = make(ignores_unknown_fields=True)
    emulator.add_call(call_id="call_1")
    reply = send(emulator, "PATCH", "/v2/update-call/call_1", {"metadata": {"a": 1}, "unknown": 5})
    assert (reply.status, reply.json["metadata"]) == (200, {"a": 1})
    assert send(emulator, "PATCH", "/v2/update-call/call_1", {"metadata": 5, "unknown": 5}).status == 400
    assert send(emulator, "PATCH", "/v2/update-call/call_1", [5]).status == 400


def test_unknown_attributes_may_be_rejected(make: Make, connect: Connect) -> None:
    emulator = make(rejects_unknown_attributes=True, custom_attributes=("attr_a",))
    emulator.add_call(call_id="call_1")
    call = connect(emulator).call
    call.update("call_1", custom_attributes={"attr_a": "x"})
    assert status_of(call.update, "call_1", custom_attributes={"attr_a": "y", "attr_b": "y"}) == 400
    assert emulator.calls["call_1"]["custom_attributes"] == {"attr_a": "x"}


@pytest.mark.parametrize("call_status", ["ongoing", "registered"])
@pytest.mark.parametrize("status", [204, 400, 422])
def test_the_deletion_of_a_live_call_may_be_rejected(
    make: Make, connect: Connect, status: int, call_status: Any
) -> None:
    emulator = make(delete_live_status=status)
    emulator.add_call(call_id="call_1", call_status="ended")
    emulator.add_call(call_id="call_live", call_status=call_status)
    call = connect(emulator).call
    call.delete("call_1")
    if status == 204:
        call.delete("call_live")
        assert not emulator.calls
        return
    assert status_of(call.delete, "call_live") == status
    assert list(emulator.calls) == ["call_live"]


@pytest.mark.parametrize("status", [400, 422])
def test_rejections_by_the_state_of_a_call_get_the_chosen_status(
    make: Make, connect: Connect, status: int
) -> None:
    emulator = make(storage_conflict_status=status, not_live_status=status, stop_ended_status=status)
    emulator.add_call(call_id="call_1", data_storage_setting="basic_attributes_only")
    emulator.add_call(
        call_id="call_live", call_status="ongoing", data_storage_setting="basic_attributes_only"
    )
    call = connect(emulator).call
    looser: Any = {"data_storage_setting": "everything"}
    assert status_of(call.update, "call_1", **looser) == status
    assert status_of(call.update_live, "call_live", fields_to_override=looser) == status
    assert status_of(call.update_live, "call_1", fields_to_override={}) == status
    assert status_of(call.stop, "call_1") == status


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


def test_list_calls_may_leave_out_registered_calls(make: Make, connect: Connect) -> None:
    emulator = make(lists_registered=False)
    placed = connect(emulator).call.create_phone_call(from_number=FROM, to_number=TO)
    call = connect(emulator).call
    assert call.list(include_total=True).total == 0
    emulator.clock.advance(5)
    assert [item.call_id for item in call.list().items] == [placed.call_id]


@pytest.mark.parametrize("start", [False, True])
def test_calls_that_never_connected_may_have_a_start(make: Make, connect: Connect, start: bool) -> None:
    emulator = make(unconnected_calls_start=start, outcomes={TO: "dial_busy"})
    emulator.add_call(call_id="call_1", call_status="not_connected")
    placed = connect(emulator).call.create_phone_call(from_number=FROM, to_number=TO)
    emulator.clock.advance(60)
    for call_id in ("call_1", placed.call_id):
        call = connect(emulator).call.retrieve(call_id)
        assert (call.call_status, call.start_timestamp is not None) == ("not_connected", start)
        assert call.transcript is None
        assert call.end_timestamp is not None


def test_a_repeated_analysis_may_take_time(make: Make, send: Send) -> None:
    emulator = make(rerun_status=200, rerun_seconds=20.0)
    before = emulator.add_call(call_id="call_1")["call_analysis"]
    reply = send(emulator, "PUT", "/rerun-call-analysis/call_1")
    assert (reply.status, reply.json["call_analysis"]) == (200, before)
    emulator.clock.advance(19)
    assert emulator.calls["call_1"]["call_analysis"] == before
    emulator.clock.advance(1)
    assert emulator.calls["call_1"]["call_analysis"] != before


def test_an_idempotency_key_may_be_ignored_or_rejected(make: Make, connect: Connect) -> None:
    emulator = make(honors_idempotency_key=False, idempotency_key_pattern="[a-z]{5}")
    place: Any = connect(emulator).call.create_phone_call
    first = place(from_number=FROM, to_number=TO, idempotency_key="abcde")
    second = place(from_number=FROM, to_number=TO, idempotency_key="abcde")
    assert first.call_id != second.call_id
    assert status_of(place, from_number=FROM, to_number=TO, idempotency_key="abcde/") == 400


def test_a_restricted_key_gets_the_chosen_status(make: Make, connect: Connect) -> None:
    emulator = make(restricted_key_status=401)
    emulator.add_key("key_reader", {"history": "read"})
    emulator.add_call(call_id="call_1")
    call = connect(emulator, "key_reader").call
    assert call.retrieve("call_1").call_id == "call_1"
    assert status_of(call.update, "call_1", metadata={}) == 401


def test_tool_calls_may_be_shown(make: Make, connect: Connect) -> None:
    emulator = make()
    emulator.add_call(call_id="call_1")
    call = connect(emulator).call
    assert not call.retrieve("call_1").model_extra
    emulator.options.shows_tool_calls = True
    (shown,) = (call.retrieve("call_1").model_extra or {})["tool_calls"]
    assert shown["name"] == "book_appointment"
