"""The request bodies of the chat endpoints, as schemas."""

from __future__ import annotations

from airflow_provider_retell.emulator.calls.bodies import SHARED_CONDITIONS
from airflow_provider_retell.emulator.chats.vocabulary import CHAT_STATUSES, CHAT_TYPES, STORAGE_SETTINGS
from airflow_provider_retell.emulator.conditions import TEXT, TRUTH, enum, one_of
from airflow_provider_retell.emulator.filters import list_body
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
        # The condition on data_storage_setting accepts one that no chat can have.
        **SHARED_CONDITIONS,
        "agent_number": TEXT,
        "chat_id": one_of(TEXT, enum()),
        "chat_status": enum(*CHAT_STATUSES),
        "chat_successful": TRUTH,
        "chat_type": enum(*CHAT_TYPES),
        "user_number": TEXT,
    }
)

LIST_CHATS = list_body(_FILTER)
