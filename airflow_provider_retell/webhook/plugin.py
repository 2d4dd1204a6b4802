"""The plugin that puts the receiver into Airflow's API server. Importing it does nothing else."""

from __future__ import annotations

from typing import Any

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin


def apps() -> list[dict[str, Any]]:
    """Return the receiver if it is configured, else nothing."""
    if not conf.getboolean("retell", "webhook_enabled", fallback=False):
        return []
    # Loaded here, so that other processes that read plugins do not pay for it.
    from airflow_provider_retell.webhook.app import WebhookApp
    from airflow_provider_retell.webhook.events import AirflowEvents

    asset = conf.get("retell", "webhook_asset", fallback="")
    if not asset:
        raise ValueError("[retell] webhook_enabled is set, but [retell] webhook_asset names no asset")
    wanted = conf.get("retell", "webhook_events", fallback="call_ended,call_analyzed")
    app = WebhookApp(
        AirflowEvents(
            asset, conf.get("retell", "webhook_airflow_conn_id", fallback="retell_webhook_airflow")
        ),
        conf.get("retell", "webhook_retell_conn_id", fallback="retell_default"),
        frozenset(name.strip() for name in wanted.split(",") if name.strip()),
    )
    return [{"app": app, "url_prefix": "/retell", "name": "Retell webhook"}]


class RetellWebhookPlugin(AirflowPlugin):
    """Serves ``POST /retell/webhook`` if ``[retell] webhook_enabled`` is set. Needs Airflow 3."""

    name = "retell_webhook"
    fastapi_apps = apps()
