"""The request bodies that the emulated endpoints accept, as data for :mod:`.schema`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.vocabulary import (
    CALL_TYPES,
    DIRECTIONS,
    DISCONNECTION_REASONS,
    SENTIMENTS,
    STORAGE_SETTINGS,
)

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.schema import Schema

METADATA_MAX_BYTES = 50_000
"""Retell says "max 50 kB"; that this means 50 000 bytes of compact JSON in UTF-8 is our reading."""

MAX_PAGE = 1000

_STRING: Schema = {"type": "string"}
_BOOLEAN: Schema = {"type": "boolean"}
_STRING_MAP: Schema = {"type": "object", "additionalProperties": _STRING}
_METADATA: Schema = {"type": "object", "maxBytes": METADATA_MAX_BYTES}
_STORAGE: Schema = {"type": "string", "enum": STORAGE_SETTINGS}
_VERSION: Schema = {"type": ("string", "integer")}


def _closed(properties: dict[str, Any], *required: str, **more: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": required, **more}


UPDATE_CALL = _closed(
    {
        "metadata": _METADATA,
        "data_storage_setting": _STORAGE,
        "custom_attributes": {
            "type": "object",
            "additionalProperties": {"type": ("string", "number", "boolean")},
        },
    }
)

UPDATE_LIVE_CALL = _closed(
    {
        "fields_to_override": _closed(
            {
                "override_dynamic_variables": {
                    "type": ("object", "null"),
                    "additionalProperties": _STRING,
                },
                "metadata": _METADATA,
                "data_storage_setting": _STORAGE,
            }
        ),
        "call_control": _closed(
            {"additional_context": {"type": "string", "minLength": 1}, "trigger_response": _BOOLEAN}
        ),
    }
)

# The creation endpoints state no limit for metadata, so none is emulated there.
_PLACED: dict[str, Any] = {
    "to_number": _STRING,
    "override_agent_id": _STRING,
    "override_agent_version": _VERSION,
    "agent_override": {"type": "object"},
    "metadata": {"type": "object"},
    "retell_llm_dynamic_variables": _STRING_MAP,
    "custom_sip_headers": _STRING_MAP,
    "ignore_e164_validation": _BOOLEAN,
}

CREATE_PHONE_CALL = _closed(
    {
        **_PLACED,
        "from_number": _STRING,
        "honor_internal_dnc": _BOOLEAN,
        "idempotency_key": {"type": "string", "minLength": 1},
    },
    "from_number",
    "to_number",
)

_MINUTE: Schema = {"type": "number", "minimum": 0, "maximum": 1440}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

CREATE_BATCH_CALL = _closed(
    {
        "from_number": _STRING,
        "name": _STRING,
        "tasks": {"type": "array", "minItems": 1, "items": _closed(_PLACED, "to_number")},
        "trigger_timestamp": {"type": "number", "minimum": 0},
        "reserved_concurrency": {"type": "integer", "minimum": 0},
        "call_time_window": _closed(
            {
                "windows": {
                    "type": "array",
                    "minItems": 1,
                    "items": _closed({"start": _MINUTE, "end": _MINUTE}, "start", "end"),
                },
                "timezone": _STRING,
                "day": {"type": "array", "minItems": 1, "items": {"type": "string", "enum": WEEKDAYS}},
            },
            "windows",
        ),
    },
    "from_number",
    "tasks",
)


def _leaf(kind: str, ops: tuple[str, ...], value: Schema | None) -> Schema:
    properties: dict[str, Any] = {
        "type": {"type": "string", "enum": (kind,)},
        "op": {"type": "string", "enum": ops},
    }
    if value is None:
        return _closed(properties, "type", "op")
    return _closed({**properties, "value": value}, "type", "op", "value")


def _one_of(*leaves: Schema) -> Schema:
    return {"type": "object", "anyOf": leaves, "discriminator": "type"}


def _in(*values: str) -> Schema:
    item: Schema = {"type": "string", "enum": values} if values else _STRING
    return _leaf("enum", ("in",), {"type": "array", "items": item})


def _keyed(leaf: Schema) -> Schema:
    return {
        **leaf,
        "properties": {**leaf["properties"], "key": _STRING},
        "required": (*leaf["required"], "key"),
    }


_TEXT = _leaf("string", ("eq", "ne", "sw", "ew", "co"), _STRING)
_NUMBER = _leaf("number", ("eq", "ne", "gt", "ge", "lt", "le"), {"type": "number"})
_RANGE = _leaf("range", ("bt",), {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2})
_TRUTH = _leaf("boolean", ("eq",), _BOOLEAN)
_PRESENT = _leaf("present", ("pr", "np"), None)
_AMOUNT = _one_of(_NUMBER, _RANGE)
_KEYED_LIST: Schema = {
    "type": "array",
    "items": _one_of(*(_keyed(leaf) for leaf in (_TEXT, _NUMBER, _RANGE, _in(), _TRUTH, _PRESENT))),
}

_FILTER = _closed(
    {
        "agent": {
            "type": "array",
            "items": _closed(
                {"agent_id": _STRING, "version": {"type": "array", "items": {"type": "number"}}}, "agent_id"
            ),
        },
        "agent_tag": _in(),
        "batch_call_id": _TEXT,
        "call_id": _one_of(_TEXT, _in()),
        # Documented without "registered".
        "call_status": _in("not_connected", "ongoing", "ended", "error"),
        "call_successful": _TRUTH,
        "call_type": _in(*CALL_TYPES),
        "combined_cost": _AMOUNT,
        "custom_analysis_data": _KEYED_LIST,
        "custom_attributes": _KEYED_LIST,
        "data_storage_setting": _in(*STORAGE_SETTINGS),
        "direction": _in(*DIRECTIONS),
        "disconnection_reason": _in(*DISCONNECTION_REASONS),
        "duration_ms": _AMOUNT,
        "dynamic_variables": _KEYED_LIST,
        "e2e_latency_p50": _AMOUNT,
        "end_timestamp": _AMOUNT,
        "from_number": _TEXT,
        "in_voicemail": _TRUTH,
        "metadata": _KEYED_LIST,
        "start_timestamp": _AMOUNT,
        "to_number": _TEXT,
        "tool_calls": {
            "type": "array",
            "items": _closed({"name": _STRING, "type": _STRING, "success": _TRUTH, "latency_ms": _AMOUNT}),
        },
        "user_sentiment": _in(*SENTIMENTS),
    }
)

LIST_CALLS = _closed(
    {
        "filter_criteria": _FILTER,
        "sort_order": {"type": "string", "enum": ("ascending", "descending")},
        "limit": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE},
        "pagination_key": {"type": "string", "minLength": 1},
        "skip": {"type": "integer", "minimum": 0},
        "include_total": _BOOLEAN,
    },
    excludes=(("skip", "pagination_key"),),
)
