"""What Airflow reads about this package: its connection type, hook, operators and links."""

from __future__ import annotations

from typing import Any

CONNECTION_FORM: dict[str, Any] = {
    "connection-type": "retell",
    "hook-class-name": "airflow_provider_retell.hooks.retell.RetellHook",
    "hook-name": "Retell AI",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port", "login"],
        "relabeling": {"password": "API key", "host": "Base URL (optional)"},
        "placeholders": {"password": "key_...", "host": "https://api.retellai.com"},
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
            "schema": {"type": ["string", "null"], "pattern": r"^\s*\d+\s*/\s*\d+(\.\d+)?\s*s?\s*$"},
        },
    },
}
"""The connection form. Airflow 3.2 and later read it here, older ones from the hook, which reads it here too."""


def get_provider_info() -> dict[str, Any]:
    """Return the package's metadata, for the entry point ``apache_airflow_provider``."""
    integration = "Retell AI"
    return {
        "package-name": "airflow-provider-retell",
        "name": "Retell AI",
        "description": "`Retell AI <https://www.retellai.com/>`__: enrich, read, place and erase voice calls.",
        "integrations": [
            {
                "integration-name": integration,
                "external-doc-url": "https://docs.retellai.com/",
                "tags": ["service"],
            }
        ],
        "connection-types": [CONNECTION_FORM],
        "hooks": [{"integration-name": integration, "python-modules": ["airflow_provider_retell.hooks.retell"]}],
        "operators": [
            {
                "integration-name": integration,
                "python-modules": [
                    "airflow_provider_retell.operators.bulk",
                    "airflow_provider_retell.operators.call",
                ],
}
        ],
        "extra-links": ["airflow_provider_retell.links.retell.RetellCallLink"],
    }
