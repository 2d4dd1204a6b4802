"""Filters of list-calls: conditions of the form ``{"type", "op", "value"}``, all of which must hold.

Retell does not document the following, so it is our guess. A missing field matches ``np`` only, not even
``ne``. Text is case-sensitive. A condition of one type never matches a value of another. ``bt`` includes both
ends. An empty ``in`` matches nothing. A missing ``data_storage_setting`` does not count as ``everything``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_retell.emulator.calls.vocabulary import Call

Predicate = Callable[[Any], bool]
Filter = Callable[[Call], bool]

_MISSING = object()

_TEXT_OPS: Mapping[str, Callable[[str, str], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "sw": str.startswith,
    "ew": str.endswith,
    "co": operator.contains,
}
_NUMBER_OPS: Mapping[str, Callable[[float, float], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def condition(spec: Mapping[str, Any]) -> Predicate:
    """Return the test of one condition; it takes the value of the field, or :data:`_MISSING`."""
    kind, op, wanted = spec["type"], spec["op"], spec.get("value")
    if kind == "present":
        return lambda value: (value is not _MISSING and value is not None) == (op == "pr")
    if kind == "boolean":
        return lambda value: value is wanted
    if kind == "enum":
        allowed = frozenset(wanted or ())
        return lambda value: isinstance(value, str) and value in allowed
    if kind == "range":
        low, high = wanted or (0, 0)
        return lambda value: _is_number(value) and low <= value <= high
    if kind == "number":
        compare = _NUMBER_OPS[op]
        return lambda value: _is_number(value) and compare(value, wanted)  # type: ignore[arg-type]
    matches = _TEXT_OPS[op]
    return lambda value: isinstance(value, str) and matches(value, wanted)  # type: ignore[arg-type]


def _variables(call: Call) -> Mapping[str, Any]:
    return {**call.get("retell_llm_dynamic_variables", {}), **call.get("collected_dynamic_variables", {})}


def _inside(*path: str) -> Callable[[Call], Any]:
    def get(call: Call) -> Any:
        value: Any = call
        for name in path:
            value = value.get(name, _MISSING) if isinstance(value, dict) else _MISSING
        return value

    return get


_NESTED = {
    "call_successful": _inside("call_analysis", "call_successful"),
    "in_voicemail": _inside("call_analysis", "in_voicemail"),
    "user_sentiment": _inside("call_analysis", "user_sentiment"),
    "combined_cost": _inside("call_cost", "combined_cost"),
    "e2e_latency_p50": _inside("latency", "e2e", "p50"),
}
_MAPS: Mapping[str, Callable[[Call], Any]] = {
    "metadata": _inside("metadata"),
    "dynamic_variables": _variables,
    "custom_attributes": _inside("custom_attributes"),
    "custom_analysis_data": _inside("call_analysis", "custom_analysis_data"),
}


def _plain(get: Callable[[Call], Any], test: Predicate) -> Filter:
    return lambda call: test(get(call))


def _keyed(get: Callable[[Call], Any], spec: Mapping[str, Any]) -> Filter:
    key, test = spec["key"], condition(spec)

    def fits(call: Call) -> bool:
        values = get(call)
        return test(values.get(key, _MISSING) if isinstance(values, Mapping) else _MISSING)

    return fits


def _agents(wanted: list[dict[str, Any]]) -> Filter:
    def fits(call: Call) -> bool:
        return any(
            call.get("agent_id") == agent["agent_id"]
            and ("version" not in agent or call.get("agent_version") in agent["version"])
            for agent in wanted
        )

    return fits


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


def _tool_call(spec: Mapping[str, Any]) -> Filter:
    tests = {
        name: condition(value if isinstance(value, dict) else {"type": "string", "op": "eq", "value": value})
        for name, value in spec.items()
    }
    return lambda call: any(
        all(test(entry.get(name, _MISSING)) for name, test in tests.items()) for entry in tool_calls(call)
    )


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
            tests.append(_plain(_NESTED.get(name) or _inside(name), condition(spec)))
    return tests
