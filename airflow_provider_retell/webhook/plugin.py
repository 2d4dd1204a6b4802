"""The plugin that puts the receiver into Airflow's API server. Importing it does nothing else."""

from __future__ import annotations

import functools
import logging
from typing import Any

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

log = logging.getLogger(__name__)

_EVENTS = {"call_started", "call_ended", "call_analyzed"}  # those that come once for a call


def apps() -> list[dict[str, Any]]:
    """Return the receiver if it is configured, else nothing."""
    if not conf.getboolean("retell", "webhook_enabled", fallback=False):
        return []
    if not hasattr(AirflowPlugin, "fastapi_apps"):
        log.error("[retell] webhook_enabled is set, but the receiver of webhooks needs Airflow 3")
        return []
    if not conf.get("retell", "webhook_asset", fallback=""):
        raise ValueError("[retell] webhook_enabled is set, but [retell] webhook_asset names no asset")
    _wanted()
    return [{"app": receive, "url_prefix": "/retell", "name": "Retell webhook"}]


async def receive(*request: Any) -> None:
    """Hand a request to the receiver. It is loaded by the first: every process of Airflow reads plugins."""
    await _receiver()(*request)


@functools.cache
def _receiver() -> Any:
    from airflow_provider_retell.webhook.app import WebhookApp
    from airflow_provider_retell.webhook.events import AirflowEvents

    events = AirflowEvents(
        conf.get("retell", "webhook_asset"),
        conf.get("retell", "webhook_airflow_conn_id", fallback="retell_webhook_airflow"),
    )
    return WebhookApp(
        events, conf.get("retell", "webhook_retell_conn_id", fallback="retell_default"), _wanted()
    )


def _wanted() -> frozenset[str]:
    text = conf.get("retell", "webhook_events", fallback="call_ended,call_analyzed")
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    if not names or names - _EVENTS:
        raise ValueError(f"[retell] webhook_events names some of {', '.join(sorted(_EVENTS))}, not {text!r}")
    return names


class RetellWebhookPlugin(AirflowPlugin):
    """Serves ``POST /retell/webhook`` if ``[retell] webhook_enabled`` is set. Needs Airflow 3."""

    name = "retell_webhook"
    fastapi_apps = apps()
