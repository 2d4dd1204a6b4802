"""The filters of list-calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.calls.conftest import Ids
    from tests.emulator.conftest import Send

HOUR = 3_600_000

Condition = dict[str, Any]


def text(op: str, value: str) -> Condition:
    return {"type": "string", "op": op, "value": value}


def number(op: str, value: float) -> Condition:
    return {"type": "number", "op": op, "value": value}


def span(low: float, high: float) -> Condition:
    return {"type": "range", "op": "bt", "value": [low, high]}


def among(*values: str) -> Condition:
    return {"type": "enum", "op": "in", "value": list(values)}


def truth(value: bool) -> Condition:
    return {"type": "boolean", "op": "eq", "value": value}


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
def test_a_filter_finds_the_matching_calls(
    three: Emulator, criteria: dict[str, Any], expected: str, ids: Ids
) -> None:
    found = ids(three, criteria, sort_order="ascending")
    assert "".join(call_id[-1] for call_id in found) == expected


def test_tool_calls_are_taken_from_the_transcript_if_not_given(emulator: Emulator, ids: Ids) -> None:
    emulator.add_call(call_id="call_1", tool_calls=None)
    assert ids(emulator, {"tool_calls": [{"name": "book_appointment", "success": truth(True)}]}) == ["call_1"]
    assert ids(emulator, {"tool_calls": [{"latency_ms": number("gt", 0)}]}) == []


@pytest.mark.parametrize(
    "criteria",
    [
        {"color": text("eq", "red")},
        {"call_status": among("registered")},
        {"call_status": ["ended"]},
        {"call_id": {"type": "enum", "op": "in"}},
        {"call_id": {**text("eq", "x"), "extra": 1}},
        {"start_timestamp": {"type": "range", "op": "bt", "value": [1]}},
        {"start_timestamp": number("between", 1)},
        {"metadata": [text("eq", "no key")]},
        {"agent": [{"version": [1]}]},
    ],
)
def test_an_invalid_filter_gets_400(emulator: Emulator, criteria: dict[str, Any], send: Send) -> None:
    reply = send(emulator, "POST", "/v3/list-calls", {"filter_criteria": criteria})
    assert reply.status == 400
    assert reply.json["message"].startswith("body/filter_criteria")
