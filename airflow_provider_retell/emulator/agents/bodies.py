"""The request bodies of the agent endpoints, as schemas. Of an agent's settings only the names are checked."""

from __future__ import annotations

from airflow_provider_retell.emulator.agents.vocabulary import AGENT_FIELDS, CHANNELS, CHAT_AGENT_FIELDS
from airflow_provider_retell.emulator.schema import BOOLEAN, STRING, Schema, closed

_VERSION: Schema = {"type": "integer", "minimum": 0}
_ENGINE: Schema = {"type": "object", "additionalProperties": True}

UPDATE_AGENT = closed({name: {} for name in AGENT_FIELDS} | {"response_engine": _ENGINE})
UPDATE_CHAT_AGENT = closed({name: {} for name in CHAT_AGENT_FIELDS} | {"response_engine": _ENGINE})

LIST_AGENTS = closed(
    {
        "filter_criteria": closed(
            {
                "channel": closed(
                    {
                        "type": {"type": "string", "enum": ("string",)},
                        "op": {"type": "string", "enum": ("eq", "ne", "sw", "ew", "co")},
                        "value": {"type": "string", "enum": CHANNELS},
                    },
                    "type",
                    "op",
                    "value",
                ),
                "is_transfer_agent": closed(
                    {
                        "type": {"type": "string", "enum": ("boolean",)},
                        "op": {"type": "string", "enum": ("eq",)},
                        "value": BOOLEAN,
                    },
                    "type",
                    "op",
                    "value",
                ),
                "query": STRING,
            }
        )
    }
)

CREATE_VERSION = closed({"base_version": _VERSION}, "base_version")

PUBLISH_VERSION = closed(
    {"version": _VERSION, "version_title": STRING, "version_description": STRING}, "version"
)
