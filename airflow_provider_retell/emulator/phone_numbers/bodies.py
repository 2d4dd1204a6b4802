"""The request bodies of the endpoints of phone numbers, as schemas."""

from __future__ import annotations

from airflow_provider_retell.emulator.schema import STRING, Schema, closed

BINDINGS = ("inbound_agents", "outbound_agents", "inbound_sms_agents", "outbound_sms_agents")
"""The fields that bind a number to agents."""

_TEXT: Schema = {"type": ("string", "null")}
_COUNTRIES: Schema = {"type": ("array", "null"), "items": STRING}
_AGENTS: Schema = {
    "type": ("array", "null"),
    "items": closed(
        {
            "agent_id": STRING,
            "weight": {"type": "number", "minimum": 0, "maximum": 1},
            "agent_version": {"type": ("string", "integer")},
        },
        "agent_id",
        "weight",
    ),
}

UPDATE_NUMBER = closed(
    {
        **dict.fromkeys(BINDINGS, _AGENTS),
        "allowed_inbound_country_list": _COUNTRIES,
        "allowed_outbound_country_list": _COUNTRIES,
        "auth_password": STRING,
        "auth_username": STRING,
        "codecs": {"type": "array", "items": STRING},
        "fallback_number": _TEXT,
        "inbound_sms_webhook_url": _TEXT,
        "inbound_webhook_url": _TEXT,
        "nickname": _TEXT,
        "termination_uri": STRING,
        "transport": _TEXT,
    }
)
