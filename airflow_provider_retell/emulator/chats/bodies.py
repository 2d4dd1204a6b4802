"""The request bodies of the chat endpoints, as schemas."""

from __future__ import annotations

from airflow_provider_retell.emulator.calls.vocabulary import (
    DIRECTIONS,
    DISCONNECTION_REASONS,
    SENTIMENTS,
)
from airflow_provider_retell.emulator.calls.vocabulary import STORAGE_SETTINGS as STORAGE_SETTINGS_OF_CALLS
from airflow_provider_retell.emulator.chats.vocabulary import CHAT_STATUSES, CHAT_TYPES, STORAGE_SETTINGS
from airflow_provider_retell.emulator.conditions import AMOUNT, KEYED_LIST, TEXT, TRUTH, enum, one_of
from airflow_provider_retell.emulator.filters import AGENTS, list_body
from airflow_provider_retell.emulator.schema import STRING, closed
from airflow_provider_retell.emulator.updates import CUSTOM_ATTRIBUTES

UPDATE_CHAT = closed(
    {
        "metadata": {"type": "object"},
        "data_storage_setting": {"type": "string", "enum": STORAGE_SETTINGS},
        "custom_attributes": CUSTOM_ATTRIBUTES,
        "override_dynamic_variables": {"type": ("object", "null"), "additionalProperties": STRING},
    }
)

_FILTER = closed(
    {
        "agent": AGENTS,
        "agent_number": TEXT,
        "agent_tag": enum(),
        "chat_id": one_of(TEXT, enum()),
        "chat_status": enum(*CHAT_STATUSES),
        "chat_successful": TRUTH,
        "chat_type": enum(*CHAT_TYPES),
        "combined_cost": AMOUNT,
        "custom_analysis_data": KEYED_LIST,
        "custom_attributes": KEYED_LIST,
        # The filter accepts a setting that no chat can have.
        "data_storage_setting": enum(*STORAGE_SETTINGS_OF_CALLS),
        "direction": enum(*DIRECTIONS),
        "disconnection_reason": enum(*DISCONNECTION_REASONS),
        "duration_ms": AMOUNT,
        "end_timestamp": AMOUNT,
        "start_timestamp": AMOUNT,
        "user_number": TEXT,
        "user_sentiment": enum(*SENTIMENTS),
    }
)

LIST_CHATS = list_body(_FILTER)
