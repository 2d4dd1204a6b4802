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
from airflow_provider_retell.emulator.conditions import AMOUNT, KEYED_LIST, TEXT, TRUTH, enum, one_of
from airflow_provider_retell.emulator.filters import AGENTS, list_body
from airflow_provider_retell.emulator.schema import BOOLEAN, STRING, STRING_MAP, closed
from airflow_provider_retell.emulator.updates import CUSTOM_ATTRIBUTES

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.schema import Schema

_METADATA: Schema = {"type": "object"}  # updates.py checks its size
_STORAGE: Schema = {"type": "string", "enum": STORAGE_SETTINGS}
_VERSION: Schema = {"type": ("string", "integer")}

UPDATE_CALL = closed(
    {
        "metadata": _METADATA,
        "data_storage_setting": _STORAGE,
        "custom_attributes": CUSTOM_ATTRIBUTES,
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


SHARED_CONDITIONS: dict[str, Schema] = {
    "agent": AGENTS,
    "agent_tag": enum(),
    "combined_cost": AMOUNT,
    "custom_analysis_data": KEYED_LIST,
    "custom_attributes": KEYED_LIST,
    "data_storage_setting": enum(*STORAGE_SETTINGS),
    "direction": enum(*DIRECTIONS),
    "disconnection_reason": enum(*DISCONNECTION_REASONS),
    "duration_ms": AMOUNT,
    "end_timestamp": AMOUNT,
    "start_timestamp": AMOUNT,
    "user_sentiment": enum(*SENTIMENTS),
}
"""The conditions that lists of calls and lists of chats have in common."""

_FILTER = closed(
    {
        **SHARED_CONDITIONS,
        "batch_call_id": TEXT,
        "call_id": one_of(TEXT, enum()),
        # Retell documents these four only, without "registered".
        "call_status": enum("not_connected", "ongoing", "ended", "error"),
        "call_successful": TRUTH,
        "call_type": enum(*CALL_TYPES),
        "dynamic_variables": KEYED_LIST,
        "e2e_latency_p50": AMOUNT,
        "from_number": TEXT,
        "in_voicemail": TRUTH,
        "metadata": KEYED_LIST,
        "to_number": TEXT,
        "tool_calls": {
            "type": "array",
            "items": closed({"name": STRING, "type": STRING, "success": TRUTH, "latency_ms": AMOUNT}),
        },
    }
)

LIST_CALLS = list_body(_FILTER)
