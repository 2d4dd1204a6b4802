"""A small JSON Schema validator: the subset that request bodies need, with the usual error messages.

Objects with ``properties`` are closed unless ``additionalProperties`` says otherwise, like Retell's request
bodies. There is one extension: ``discriminator`` names the property that selects a branch of ``anyOf``, for
better messages.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

Schema = Mapping[str, Any]

STRING: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
STRING_MAP: Schema = {"type": "object", "additionalProperties": STRING}


E164 = r"\+[1-9][0-9]{6,14}"
"""The pattern of phone numbers in E.164 format."""


def closed(properties: dict[str, Any], *required: str, **more: Any) -> Schema:
    """Return the schema of an object that has no properties other than *properties*."""
    return {"type": "object", "properties": properties, "required": required, **more}


def is_number(value: Any) -> bool:
    """Return True for a JSON number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": is_number,
    "integer": lambda value: is_number(value) and (isinstance(value, int) or value.is_integer()),
    "null": lambda value: value is None,
}


def compact_size(value: Any) -> int:
    """Return the size of *value* as compact JSON, in bytes of UTF-8."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-8", "surrogatepass"))


def check(value: Any, schema: Schema, at: str = "body") -> str | None:
    """Return the first error of *value* as a sentence, or None if it matches *schema*.

    :param at: the path of *value* in the body, for the message.
    """
    kinds = schema.get("type")
    if kinds is not None:
        kinds = (kinds,) if isinstance(kinds, str) else kinds
        if not any(_TYPES[kind](value) for kind in kinds):
            return f"{at} must be {' or '.join(kinds)}"
    if "anyOf" in schema:
        return _check_any(value, schema, at)
    if "enum" in schema and value not in schema["enum"]:
        allowed = ", ".join(str(item) for item in schema["enum"])
        return f"{at} must be equal to one of the allowed values: {allowed}"
    if isinstance(value, str):
        return _check_string(value, schema, at)
    if isinstance(value, dict):
        return _check_object(value, schema, at)
    if isinstance(value, list):
        return _check_array(value, schema, at)
    if is_number(value):
        if value < schema.get("minimum", -math.inf):
            return f"{at} must be >= {schema['minimum']}"
        if value > schema.get("maximum", math.inf):
            return f"{at} must be <= {schema['maximum']}"
    return None


def _check_any(value: Any, schema: Schema, at: str) -> str | None:
    branches: tuple[Schema, ...] = schema["anyOf"]
    errors = [check(value, branch, at) for branch in branches]
    if None in errors:
        return None
    key = schema.get("discriminator")
    if key is not None and isinstance(value, dict):
        for branch, error in zip(branches, errors, strict=True):
            if value.get(key) in branch["properties"][key]["enum"]:
                return error
    return f"{at} must match a schema in anyOf"


def _check_string(value: str, schema: Schema, at: str) -> str | None:
    if len(value) < schema.get("minLength", 0):
        return f"{at} must NOT have fewer than {schema['minLength']} characters"
    if len(value) > schema.get("maxLength", math.inf):
        return f"{at} must NOT have more than {schema['maxLength']} characters"
    if "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        return f'{at} must match pattern "{schema["pattern"]}"'
    return None


def _check_object(value: dict[str, Any], schema: Schema, at: str) -> str | None:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            return f"{at} must have required property '{name}'"
    for one, other in schema.get("excludes", ()):
        if one in value and other in value:
            return f"{at} must NOT have both '{one}' and '{other}'"
    rest = schema.get("additionalProperties", "properties" not in schema)
    for name, item in value.items():
        inner = properties.get(name)
        if inner is None:
            if rest is True:
                continue
            if rest is False:
                return f"{at} must NOT have additional properties: '{name}'"
            inner = rest
        error = check(item, inner, f"{at}/{name}")
        if error is not None:
            return error
    return None


def _check_array(value: list[Any], schema: Schema, at: str) -> str | None:
    if len(value) < schema.get("minItems", 0):
        return f"{at} must NOT have fewer than {schema['minItems']} items"
    if len(value) > schema.get("maxItems", math.inf):
        return f"{at} must NOT have more than {schema['maxItems']} items"
    items = schema.get("items")
    if items is not None:
        for position, item in enumerate(value):
            error = check(item, items, f"{at}/{position}")
            if error is not None:
                return error
    return None
