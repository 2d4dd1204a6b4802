"""The conditions of list filters, ``{"type", "op", "value"}``: their schemas and their evaluation.

Retell does not document the following, so it is our guess. A missing field matches ``np`` only, not even
``ne``. Text is case-sensitive. A condition of one type never matches a value of another. ``bt`` includes both
ends. An empty ``in`` matches nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.schema import BOOLEAN, STRING, closed, is_number

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.schema import Schema

Test = Callable[[Any], bool]
"""A test of the value of a field, or of :data:`MISSING`."""

MISSING = object()
"""The value of a field that an object does not have."""

_TEXT_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "sw": str.startswith,
    "ew": str.endswith,
    "co": operator.contains,
}
_NUMBER_TESTS: Mapping[str, Callable[[float, float], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


def condition(kind: str, ops: tuple[str, ...], value: Schema | None) -> Schema:
    """Return the schema of a condition.

    :param value: the schema of its value; None if it has none.
    """
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
    return condition("enum", ("in",), {"type": "array", "items": item})


def _keyed(condition: Schema) -> Schema:
    return {
        **condition,
        "properties": {**condition["properties"], "key": STRING},
        "required": (*condition["required"], "key"),
    }


TEXT_OPS = tuple(_TEXT_TESTS)
TEXT = condition("string", TEXT_OPS, STRING)
NUMBER = condition("number", tuple(_NUMBER_TESTS), {"type": "number"})
RANGE = condition(
    "range", ("bt",), {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
)
TRUTH = condition("boolean", ("eq",), BOOLEAN)
PRESENT = condition("present", ("pr", "np"), None)
AMOUNT = one_of(NUMBER, RANGE)
KEYED_LIST: Schema = {
    "type": "array",
    "items": one_of(*(_keyed(condition) for condition in (TEXT, NUMBER, RANGE, enum(), TRUTH, PRESENT))),
}
"""Conditions on the values of a map; each has the ``key`` of a value too."""


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
        return lambda value: is_number(value) and low <= value <= high
    if kind == "number":
        compare = _NUMBER_TESTS[op]
        return lambda value: is_number(value) and compare(value, wanted)  # type: ignore[arg-type]
    matches = _TEXT_TESTS[op]
    return lambda value: isinstance(value, str) and matches(value, wanted)  # type: ignore[arg-type]


def inside(*path: str) -> Callable[[Mapping[str, Any]], Any]:
    """Return a function that reads the field at *path* in nested objects, or returns :data:`MISSING`."""

    def get(value: Any) -> Any:
        for name in path:
            value = value.get(name, MISSING) if isinstance(value, dict) else MISSING
        return value

    return get
