"""What Airflow reads about this package: its connection type, hook, operators and links."""

from __future__ import annotations

from typing import Any

_RATE = {"type": ["string", "null"], "pattern": r"^\s*[1-9]\d*\s*/\s*\d+(\.\d+)?\s*s?\s*$"}

CONNECTION_FORM: dict[str, Any] = {
    "connection-type": "retell",
    "hook-class-name": "airflow_provider_retell.hooks.retell.RetellHook",
    "hook-name": "Retell AI",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "login"],
        "relabeling": {"password": "API key", "host": "Base URL (optional)", "port": "Port (optional)"},
        "placeholders": {
            "password": "key_...",
            "host": "https://api.retellai.com",
            # Airflow 3.3.2 answers the Test button with "Bad Request" for every stored connection without a port.
            "port": "443 (Test needs it in Airflow 3.3)",
        },
    },
    "conn-fields": {
        "timeout": {
            "label": "Timeout (s)",
            "description": "Seconds without a byte from Retell before a request fails. Default: 60.",
            "schema": {"type": ["integer", "null"], "minimum": 1, "maximum": 600},
        },
        "connect_timeout": {
            "label": "Connect timeout (s)",
            "description": "Seconds to reach Retell before a request fails. Default: 10.",
            "schema": {"type": ["integer", "null"], "minimum": 1, "maximum": 120},
        },
        "quota": {
            "label": "Quota",
            "description": (
                "Requests per seconds that your plan allows on each route, such as 100/10. Default: 100/10, "
                "Retell's documented quota. Listing calls and placing calls have quotas of their own."
            ),
            "schema": _RATE,
        },
        "list_quota": {
            "label": "Quota of lists",
            "description": "Lists per seconds, such as 30/10. Default: 15/10, the smallest that Retell documents.",
            "schema": _RATE,
        },
    },
}
"""The connection form. Airflow 3.2 and later read it here, older ones from the hook, which reads it here too."""


_INTEGRATION = "Retell AI"


def _modules(*names: str) -> dict[str, Any]:
    modules = [f"airflow_provider_retell.{name}" for name in names]
    return {"integration-name": _INTEGRATION, "python-modules": modules}


CONFIG: dict[str, Any] = {
    "description": (
        "The name of this Airflow, and the receiver of Retell's webhooks, a plugin app of the API server that needs "
        "Airflow 3."
    ),
    "options": {
        "deployment": {
            "description": (
                "A name for this Airflow. Give each its own if several run the same DAGs on one Retell organization: "
                "else one takes the calls that another has placed for its own."
            ),
            "version_added": "0.1.0",
            "type": "string",
            "example": "staging",
            "default": "",
        },
        "webhook_enabled": {
            "description": "Serve POST /retell/webhook. Requests that Retell has not signed get 401.",
            "version_added": "0.1.0",
            "type": "boolean",
            "example": "True",
            "default": "False",
        },
        "webhook_retell_conn_id": {
            "description": "The connection whose API key signs the webhooks (the key with the webhook badge).",
            "version_added": "0.1.0",
            "type": "string",
            "example": None,
            "default": "retell_default",
        },
        "webhook_asset": {
            "description": "Name of the asset that gets an event for each call.",
            "version_added": "0.1.0",
            "type": "string",
            "example": "retell_calls",
            "default": "",
        },
        "webhook_events": {
            "description": "Which of Retell's events count, separated by commas.",
            "version_added": "0.1.0",
            "type": "string",
            "example": "call_analyzed",
            "default": "call_ended,call_analyzed",
        },
        "webhook_airflow_conn_id": {
            "description": (
                "The connection to this Airflow's own REST API, through which events are made: host with scheme and "
                "port, and a login with password, or a token as password alone."
            ),
            "version_added": "0.1.0",
            "type": "string",
            "example": None,
            "default": "retell_webhook_airflow",
        },
    },
}
"""What ``airflow.cfg`` may say in the section ``[retell]``."""


def get_provider_info() -> dict[str, Any]:
    """Return the package's metadata, for the entry point ``apache_airflow_provider``."""
    return {
        "package-name": "airflow-provider-retell",
        "name": "Retell AI",
        "description": "`Retell AI <https://www.retellai.com/>`__: enrich, read, place and erase voice calls.",
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": "https://docs.retellai.com/",
                "tags": ["service"],
            }
        ],
        "connection-types": [CONNECTION_FORM],
        "hooks": [_modules("hooks.retell")],
        "operators": [
            _modules(
                "operators.bulk",
                "operators.call",
                "operators.lifecycle",
                "operators.listing",
                "operators.place",
            )
        ],
        "sensors": [_modules("sensors.call")],
        "triggers": [_modules("triggers.call", "triggers.call_event")],
        "notifications": ["airflow_provider_retell.notifications.phone_call.PhoneCallNotifier"],
        "config": {"retell": CONFIG},
        "extra-links": ["airflow_provider_retell.links.retell.RetellCallLink"],
    }
