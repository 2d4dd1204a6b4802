"""The conditions of list filters, ``{"type", "op", "value"}``: their schemas and their evaluation.

Retell does not document the following, so it is our guess. A missing field matches ``np`` only, not even
``ne``. Text is case-sensitive. A condition of one type never matches a value of another. ``bt`` includes both
ends. An empty ``in`` matches nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.schema import BOOLEAN, STRING, closed

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.schema import Schema

Test = Callable[[Any], bool]
"""A test of the value of a field, or of :data:`MISSING`."""

MISSING = object()
"""The value of a field that an object does not have."""

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


def _condition(kind: str, ops: tuple[str, ...], value: Schema | None) -> Schema:
    properties: dict[str, Any] = {
        "type": {"type": "string", "enum": (kind,)},
        "op": {"type": "string", "enum": ops},
    }
    if value is None:
        return closed(properties, "type", "op")
    return closed({**properties, "value": value}, "type", "op", "value")


def one_of(*conditions: Schema) -> Schema:
    """Return the schema of a field that accepts several types of condition."""
    return {"type": "object", "anyOf": conditions, "discriminator": "type"}


def enum(*values: str) -> Schema:
    """Return the schema of an ``enum`` condition on *values*, or on any text."""
    item: Schema = {"type": "string", "enum": values} if values else STRING
    return _condition("enum", ("in",), {"type": "array", "items": item})


def _keyed(condition: Schema) -> Schema:
    return {
        **condition,
        "properties": {**condition["properties"], "key": STRING},
        "required": (*condition["required"], "key"),
    }


TEXT = _condition("string", tuple(_TEXT_OPS), STRING)
NUMBER = _condition("number", tuple(_NUMBER_OPS), {"type": "number"})
RANGE = _condition(
    "range", ("bt",), {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
)
TRUTH = _condition("boolean", ("eq",), BOOLEAN)
PRESENT = _condition("present", ("pr", "np"), None)
AMOUNT = one_of(NUMBER, RANGE)
KEYED_LIST: Schema = {
    "type": "array",
    "items": one_of(*(_keyed(condition) for condition in (TEXT, NUMBER, RANGE, enum(), TRUTH, PRESENT))),
}
"""Conditions on the values of a map; each has the ``key`` of a value too."""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def compile_condition(spec: Mapping[str, Any]) -> Test:
    """Return the test for one condition."""
    kind, op, wanted = spec["type"], spec["op"], spec.get("value")
    if kind == "present":
        return lambda value: (value is not MISSING and value is not None) == (op == "pr")
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


def inside(*path: str) -> Callable[[Mapping[str, Any]], Any]:
    """Return a function that reads the field at *path* in nested objects, or returns :data:`MISSING`."""

    def get(value: Any) -> Any:
        for name in path:
            value = value.get(name, MISSING) if isinstance(value, dict) else MISSING
        return value

    return get
