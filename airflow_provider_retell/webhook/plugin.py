"""The Airflow plugin that adds the webhook receiver to the API server.

All of Airflow's processes import this module, so it imports nothing else of this package.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

log = logging.getLogger(__name__)

# The events that Retell sends once per call.
_EVENT_NAMES = {"call_started", "call_ended", "call_analyzed"}


def apps() -> list[dict[str, Any]]:
    """Return the receiver's app if ``[retell] webhook_enabled`` is set, otherwise an empty list.

    :raises ValueError: if a setting is missing or invalid.
    """
    if not conf.getboolean("retell", "webhook_enabled", fallback=False):
        return []
    if not hasattr(AirflowPlugin, "fastapi_apps"):
        log.error("[retell] webhook_enabled is set, but the webhook receiver needs Airflow 3")
        return []
    if not conf.get("retell", "webhook_asset", fallback=""):
        raise ValueError(
            "[retell] webhook_asset must be the name of an asset, because [retell] webhook_enabled is set"
        )
    _event_names()
    return [{"app": receive, "url_prefix": "/retell", "name": "Retell webhook"}]


async def receive(*request: Any) -> None:
    """Pass a request to the receiver. The first request loads it, so that other processes do not."""
    await _receiver()(*request)


@functools.cache
def _receiver() -> Any:
    from airflow_provider_retell.webhook.app import WebhookApp
    from airflow_provider_retell.webhook.events import AirflowEvents

    events = AirflowEvents(
        conf.get("retell", "webhook_asset"),
        conf.get("retell", "webhook_airflow_conn_id", fallback="retell_webhook_airflow"),
    )
    conn_id = conf.get("retell", "webhook_retell_conn_id", fallback="retell_default")
    return WebhookApp(events, conn_id, _event_names())


def _event_names() -> frozenset[str]:
    text = conf.get("retell", "webhook_events", fallback="call_ended,call_analyzed")
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    if not names or names - _EVENT_NAMES:
        raise ValueError(
            f"[retell] webhook_events must name at least one of {', '.join(sorted(_EVENT_NAMES))}, and no others; "
            f"got {text!r}"
        )
    return names


class RetellWebhookPlugin(AirflowPlugin):
    """Serves ``POST /retell/webhook`` if ``[retell] webhook_enabled`` is set. Needs Airflow 3.

    Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/events.html
    """

    name = "retell_webhook"
    fastapi_apps = apps()
