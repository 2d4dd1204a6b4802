"""The ``filter_criteria`` of list-calls. A call matches if it passes all conditions.

A call without ``data_storage_setting`` does not count as ``everything``, which is our guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_retell.emulator.calls.vocabulary import Call
from airflow_provider_retell.emulator.conditions import MISSING, Test, compile_condition, inside

Filter = Callable[[Call], bool]


def _variables(call: Call) -> Mapping[str, Any]:
    return {**call.get("retell_llm_dynamic_variables", {}), **call.get("collected_dynamic_variables", {})}


_NESTED = {
    "call_successful": inside("call_analysis", "call_successful"),
    "in_voicemail": inside("call_analysis", "in_voicemail"),
    "user_sentiment": inside("call_analysis", "user_sentiment"),
    "combined_cost": inside("call_cost", "combined_cost"),
    "e2e_latency_p50": inside("latency", "e2e", "p50"),
}
_MAPS: Mapping[str, Callable[[Call], Any]] = {
    "metadata": inside("metadata"),
    "dynamic_variables": _variables,
    "custom_attributes": inside("custom_attributes"),
    "custom_analysis_data": inside("call_analysis", "custom_analysis_data"),
}


def compile_filter(criteria: Mapping[str, Any]) -> list[Filter]:
    """Return the tests that a call must pass.

    :param criteria: a ``filter_criteria`` that matches the schema.
    """
    tests: list[Filter] = []
    for name, spec in criteria.items():
        if name == "agent":
            tests.append(_agents(spec))
        elif name == "tool_calls":
            tests.extend(_tool_call(entry) for entry in spec)
        elif name in _MAPS:
            tests.extend(_keyed(_MAPS[name], entry) for entry in spec)
        else:
            tests.append(_plain(_NESTED.get(name) or inside(name), compile_condition(spec)))
    return tests


def _plain(get: Callable[[Call], Any], test: Test) -> Filter:
    return lambda call: test(get(call))


def _keyed(get: Callable[[Call], Any], spec: Mapping[str, Any]) -> Filter:
    key, test = spec["key"], compile_condition(spec)

    def matches(call: Call) -> bool:
        values = get(call)
        return test(values.get(key, MISSING) if isinstance(values, Mapping) else MISSING)

    return matches


def _agents(wanted: list[dict[str, Any]]) -> Filter:
    def matches(call: Call) -> bool:
        return any(
            call.get("agent_id") == agent["agent_id"]
            and ("version" not in agent or call.get("agent_version") in agent["version"])
            for agent in wanted
        )

    return matches


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


def tool_calls(call: Call) -> list[dict[str, Any]]:
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
