from __future__ import annotations

import time

import pytest
import retell

HOUR = 3_600_000


@pytest.fixture
def ids(send):
    def ask(emulator, criteria=None, **body):
        if criteria is not None:
            body["filter_criteria"] = criteria
        reply = send(emulator, "POST", "/v3/list-calls", body)
        assert reply.status == 200, reply.body
        return [item["call_id"] for item in reply.json["items"]]

    return ask


def text(op, value):
    return {"type": "string", "op": op, "value": value}


def number(op, value):
    return {"type": "number", "op": op, "value": value}


def span(low, high):
    return {"type": "range", "op": "bt", "value": [low, high]}


def among(*values):
    return {"type": "enum", "op": "in", "value": list(values)}


def truth(value):
    return {"type": "boolean", "op": "eq", "value": value}


@pytest.fixture
def three(emulator):
    emulator.add_call(
        call_id="call_a",
        start_timestamp=1 * HOUR,
        duration_ms=1000,
        metadata={"plan": "pro", "seats": 5, "trial": False, "none": None},
        agent_id="agent_x",
        agent_version=2,
        agent_tag="prod",
        to_number="+14155550111",
        retell_llm_dynamic_variables={"name": "Ann"},
    )
    emulator.add_call(
        call_id="call_b",
        start_timestamp=2 * HOUR,
        duration_ms=2000,
        metadata={"plan": "free", "seats": 9, "trial": True},
        call_status="error",
        tool_calls=[],
        collected_dynamic_variables={"name": "Bob"},
    )
    emulator.add_call(
        call_id="web_c",
        start_timestamp=3 * HOUR,
        duration_ms=3000,
        call_type="web_call",
        metadata={},
        data_storage_setting="basic_attributes_only",
        batch_call_id="batch_1",
    )
    return emulator


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({}, "abc"),
        ({"call_id": text("eq", "call_a")}, "a"),
        ({"call_id": text("ne", "call_a")}, "bc"),
        ({"call_id": text("sw", "call_")}, "ab"),
        ({"call_id": text("ew", "_c")}, "c"),
        ({"call_id": text("co", "ll_b")}, "b"),
        ({"call_id": among("web_c", "call_a", "call_a", "nope")}, "ac"),
        ({"call_id": among()}, ""),
        ({"call_id": among("call_a", "call_b"), "call_status": among("error")}, "b"),
        ({"start_timestamp": number("eq", 2 * HOUR)}, "b"),
        ({"start_timestamp": number("ne", 2 * HOUR)}, "ac"),
        ({"start_timestamp": number("gt", 2 * HOUR)}, "c"),
        ({"start_timestamp": number("ge", 2 * HOUR)}, "bc"),
        ({"start_timestamp": number("lt", 2 * HOUR)}, "a"),
        ({"start_timestamp": number("le", 2 * HOUR)}, "ab"),
        ({"start_timestamp": span(HOUR, 2 * HOUR)}, "ab"),
        ({"end_timestamp": span(HOUR, HOUR + 1000)}, "a"),
        ({"duration_ms": number("ge", 2000)}, "bc"),
        ({"combined_cost": number("gt", 0.3)}, "bc"),
        ({"e2e_latency_p50": span(1000, 1200)}, "abc"),
        ({"call_status": among("ended", "not_connected")}, "ac"),
        ({"call_type": among("web_call")}, "c"),
        ({"direction": among("outbound")}, "ab"),
        ({"disconnection_reason": among("error_asr")}, "b"),
        ({"user_sentiment": among("Positive")}, "ac"),
        ({"data_storage_setting": among("basic_attributes_only")}, "c"),
        ({"agent_tag": among("prod", "dev")}, "a"),
        ({"agent": [{"agent_id": "agent_x"}]}, "a"),
        ({"agent": [{"agent_id": "agent_x", "version": [1]}]}, ""),
        ({"agent": [{"agent_id": "agent_x", "version": [1, 2]}, {"agent_id": "other"}]}, "a"),
        ({"batch_call_id": text("eq", "batch_1")}, "c"),
        ({"to_number": text("ew", "111")}, "a"),
        ({"call_successful": truth(True)}, "ac"),
        ({"in_voicemail": truth(False)}, "abc"),
        ({"metadata": [{"key": "plan", **text("eq", "pro")}]}, "a"),
        ({"metadata": [{"key": "plan", **text("ne", "pro")}]}, "b"),
        ({"metadata": [{"key": "plan", **among("pro", "free")}]}, "ab"),
        ({"metadata": [{"key": "seats", **number("gt", 5)}]}, "b"),
        ({"metadata": [{"key": "seats", **span(5, 9)}, {"key": "plan", **text("eq", "pro")}]}, "a"),
        ({"metadata": [{"key": "trial", **truth(False)}]}, "a"),
        ({"metadata": [{"key": "trial", **number("eq", 0)}]}, ""),
        ({"metadata": [{"key": "plan", "type": "present", "op": "pr"}]}, "ab"),
        ({"metadata": [{"key": "none", "type": "present", "op": "np"}]}, "abc"),
        ({"metadata": [{"key": "plan", "type": "present", "op": "np"}]}, "c"),
        ({"dynamic_variables": [{"key": "name", **text("eq", "Ann")}]}, "a"),
        ({"dynamic_variables": [{"key": "name", **text("eq", "Bob")}]}, "b"),
        ({"custom_analysis_data": [{"key": "score", **number("ge", 0.9)}]}, "ac"),
        ({"tool_calls": [{"name": "book_appointment"}]}, "ac"),
        ({"tool_calls": [{"success": truth(False)}]}, ""),
        ({"tool_calls": [{"name": "book_appointment", "latency_ms": number("lt", 1000)}]}, "ac"),
        ({"tool_calls": [{"name": "book_appointment"}, {"name": "other"}]}, ""),
    ],
)
def test_filters(three, criteria, expected, ids):
    found = ids(three, criteria, sort_order="ascending")
    assert "".join(call_id[-1] for call_id in found) == expected


def test_tool_calls_are_read_off_the_transcript_if_not_given(emulator, ids):
    emulator.add_call(call_id="call_1", tool_calls=None)
    assert ids(emulator, {"tool_calls": [{"name": "book_appointment", "success": truth(True)}]}) == ["call_1"]
    assert ids(emulator, {"tool_calls": [{"latency_ms": number("gt", 0)}]}) == []


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 1001},
        {"limit": 0},
        {"limit": 1.5},
        {"skip": -1},
        {"skip": 0, "pagination_key": "x"},
        {"pagination_key": "no key of ours"},
        {"sort_order": "up"},
        {"filter": {}},
        {"filter_criteria": {"color": text("eq", "red")}},
        {"filter_criteria": {"call_status": among("registered")}},
        {"filter_criteria": {"call_status": ["ended"]}},
        {"filter_criteria": {"call_id": {"type": "enum", "op": "in"}}},
        {"filter_criteria": {"call_id": {**text("eq", "x"), "extra": 1}}},
        {"filter_criteria": {"start_timestamp": {"type": "range", "op": "bt", "value": [1]}}},
        {"filter_criteria": {"start_timestamp": number("between", 1)}},
        {"filter_criteria": {"metadata": [text("eq", "no key")]}},
        {"filter_criteria": {"agent": [{"version": [1]}]}},
        [],
    ],
)
def test_bad_bodies(emulator, body, send):
    reply = send(emulator, "POST", "/v3/list-calls", body)
    assert reply.status == 400
    assert reply.json["message"].startswith("body")


def test_body_is_optional(three, send):
    reply = send(three, "POST", "/v3/list-calls")
    assert [item["call_id"] for item in reply.json["items"]] == ["web_c", "call_b", "call_a"]
    assert reply.json["has_more"] is False
    assert "total" not in reply.json
    assert "pagination_key" not in reply.json


@pytest.mark.usefixtures("v3_sdk")
def test_items_have_no_transcripts_but_all_else(three, send, connect):
    client = connect(three)
    (item,) = client.call.list(filter_criteria={"call_id": among("call_a")}).items
    raw = send(three, "POST", "/v3/list-calls", {"filter_criteria": {"call_id": among("call_a")}}).json
    assert not [name for name in raw["items"][0] if "transcript" in name]
    assert not {"batch_call_id", "custom_attributes", "tool_calls"} & raw["items"][0].keys()
    assert item.call_analysis.call_summary
    assert item.metadata["plan"] == "pro"
    assert item.recording_url


@pytest.mark.parametrize("order", ["ascending", "descending"])
@pytest.mark.parametrize("count", [137, 5_500])
@pytest.mark.usefixtures("v3_sdk")
def test_pages_cover_every_call_once_in_order(emulator, order, count, connect):
    emulator.add_calls((f"call_{n:05}" for n in range(count)), start_timestamp=HOUR)
    emulator.calls["call_00003"]["call_status"] = "error"
    client, seen, key, limit = connect(emulator), [], None, 50 if count < 1000 else 1000
    while True:
        more = {"pagination_key": key} if key else {}
        page = client.call.list(
            limit=limit,
            sort_order=order,
            include_total=True,
            filter_criteria={"call_status": among("ended")},
            **more,
        )
        assert page.total == count - 1
        seen += [call.call_id for call in page.items]
        if not page.has_more:
            break
        key = page.pagination_key
    expected = [f"call_{n:05}" for n in range(count) if n != 3]
    assert seen == (expected if order == "ascending" else expected[::-1])


def test_pages_hold_still_while_calls_come_and_go(emulator, send, ids):
    emulator.add_calls(f"call_{n}" for n in range(6))
    page = send(emulator, "POST", "/v3/list-calls", {"limit": 3}).json
    assert [item["call_id"] for item in page["items"]] == ["call_5", "call_4", "call_3"]
    emulator.add_call(call_id="call_new")
    del emulator.calls["call_3"]
    assert ids(emulator, pagination_key=page["pagination_key"]) == ["call_2", "call_1", "call_0"]


def test_default_page_is_50_and_skip_skips(emulator, ids):
    emulator.add_calls(f"call_{n:03}" for n in range(120))
    assert len(ids(emulator)) == 50
    assert ids(emulator, skip=118) == ["call_001", "call_000"]
    assert ids(emulator, skip=500) == []


@pytest.mark.usefixtures("v3_sdk")
def test_max_ids_per_filter(make, connect):
    emulator = make(max_ids_per_filter=2)
    client = connect(emulator)
    client.call.list(filter_criteria={"call_id": among("a", "b")})
    with pytest.raises(retell.BadRequestError, match="more than 2 items"):
        client.call.list(filter_criteria={"call_id": among("a", "b", "c")})


def test_looking_up_ids_does_not_scan_all_calls(emulator, send):
    emulator.add_calls((f"call_{n}" for n in range(50_000)), metadata={})
    body = {"filter_criteria": {"call_id": among("call_7", "call_70", "call_700")}, "limit": 1000}
    send(emulator, "POST", "/v3/list-calls", body)
    started = time.process_time()  # of client and server; other processes on a busy machine do not count
    for _ in range(20):
        assert send(emulator, "POST", "/v3/list-calls", body).json["items"]
    # A scan of 50,000 calls takes above 10 ms each time; the look-up and the round trip stay far below.
    assert (time.process_time() - started) / 20 < 0.01


def test_calls_of_another_organization_are_invisible(emulator, send, ids):
    emulator.add_call(call_id="call_1")
    emulator.add_organization("other", api_key="key_other").add_call(call_id="call_2")
    assert ids(emulator) == ["call_1"]
    assert ids(emulator, {"call_id": among("call_1", "call_2")}) == ["call_1"]
    assert (
        send(emulator, "POST", "/v3/list-calls", {}, key="key_other").json["items"][0]["call_id"] == "call_2"
    )
