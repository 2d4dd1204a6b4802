from __future__ import annotations

import json

import pytest
import retell

needs_custom_attributes = pytest.mark.skipif(
    int(retell.__version__.split(".")[0]) < 6, reason="this SDK's update is an older one"
)


def test_metadata_is_replaced_and_the_whole_call_answered(emulator, client):
    emulator.add_call(call_id="call_1", metadata={"a": 1, "b": {"c": 2}})
    call = client.call.update("call_1", metadata={"x": "é"})
    assert call.metadata == {"x": "é"}
    assert call.call_id == "call_1"
    assert call.transcript
    assert call.call_cost.combined_cost > 0
    assert emulator.calls["call_1"]["metadata"] == {"x": "é"}
    assert client.call.retrieve("call_1").metadata == {"x": "é"}


def test_empty_body_changes_nothing(emulator, send):
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
def test_metadata_semantics(make, options, expected, connect):
    emulator = make(**options)
    emulator.add_call(call_id="call_1", metadata={"a": 1, "b": 2})
    assert connect(emulator).call.update("call_1", metadata={"b": None, "c": 3}).metadata == expected


@pytest.mark.parametrize(
    ("size", "status"), [(50_000, 200), (50_001, 400)], ids=["at the limit", "one byte over"]
)
def test_metadata_limit_counts_utf8_bytes_of_compact_json(emulator, size, status, send):
    emulator.add_call(call_id="call_1")
    frame = len('{"k":""}')
    odd = (size - frame) % 2
    metadata = {"k": "é" * ((size - frame) // 2) + "x" * odd}
    # Sent with escapes and spaces, which must not count.
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
def test_bad_bodies_change_nothing(emulator, body, message, send):
    emulator.add_call(call_id="call_1", metadata={"a": 1})
    reply = send(emulator, "PATCH", "/v2/update-call/call_1", body)
    assert reply.status == 400
    assert reply.json["status"] == "error"
    assert message in reply.json["message"]
    assert emulator.calls["call_1"]["metadata"] == {"a": 1}


def test_one_bad_field_spoils_the_whole_update(emulator, send):
    emulator.add_call(call_id="call_1", metadata={"a": 1}, data_storage_setting="basic_attributes_only")
    body = {"metadata": {"a": 2}, "data_storage_setting": "everything"}
    assert send(emulator, "PATCH", "/v2/update-call/call_1", body).status == 400
    assert emulator.calls["call_1"]["metadata"] == {"a": 1}


def test_unknown_call_and_call_of_another_organization(emulator, client, connect):
    other = emulator.add_organization("other", api_key="key_other")
    other.add_call(call_id="call_other")
    for call_id in ("call_none", "call_other"):
        with pytest.raises(retell.UnprocessableEntityError):
            client.call.update(call_id, metadata={})
    assert connect(emulator, "key_other").call.update("call_other", metadata={"a": 1}).metadata == {"a": 1}


@pytest.mark.parametrize("status", ["registered", "ongoing"])
def test_calls_that_have_not_ended_are_refused(make, status, connect):
    emulator = make()
    emulator.add_call(call_id="call_1", call_status=status)
    with pytest.raises(retell.BadRequestError, match="has not ended"):
        connect(emulator).call.update("call_1", metadata={})
    strict = make(not_ended_status=422, ended_statuses=("ended",))
    strict.add_call(call_id="call_1", call_status=status)
    strict.add_call(call_id="call_2", call_status="error")
    for call_id in ("call_1", "call_2"):
        with pytest.raises(retell.UnprocessableEntityError, match="has not ended"):
            connect(strict).call.update(call_id, metadata={})


@pytest.mark.parametrize("status", ["ended", "error", "not_connected"])
def test_terminal_statuses_are_accepted(emulator, client, status):
    emulator.add_call(call_id="call_1", call_status=status)
    assert client.call.update("call_1", metadata={"a": 1}).call_status == status


def test_storage_only_tightens(emulator, client):
    emulator.add_call(call_id="call_1")
    steps = ["everything", "everything_except_pii", "everything_except_pii", "basic_attributes_only"]
    for step in steps:
        assert client.call.update("call_1", data_storage_setting=step).data_storage_setting == step
    for looser in ("everything_except_pii", "everything"):
        with pytest.raises(retell.BadRequestError, match="less restrictive"):
            client.call.update("call_1", data_storage_setting=looser)


def test_basic_attributes_only_removes_content_but_not_the_facts(emulator, client, send):
    emulator.add_call(call_id="call_1", metadata={"a": 1})
    client.call.update("call_1", data_storage_setting="basic_attributes_only")
    call = json.loads(send(emulator, "GET", "/v2/get-call/call_1").body)
    assert not [name for name in call if "transcript" in name or "recording" in name or "log_url" in name]
    assert call["call_analysis"]
    assert call["metadata"] == {"a": 1}
    assert call["duration_ms"] == 62_000


def test_everything_except_pii_keeps_scrubbed_copies(emulator, client):
    emulator.add_call(call_id="call_1")
    assert "415 555 0123" in emulator.calls["call_1"]["transcript"]
    client.call.update("call_1", data_storage_setting="everything_except_pii")
    text = json.dumps({k: v for k, v in emulator.calls["call_1"].items() if "transcript" in k})
    assert "555 0123" not in text
    assert "[redacted]" in text
    call = client.call.retrieve("call_1")
    assert call.scrubbed_transcript_with_tool_calls
    assert call.scrubbed_recording_url
    assert call.recording_url is None
    assert call.transcript_with_tool_calls is None


@needs_custom_attributes
@pytest.mark.usefixtures("v3_sdk")
def test_custom_attributes_are_stored_filtered_and_not_echoed(emulator, client):
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


@pytest.mark.parametrize(
    ("semantics", "expected"), [("merge", {"attr_a": 1, "attr_b": True}), ("replace", {"attr_b": True})]
)
def test_custom_attributes_echo_and_semantics(make, semantics, expected, send):
    emulator = make(
        custom_attributes=("attr_a", "attr_b"),
        echo_custom_attributes=True,
        custom_attributes_semantics=semantics,
    )
    emulator.add_call(call_id="call_1")
    for attributes in ({"attr_a": 1}, {"attr_b": True}):
        reply = send(emulator, "PATCH", "/v2/update-call/call_1", {"custom_attributes": attributes})
    assert reply.json["custom_attributes"] == expected


def test_web_calls_carry_their_access_token(emulator, client):
    emulator.add_call(call_id="call_web", call_type="web_call")
    call = client.call.update("call_web", metadata={"a": 1})
    assert call.access_token
    assert not hasattr(call, "from_number")


class TestLive:
    def test_overrides_and_control(self, emulator, send):
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
    def test_call_that_is_not_live_answers_404(self, emulator, status, send):
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
    def test_bad_bodies(self, emulator, body, send):
        emulator.add_call(
            call_id="call_1", call_status="ongoing", data_storage_setting="basic_attributes_only"
        )
        assert send(emulator, "PATCH", "/v2/update-live-call/call_1", body).status == 400

    def test_with_the_sdk(self, emulator, client):
        if not hasattr(client.call, "update_live"):
            pytest.skip("this SDK cannot update live calls")
        emulator.add_call(call_id="call_1", call_status="ongoing")
        assert client.call.update_live("call_1", fields_to_override={"metadata": {"a": 1}}).success
        with pytest.raises(retell.NotFoundError):
            emulator.add_call(call_id="call_2")
            client.call.update_live("call_2", call_control={})
