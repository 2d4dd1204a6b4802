"""The request bodies of the call endpoints, as schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.calls.vocabulary import (
    CALL_TYPES,
    DIRECTIONS,
    DISCONNECTION_REASONS,
    SENTIMENTS,
    STORAGE_SETTINGS,
)
from airflow_provider_retell.emulator.schema import BOOLEAN, STRING, STRING_MAP, closed

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.schema import Schema

METADATA_MAX_BYTES = 50_000
"""Our reading of Retell's "max 50 kB": 50,000 bytes of compact JSON in UTF-8."""

MAX_PAGE = 1000

_METADATA: Schema = {"type": "object", "maxBytes": METADATA_MAX_BYTES}
_STORAGE: Schema = {"type": "string", "enum": STORAGE_SETTINGS}
_VERSION: Schema = {"type": ("string", "integer")}

UPDATE_CALL = closed(
    {
        "metadata": _METADATA,
        "data_storage_setting": _STORAGE,
        "custom_attributes": {
            "type": "object",
            "additionalProperties": {"type": ("string", "number", "boolean")},
        },
    }
)

UPDATE_LIVE_CALL = closed(
    {
        "fields_to_override": closed(
            {
                "override_dynamic_variables": {
                    "type": ("object", "null"),
                    "additionalProperties": STRING,
                },
                "metadata": _METADATA,
                "data_storage_setting": _STORAGE,
            }
        ),
        "call_control": closed(
            {"additional_context": {"type": "string", "minLength": 1}, "trigger_response": BOOLEAN}
        ),
    }
)

# Retell documents no limit for the metadata of new calls, so the emulator has none.
_PLACED: dict[str, Any] = {
    "to_number": STRING,
    "override_agent_id": STRING,
    "override_agent_version": _VERSION,
    "agent_override": {"type": "object"},
    "metadata": {"type": "object"},
    "retell_llm_dynamic_variables": STRING_MAP,
    "custom_sip_headers": STRING_MAP,
    "ignore_e164_validation": BOOLEAN,
}

CREATE_PHONE_CALL = closed(
    {
        **_PLACED,
        "from_number": STRING,
        "honor_internal_dnc": BOOLEAN,
        "idempotency_key": {"type": "string", "minLength": 1},
    },
    "from_number",
    "to_number",
)

_MINUTE: Schema = {"type": "number", "minimum": 0, "maximum": 1440}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

CREATE_BATCH_CALL = closed(
    {
        "from_number": STRING,
        "name": STRING,
        "tasks": {"type": "array", "minItems": 1, "items": closed(_PLACED, "to_number")},
        "trigger_timestamp": {"type": "number", "minimum": 0},
        "reserved_concurrency": {"type": "integer", "minimum": 0},
        "call_time_window": closed(
            {
                "windows": {
                    "type": "array",
                    "minItems": 1,
                    "items": closed({"start": _MINUTE, "end": _MINUTE}, "start", "end"),
                },
                "timezone": STRING,
                "day": {"type": "array", "minItems": 1, "items": {"type": "string", "enum": WEEKDAYS}},
            },
            "windows",
        ),
    },
    "from_number",
    "tasks",
)


def _condition(kind: str, ops: tuple[str, ...], value: Schema | None) -> Schema:
    properties: dict[str, Any] = {
        "type": {"type": "string", "enum": (kind,)},
        "op": {"type": "string", "enum": ops},
    }
    if value is None:
        return closed(properties, "type", "op")
    return closed({**properties, "value": value}, "type", "op", "value")


def _one_of(*conditions: Schema) -> Schema:
    return {"type": "object", "anyOf": conditions, "discriminator": "type"}


def _in(*values: str) -> Schema:
    item: Schema = {"type": "string", "enum": values} if values else STRING
    return _condition("enum", ("in",), {"type": "array", "items": item})


def _keyed(condition: Schema) -> Schema:
    return {
        **condition,
        "properties": {**condition["properties"], "key": STRING},
        "required": (*condition["required"], "key"),
    }


_TEXT = _condition("string", ("eq", "ne", "sw", "ew", "co"), STRING)
_NUMBER = _condition("number", ("eq", "ne", "gt", "ge", "lt", "le"), {"type": "number"})
_RANGE = _condition(
    "range", ("bt",), {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
)
_TRUTH = _condition("boolean", ("eq",), BOOLEAN)
_PRESENT = _condition("present", ("pr", "np"), None)
_AMOUNT = _one_of(_NUMBER, _RANGE)
_KEYED_LIST: Schema = {
    "type": "array",
    "items": _one_of(*(_keyed(condition) for condition in (_TEXT, _NUMBER, _RANGE, _in(), _TRUTH, _PRESENT))),
}

_FILTER = closed(
    {
        "agent": {
            "type": "array",
            "items": closed(
                {"agent_id": STRING, "version": {"type": "array", "items": {"type": "number"}}}, "agent_id"
            ),
        },
        "agent_tag": _in(),
        "batch_call_id": _TEXT,
        "call_id": _one_of(_TEXT, _in()),
        # Retell documents these four only, without "registered".
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
            "items": closed({"name": STRING, "type": STRING, "success": _TRUTH, "latency_ms": _AMOUNT}),
        },
        "user_sentiment": _in(*SENTIMENTS),
    }
)

LIST_CALLS = closed(
    {
        "filter_criteria": _FILTER,
        "sort_order": {"type": "string", "enum": ("ascending", "descending")},
        "limit": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE},
        "pagination_key": {"type": "string", "minLength": 1},
        "skip": {"type": "integer", "minimum": 0},
        "include_total": BOOLEAN,
    },
    excludes=(("skip", "pagination_key"),),
)
