"""The routes of the call endpoints."""

from __future__ import annotations

from airflow_provider_retell.emulator.calls import bodies, endpoints, listing, placing, updates
from airflow_provider_retell.emulator.routing import Route

ROUTES = (
    Route("get-call", "GET", "/v2/get-call/{call_id}", endpoints.get_call, ("history", "read")),
    Route(
        "update-call",
        "PATCH",
        "/v2/update-call/{call_id}",
        updates.update_call,
        ("history", "edit"),
        schema=bodies.UPDATE_CALL,
    ),
    Route(
        "update-live-call",
        "PATCH",
        "/v2/update-live-call/{call_id}",
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
        placing.create_batch_call,
        ("call", "edit"),
        limiter="call",
        schema=bodies.CREATE_BATCH_CALL,
    ),
    Route("stop-call", "POST", "/v2/stop-call/{call_id}", endpoints.stop_call, ("call", "edit")),
    Route("delete-call", "DELETE", "/v2/delete-call/{call_id}", endpoints.delete_call, ("history", "edit")),
    Route(
        "rerun-call-analysis",
        "PUT",
        "/rerun-call-analysis/{call_id}",
        endpoints.rerun_call_analysis,
        ("history", "edit"),
    ),
)
