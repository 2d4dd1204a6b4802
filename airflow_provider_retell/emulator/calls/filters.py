"""The ``filter_criteria`` of list-calls. A call matches if it passes all conditions.

A call without ``data_storage_setting`` does not count as ``everything``, which is our guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from airflow_provider_retell.emulator.conditions import MISSING, compile_condition, inside
from airflow_provider_retell.emulator.filters import Filter, FilterFields, agents


def _variables(call: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**call.get("retell_llm_dynamic_variables", {}), **call.get("collected_dynamic_variables", {})}


_NESTED: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "dynamic_variables": _variables,
    "custom_analysis_data": inside("call_analysis", "custom_analysis_data"),
    "call_successful": inside("call_analysis", "call_successful"),
    "in_voicemail": inside("call_analysis", "in_voicemail"),
    "user_sentiment": inside("call_analysis", "user_sentiment"),
    "combined_cost": inside("call_cost", "combined_cost"),
    "e2e_latency_p50": inside("latency", "e2e", "p50"),
}


def _tool_call(spec: Mapping[str, Any]) -> Filter:
    tests = {
        name: compile_condition(
            value if isinstance(value, dict) else {"type": "string", "op": "eq", "value": value}
        )
        for name, value in spec.items()
    }
    return lambda call: any(
        all(test(entry.get(name, MISSING)) for name, test in tests.items()) for entry in tool_calls(call)
    )


def tool_calls(call: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the tool calls of a call: its own list, or else those in its transcript, without latencies."""
    if "tool_calls" in call:
        own: list[dict[str, Any]] = call["tool_calls"]
        return own
    turns = call.get("transcript_with_tool_calls", ())
    results = {turn["tool_call_id"]: turn for turn in turns if turn.get("role") == "tool_call_result"}
    found = []
    for turn in turns:
        if turn.get("role") == "tool_call_invocation":
            entry = {name: turn[name] for name in ("name", "type") if name in turn}
            result = results.get(turn["tool_call_id"], {})
            if "successful" in result:
                entry["success"] = result["successful"]
            found.append(entry)
    return found


FIELDS = FilterFields(
    _NESTED,
    special={
        "agent": partial(agents, "agent_version"),
        "tool_calls": lambda spec: [_tool_call(entry) for entry in spec],
    },
)
