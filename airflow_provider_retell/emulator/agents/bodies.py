"""The request bodies of the agent endpoints, as schemas. Of an agent's settings only the names are checked."""

from __future__ import annotations

from airflow_provider_retell.emulator.agents.vocabulary import AGENT_FIELDS, CHANNELS, CHAT_AGENT_FIELDS
from airflow_provider_retell.emulator.conditions import TEXT_OPS, TRUTH, condition
from airflow_provider_retell.emulator.schema import STRING, Schema, closed

_VERSION: Schema = {"type": "integer", "minimum": 0}
_ENGINE: Schema = {"type": "object", "additionalProperties": True}

UPDATE_AGENT = closed({name: {} for name in AGENT_FIELDS} | {"response_engine": _ENGINE})
UPDATE_CHAT_AGENT = closed({name: {} for name in CHAT_AGENT_FIELDS} | {"response_engine": _ENGINE})

LIST_AGENTS = closed(
    {
        "filter_criteria": closed(
            {
                "channel": condition("string", TEXT_OPS, {"type": "string", "enum": CHANNELS}),
                "is_transfer_agent": TRUTH,
                "query": STRING,
            }
        )
    }
)

CREATE_VERSION = closed({"base_version": _VERSION}, "base_version")

PUBLISH_VERSION = closed(
    {"version": _VERSION, "version_title": STRING, "version_description": STRING}, "version"
)
