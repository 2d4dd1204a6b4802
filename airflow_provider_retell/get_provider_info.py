"""The metadata that Airflow reads: connection type, configuration, hooks, operators and so on."""

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
            # In Airflow 3.3.2, "Test" fails with "Bad Request" for every stored connection without a port.
            "port": "443 (required by Test in Airflow 3.3)",
        },
    },
    "conn-fields": {
        "timeout": {
            "label": "Timeout (seconds)",
            "description": "How long a request waits for data from Retell before it fails. Default: 60.",
            "schema": {"type": ["integer", "null"], "minimum": 1, "maximum": 600},
        },
        "connect_timeout": {
            "label": "Connect timeout (seconds)",
            "description": "How long a request waits for a connection to Retell before it fails. Default: 10.",
            "schema": {"type": ["integer", "null"], "minimum": 1, "maximum": 120},
        },
        "quota": {
            "label": "Quota (requests/seconds)",
            "description": (
                "The requests that your plan allows on each route, such as 200/10 for 200 requests in 10 seconds. "
                "Default: 100/10. Listing calls and placing calls have their own quotas."
            ),
            "schema": _RATE,
        },
        "list_quota": {
            "label": "List quota (requests/seconds)",
            "description": (
                "The requests that your plan allows for listing calls, such as 60/10 for 60 requests in 10 seconds. "
                "Default: 30/10."
            ),
            "schema": _RATE,
        },
    },
}
"""The connection form. Airflow 3.2 and later read it here, and older versions read it through the hook."""


_INTEGRATION = "Retell AI"


def _modules(*names: str) -> dict[str, Any]:
    modules = [f"airflow_provider_retell.{name}" for name in names]
    return {"integration-name": _INTEGRATION, "python-modules": modules}


def _option(description: str, *, example: str | None, default: str, kind: str = "string") -> dict[str, Any]:
    return {
        "description": description,
        "version_added": "0.1.0",
        "type": kind,
        "example": example,
        "default": default,
    }


CONFIG: dict[str, Any] = {
    "description": (
        "The name of this Airflow deployment, the report page, and the receiver of Retell's webhooks. The last two "
        "belong to a plugin of the API server. The page requires Airflow 3.1, and the receiver Airflow 3."
    ),
    "options": {
        "deployment": _option(
            "The name of this Airflow deployment. If several deployments run the same DAGs in one Retell "
            "organization, give each a different name. Otherwise they take each other's calls for their own.",
            example="staging",
            default="",
        ),
        "report_page": _option(
            "Serve GET /retell/report, a page that shows the result of bulk tasks. It contains no data: it reads "
            "the XComs of a task from Airflow's REST API, with the session and the permissions of the user.",
            example="False",
            default="True",
            kind="boolean",
        ),
        "webhook_enabled": _option(
            "Serve POST /retell/webhook. Requests without a valid signature of Retell are rejected with status 401.",
            example="True",
            default="False",
            kind="boolean",
        ),
        "webhook_retell_conn_id": _option(
            "The connection with the API key that signs the webhooks: the key with the webhook badge in Retell's "
            "dashboard.",
            example=None,
            default="retell_default",
        ),
        "webhook_asset": _option(
            "The name of the asset that gets an event for each call.",
            example="retell_calls",
            default="",
        ),
        "webhook_chat_asset": _option(
            "The name of the asset that gets an event for each chat. Without it, events of chats are ignored.",
            example="retell_chats",
            default="",
        ),
        "webhook_events": _option(
            "The webhook events that create asset events, separated by commas.",
            example="call_analyzed",
            default="call_ended,call_analyzed,chat_ended,chat_analyzed",
        ),
        "webhook_airflow_conn_id": _option(
            "The connection to this Airflow's own REST API, which creates the asset events: the URL as host, and "
            "either a login and a password, or a token as the password.",
            example=None,
            default="retell_webhook_airflow",
        ),
    },
}
"""The options in the section ``[retell]`` of ``airflow.cfg``."""


def get_provider_info() -> dict[str, Any]:
    """Return the package's metadata, for the entry point ``apache_airflow_provider``."""
    return {
        "package-name": "airflow-provider-retell",
        "name": "Retell AI",
        # The URL comes last, because the Providers page takes punctuation after it for a part of it.
        "description": "Update, export, place and delete the voice calls of `Retell AI <https://www.retellai.com/>`__.",
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": "https://docs.retellai.com/",
                "tags": ["service"],
            }
        ],
        "connection-types": [CONNECTION_FORM],
        "hooks": [_modules("hooks.airflow_api", "hooks.retell")],
        "operators": [
            _modules(
                "operators.agent",
                "operators.agent_snapshot",
                "operators.approval",
                "operators.batch_call",
                "operators.bulk",
                "operators.bulk_chat",
                "operators.call",
                "operators.chat",
                "operators.delete_contacts",
                "operators.import_contacts",
                "operators.knowledge_base",
                "operators.list_calls",
                "operators.list_chats",
                "operators.live_call",
                "operators.phone_call",
                "operators.recordings",
                "operators.simulation",
                "operators.sync_contacts",
                "operators.sync_test_cases",
            )
        ],
        "sensors": [
            _modules("sensors.call", "sensors.chat", "sensors.concurrency", "sensors.knowledge_base")
        ],
        "triggers": [
            _modules(
                "triggers.call",
                "triggers.call_event",
                "triggers.chat",
                "triggers.chat_event",
                "triggers.concurrency",
                "triggers.knowledge_base",
                "triggers.simulation",
            )
        ],
        "notifications": ["airflow_provider_retell.notifications.phone_call.PhoneCallNotifier"],
        "task-decorators": [
            {
                "name": "retell_bulk_update",
                "class-name": "airflow_provider_retell.decorators.bulk_update.retell_bulk_update",
            }
        ],
        "config": {"retell": CONFIG},
        "extra-links": [
            "airflow_provider_retell.links.report.RetellReportLink",
            "airflow_provider_retell.links.retell.RetellAgentLink",
            "airflow_provider_retell.links.retell.RetellCallLink",
        ],
    }
