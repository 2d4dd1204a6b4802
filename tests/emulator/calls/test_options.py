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
