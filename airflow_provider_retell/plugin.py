"""The Airflow plugin: the report page and the receiver of webhooks, in the API server.

All of Airflow's processes import this module, so it loads the apps with their first request.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

from airflow_provider_retell._compat.features import supports_applies_to, supports_fastapi_apps
from airflow_provider_retell.report_page.address import PREFIX, is_enabled, url_template

log = logging.getLogger(__name__)

OPERATORS = [
    "ArchiveRecordingsOperator",
    "BulkUpdateCallOperator",
    "BulkUpdateChatOperator",
    "DeleteContactsOperator",
    "ImportContactsOperator",
    "SyncContactsOperator",
    "@task.retell_bulk_update",
]
"""The operators whose tasks have a report page, by the names that Airflow shows."""

# The events that Retell sends once per call or chat.
_EVENT_NAMES = {f"{noun}_{event}" for noun in ("call", "chat") for event in ("started", "ended", "analyzed")}
_DEFAULT_EVENTS = "call_ended,call_analyzed,chat_ended,chat_analyzed"


def apps() -> list[dict[str, Any]]:
    """Return the app for the enabled parts: the report page and the receiver of webhooks.

    :raises ValueError: if a setting of the receiver is missing or invalid.
    """
    receives_webhooks = conf.getboolean("retell", "webhook_enabled", fallback=False)
    if not supports_fastapi_apps():
        if receives_webhooks:
            log.error("[retell] webhook_enabled is set, but the webhook receiver needs Airflow 3")
        return []
    if receives_webhooks:
        _assets()  # raises the error if a setting is missing or invalid
        return [{"app": serve, "url_prefix": PREFIX, "name": "Retell"}]
    # The page needs no check of each request.
    return [{"app": serve_page, "url_prefix": PREFIX, "name": "Retell"}] if is_enabled() else []


def views() -> list[dict[str, Any]]:
    """Return the tab of task instances (Airflow 3.4). Older versions would show it for the tasks of all operators."""
    if not (is_enabled() and supports_applies_to()):
        return []
    return [
        {
            "name": "Retell report",
            "href": url_template(),
            "destination": "task_instance",
            "url_route": "retell-report",
            "applies_to": {"operator_name": OPERATORS},
        }
    ]


async def serve(scope: dict[str, Any], *channels: Any) -> None:
    """Pass a request to the report page or to the receiver."""
    from airflow_provider_retell.report_page.app import is_page

    if is_enabled() and is_page(scope):
        await serve_page(scope, *channels)
    else:
        await _receiver()(scope, *channels)


async def serve_page(scope: dict[str, Any], *channels: Any) -> None:
    """Pass a request to the report page."""
    await _page()(scope, *channels)


@functools.cache
def _page() -> Any:
    from airflow_provider_retell.report_page.app import ReportPage

    return ReportPage()


@functools.cache
def _receiver() -> Any:
    from airflow_provider_retell.webhook.app import WebhookApp
    from airflow_provider_retell.webhook.events import AirflowEvents

    airflow_conn_id = conf.get("retell", "webhook_airflow_conn_id", fallback="retell_webhook_airflow")
    by_event = _assets()
    by_asset = {asset: AirflowEvents(asset, airflow_conn_id) for asset in set(by_event.values())}
    conn_id = conf.get("retell", "webhook_retell_conn_id", fallback="retell_default")
    return WebhookApp({name: by_asset[asset] for name, asset in by_event.items()}, conn_id)


def _assets() -> dict[str, str]:
    """Return the asset by the name of each webhook event to accept: events of calls or chats that have an asset."""
    assets = {
        "call": conf.get("retell", "webhook_asset", fallback=""),
        "chat": conf.get("retell", "webhook_chat_asset", fallback=""),
    }
    by_event = {name: asset for name in _event_names() if (asset := assets[name.partition("_")[0]])}
    if not by_event:
        raise ValueError(
            "[retell] webhook_asset must be the name of an asset for calls, or [retell] webhook_chat_asset that of an "
            "asset for chats, because [retell] webhook_enabled is set; [retell] webhook_events must name events of the "
            "same kind"
        )
    return by_event


def _event_names() -> frozenset[str]:
    text = conf.get("retell", "webhook_events", fallback=_DEFAULT_EVENTS)
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    if not names or names - _EVENT_NAMES:
        raise ValueError(
            f"[retell] webhook_events must name at least one of {', '.join(sorted(_EVENT_NAMES))}, and no others; "
            f"got {text!r}"
        )
    return names


class RetellPlugin(AirflowPlugin):
    """Serves ``GET /retell/report``, and ``POST /retell/webhook`` if ``[retell] webhook_enabled`` is set.

    The report page needs Airflow 3.1, the receiver needs Airflow 3.

    Guides: https://airflow-provider-retell.github.io/airflow-provider-retell/bulk.html,
    https://airflow-provider-retell.github.io/airflow-provider-retell/events.html
    """

    name = "retell"
    fastapi_apps = apps()
    external_views = views()
