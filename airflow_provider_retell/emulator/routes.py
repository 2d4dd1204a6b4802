"""Which method and path means which endpoint, and what each asks of the key, the quota and the body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from airflow_provider_retell.emulator import batch, bodies, endpoints, listing, placing, updates
from airflow_provider_retell.emulator.errors import Answer
from airflow_provider_retell.emulator.organization import Organization

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.schema import Schema

Endpoint = Callable[[Organization, str, Any], Answer]


@dataclass(frozen=True)
class Route:
    """``path`` ends in a slash when a call id follows.

    ``permission``: the group and level a restricted key needs; None for any key. Which group guards which
    endpoint is our reading of Retell's description of the groups.
    """

    name: str
    method: str
    path: str
    endpoint: Endpoint | None
    permission: tuple[str, str] | None = None
    limiter: str = "general"
    schema: Schema | None = None
    body_optional: bool = False


ROUTES = (
    Route("get-call", "GET", "/v2/get-call/", endpoints.get_call, ("history", "read")),
    Route(
        "update-call",
        "PATCH",
        "/v2/update-call/",
        updates.update_call,
        ("history", "edit"),
        schema=bodies.UPDATE_CALL,
    ),
    Route(
        "update-live-call",
        "PATCH",
        "/v2/update-live-call/",
        updates.update_live_call,
        ("call", "edit"),
        schema=bodies.UPDATE_LIVE_CALL,
    ),
    Route(
        "list-calls",
        "POST",
        "/v3/list-calls",
        listing.list_calls,
        ("history", "read"),
        limiter="list",
        schema=bodies.LIST_CALLS,
        body_optional=True,
    ),
    Route(
        "create-phone-call",
        "POST",
        "/v2/create-phone-call",
        placing.create_phone_call,
        ("call", "edit"),
        limiter="call",
        schema=bodies.CREATE_PHONE_CALL,
    ),
    Route(
        "create-batch-call",
        "POST",
        "/create-batch-call",
        batch.create_batch_call,
        ("call", "edit"),
        limiter="call",
        schema=bodies.CREATE_BATCH_CALL,
    ),
    Route("stop-call", "POST", "/v2/stop-call/", endpoints.stop_call, ("call", "edit")),
    Route("delete-call", "DELETE", "/v2/delete-call/", endpoints.delete_call, ("history", "edit")),
    Route(
        "rerun-call-analysis",
        "PUT",
        "/rerun-call-analysis/",
        endpoints.rerun_call_analysis,
        ("history", "edit"),
    ),
    Route("get-concurrency", "GET", "/get-concurrency", endpoints.get_concurrency),
    # No endpoint: it is answered where the key is known, not only its organization.
    Route("get-api-key-info", "GET", "/get-api-key-info", None),
)

ROUTE_NAMES = frozenset(route.name for route in ROUTES)

_BY_PATH = {(route.method, route.path): route for route in ROUTES}


def match(method: str, target: str) -> tuple[Route | None, str]:
    """Return the route and call id of a request line, or (None, "") when there is no such route."""
    path = target.partition("?")[0]
    route = _BY_PATH.get((method, path))
    if route is not None:
        # A path that ends where the id should follow is no route.
        return (None, "") if path.endswith("/") else (route, "")
    head, slash, call_id = path.rpartition("/")
    route = _BY_PATH.get((method, head + slash))
    return (None, "") if route is None else (route, unquote(call_id))
