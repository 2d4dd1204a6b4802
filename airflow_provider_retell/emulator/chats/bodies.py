"""The request bodies of the chat endpoints, as schemas."""

from __future__ import annotations

from airflow_provider_retell.emulator.calls.vocabulary import DIRECTIONS, SENTIMENTS
from airflow_provider_retell.emulator.chats.vocabulary import CHAT_STATUSES, CHAT_TYPES, STORAGE_SETTINGS
from airflow_provider_retell.emulator.conditions import AMOUNT, KEYED_LIST, TEXT, TRUTH, enum, one_of
from airflow_provider_retell.emulator.paging import MAX_PAGE
from airflow_provider_retell.emulator.schema import BOOLEAN, STRING, closed

UPDATE_CHAT = closed(
    {
        "metadata": {"type": "object"},
        "data_storage_setting": {"type": "string", "enum": STORAGE_SETTINGS},
        "custom_attributes": {
            "type": "object",
            "additionalProperties": {"type": ("string", "number", "boolean")},
        },
        "override_dynamic_variables": {"type": ("object", "null"), "additionalProperties": STRING},
    }
)

_FILTER = closed(
    {
        "agent": {
            "type": "array",
            "items": closed(
                {"agent_id": STRING, "version": {"type": "array", "items": {"type": "number"}}}, "agent_id"
            ),
        },
        "agent_number": TEXT,
        "agent_tag": enum(),
        "chat_id": one_of(TEXT, enum()),
        "chat_status": enum(*CHAT_STATUSES),
        "chat_successful": TRUTH,
        "chat_type": enum(*CHAT_TYPES),
        "combined_cost": AMOUNT,
        "custom_analysis_data": KEYED_LIST,
        "custom_attributes": KEYED_LIST,
        "data_storage_setting": enum(),
        "direction": enum(*DIRECTIONS),
        "disconnection_reason": enum(),
        "duration_ms": AMOUNT,
        "end_timestamp": AMOUNT,
        "start_timestamp": AMOUNT,
        "user_number": TEXT,
        "user_sentiment": enum(*SENTIMENTS),
    }
)

LIST_CHATS = closed(
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
