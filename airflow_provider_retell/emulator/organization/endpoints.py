"""The endpoints that describe the organization of a key: its concurrency and its identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.emulator.responses import ApiError, Response, json_response
from airflow_provider_retell.emulator.routing import Request, Routes

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.organization.organization import Organization

ROUTES = Routes()

_BASE_CONCURRENCY = 20
_PURCHASE_LIMIT = 100


@ROUTES.add("GET", "/get-concurrency")
def get_concurrency(org: Organization, _: Request) -> Response:
    """Return the number of live calls and its limit. Limits above 20 count as purchased; bursts are off."""
    base = min(org.concurrency, _BASE_CONCURRENCY)
    purchased = org.concurrency - base
    most = max(_PURCHASE_LIMIT, purchased)
    return json_response(
        200,
        {
            "current_concurrency": org.call_backend.store.live_count(),
            "concurrency_limit": org.concurrency,
            "base_concurrency": base,
            "purchased_concurrency": purchased,
            "concurrency_purchase_limit": most,
            "remaining_purchase_limit": most - purchased,
            "concurrency_burst_enabled": False,
            "concurrency_burst_limit": 0,
            "reserved_inbound_concurrency": 0,
        },
    )


@ROUTES.add("GET", "/get-api-key-info")
def get_api_key_info(org: Organization, request: Request) -> Response:
    """Return the organization of the key, and the key's name if it has one."""
    key = request.key
    if key is None or not key.api_key_info:
        raise ApiError(403, "Forbidden")
    info = {"org_id": org.org_id, "org_name": org.name}
    if key.name is not None:
        info["api_key_name"] = key.name
    return json_response(200, info)
