"""PATCH /v2/update-call and PATCH /v2/update-live-call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import retell

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Connect, Make, Send

needs_custom_attributes = pytest.mark.skipif(
    int(retell.__version__.split(".")[0]) < 6, reason="this SDK does not know custom attributes"
)


def test_metadata_is_replaced_and_the_whole_call_returned(emulator: Emulator, client: Retell) -> None:
    emulator.add_call(call_id="call_1", metadata={"a": 1, "b": {"c": 2}})
    call = client.call.update("call_1", metadata={"x": "é"})
    assert call.metadata == {"x": "é"}
    assert call.call_id == "call_1"
    assert call.transcript
    assert call.call_cost is not None
    assert call.call_cost.combined_cost > 0
    assert emulator.calls["call_1"]["metadata"] == {"x": "é"}
    assert client.call.retrieve("call_1").metadata == {"x": "é"}


def test_an_empty_body_changes_nothing(emulator: Emulator, send: Send) -> None:
    before = dict(emulator.add_call(call_id="call_1", metadata={"a": 1}))
    assert send(emulator, "PATCH", "/v2/update-call/call_1", {}).status == 200
    assert emulator.calls["call_1"] == before


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"b": None, "c": 3}),
        ({"metadata_semantics": "merge"}, {"a": 1, "b": None, "c": 3}),
        ({"drops_null": True}, {"c": 3}),
        ({"metadata_semantics": "merge", "drops_null": True}, {"a": 1, "c": 3}),
    ],
)
def test_options_decide_how_metadata_is_stored(
    make: Make, options: dict[str, Any], expected: dict[str, Any], connect: Connect
) -> None:
    emulator = make(**options)
    emulator.add_call(call_id="call_1", metadata={"a": 1, "b": 2})
    assert connect(emulator).call.update("call_1", metadata={"b": None, "c": 3}).metadata == expected


@pytest.mark.parametrize(
    ("size", "status"), [(50_000, 200), (50_001, 400)], ids=["at the limit", "one byte over"]
)
def test_the_metadata_limit_counts_utf8_bytes_of_compact_json(
    emulator: Emulator, size: int, status: int, send: Send
) -> None:
    emulator.add_call(call_id="call_1")
    frame = len('{"k":""}')
    odd = (size - frame) % 2
    metadata = {"k": "é" * ((size - frame) // 2) + "x" * odd}
    # The body has escapes and spaces, which must not count.
    reply = send(emulator, "PATCH", "/v2/update-call/call_1", {"metadata": metadata})
    assert reply.status == status
    assert ("50000 bytes" in reply.body.decode()) == (status == 400)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"override_dynamic_variables": {}}, "must NOT have additional properties"),
        ({"opt_out_sensitive_data_storage": True}, "must NOT have additional properties"),
        ({"metadata": None}, "body/metadata must be object"),
        ({"metadata": []}, "body/metadata must be object"),
        ({"data_storage_setting": "nothing"}, "must be equal to one of the allowed values"),
        ({"data_storage_setting": None}, "must be string"),
        ({"custom_attributes": {"attr_tier": None}}, "must be string or number or boolean"),
        ({"custom_attributes": {"attr_tier": [1]}}, "must be string or number or boolean"),
        ([], "body must be object"),
        (b"", "body must be object"),
        (b'{"metadata": ', "not valid JSON"),
        (b'{"metadata": {"a": NaN}}', "not valid JSON"),
        (b'{"metadata": {"a": 1e999}}', "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
    ],
)
def test_an_invalid_body_changes_nothing(emulator: Emulator, body: Any, message: str, send: Send) -> None:
    emulator.add_call(call_id="call_1", metadata={"a": 1})
    reply = send(emulator, "PATCH", "/v2/update-call/call_1", body)
    assert reply.status == 400
    assert reply.json["status"] == "error"
    assert message in reply.json["message"]
    assert emulator.calls["call_1"]["metadata"] == {"a": 1}


def test_one_refused_field_refuses_the_whole_update(emulator: Emulator, send: Send) -> None:
    emulator.add_call(call_id="call_1", metadata={"a": 1}, data_storage_setting="basic_attributes_only")
    body = {"metadata": {"a": 2}, "data_storage_setting": "everything"}
    assert send(emulator, "PATCH", "/v2/update-call/call_1", body).status == 400
    assert emulator.calls["call_1"]["metadata"] == {"a": 1}


def test_a_call_of_another_organization_is_unknown(
    emulator: Emulator, client: Retell, connect: Connect
) -> None:
    other = emulator.add_organization("other", api_key="key_other")
    other.add_call(call_id="call_other")
    for call_id in ("call_none", "call_other"):
        with pytest.raises(retell.UnprocessableEntityError):
            client.call.update(call_id, metadata={})
    assert connect(emulator, "key_other").call.update("call_other", metadata={"a": 1}).metadata == {"a": 1}


@pytest.mark.parametrize("status", ["registered", "ongoing"])
def test_a_call_that_has_not_ended_is_refused(emulator: Emulator, client: Retell, status: str) -> None:
    emulator.add_call(call_id="call_1", call_status=status)
    with pytest.raises(retell.BadRequestError, match="has not ended"):
        client.call.update("call_1", metadata={})


@pytest.mark.parametrize("status", ["ended", "error", "not_connected"])
def test_a_call_in_a_terminal_status_is_updated(emulator: Emulator, client: Retell, status: str) -> None:
    emulator.add_call(call_id="call_1", call_status=status)
    assert client.call.update("call_1", metadata={"a": 1}).call_status == status


@needs_custom_attributes
@pytest.mark.usefixtures("v3_sdk")
def test_custom_attributes_can_be_filtered_by_but_are_not_returned(
    emulator: Emulator, client: Retell
) -> None:
    emulator.add_call(call_id="call_1")
    emulator.add_call(call_id="call_2")
    answer = client.call.with_raw_response.update(
        "call_1", custom_attributes={"attr_tier": "gold", "attr_score": 0.5, "attr_unknown": "x"}
    )
    assert "custom_attributes" not in json.loads(answer.text())
    assert emulator.calls["call_1"]["custom_attributes"] == {"attr_tier": "gold", "attr_score": 0.5}
    found = client.call.list(
        filter_criteria={
            "custom_attributes": [{"key": "attr_tier", "type": "string", "op": "eq", "value": "gold"}]
        }
    )
    assert [call.call_id for call in found.items] == ["call_1"]


def test_a_web_call_has_an_access_token_and_no_numbers(emulator: Emulator, client: Retell) -> None:
    emulator.add_call(call_id="call_web", call_type="web_call")
    call: Any = client.call.update("call_web", metadata={"a": 1})
    assert call.access_token
    assert not hasattr(call, "from_number")


def test_a_live_call_takes_overrides_and_context(emulator: Emulator, send: Send) -> None:
    call = emulator.add_call(
        call_id="call_1", call_status="ongoing", retell_llm_dynamic_variables={"name": "Ann"}
    )
    body = {
        "fields_to_override": {"override_dynamic_variables": {"day": "Tuesday"}, "metadata": {"a": 1}},
        "call_control": {"additional_context": "VIP", "trigger_response": True},
    }
    reply = send(emulator, "PATCH", "/v2/update-live-call/call_1", body)
    assert (reply.status, reply.json) == (200, {"success": True})
    assert call["metadata"] == {"a": 1}
    assert call["retell_llm_dynamic_variables"] == {"name": "Ann", "day": "Tuesday"}
    assert [turn["role"] for turn in call["transcript_with_tool_calls"]] == ["injected", "agent"]
    clear = {"fields_to_override": {"override_dynamic_variables": None}}
    assert send(emulator, "PATCH", "/v2/update-live-call/call_1", clear).status == 200
    assert call["retell_llm_dynamic_variables"] == {"name": "Ann"}
    assert send(emulator, "PATCH", "/v2/update-live-call/call_1", {"call_control": {}}).status == 200


@pytest.mark.parametrize("status", ["registered", "ended", "error", "not_connected"])
def test_a_call_that_is_not_live_gets_404(emulator: Emulator, status: str, send: Send) -> None:
    emulator.add_call(call_id="call_1", call_status=status)
    reply = send(emulator, "PATCH", "/v2/update-live-call/call_1", {})
    assert reply.status == 404
    assert send(emulator, "PATCH", "/v2/update-live-call/call_none", {}).status == 422


@pytest.mark.parametrize(
    "body",
    [
        {"metadata": {}},
        {"fields_to_override": {"custom_attributes": {}}},
        {"fields_to_override": {"override_dynamic_variables": {"n": 1}}},
        {"fields_to_override": {"metadata": {"k": "x" * 50_001}}},
        {"fields_to_override": {"data_storage_setting": "everything"}},
        {"call_control": {"additional_context": ""}},
        {"call_control": {"trigger_response": "yes"}},
        {"call_control": {"interrupt": True}},
    ],
)
def test_an_invalid_body_for_a_live_call_gets_400(
    emulator: Emulator, body: dict[str, Any], send: Send
) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing", data_storage_setting="basic_attributes_only")
    assert send(emulator, "PATCH", "/v2/update-live-call/call_1", body).status == 400
