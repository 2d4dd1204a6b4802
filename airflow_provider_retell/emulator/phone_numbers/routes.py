"""The routes of the endpoints of phone numbers."""

from __future__ import annotations

from airflow_provider_retell.emulator.phone_numbers import bodies, endpoints
from airflow_provider_retell.emulator.routing import Route

ROUTES = (
    Route(
        "get-phone-number",
        "GET",
        "/get-phone-number/{phone_number}",
        endpoints.get_number,
        ("phone", "read"),
    ),
    Route(
        "update-phone-number",
        "PATCH",
        "/update-phone-number/{phone_number}",
        endpoints.update_number,
        ("phone", "edit"),
        schema=bodies.UPDATE_NUMBER,
    ),
    Route(
        "list-phone-numbers",
        "GET",
        "/v2/list-phone-numbers",
        endpoints.list_numbers,
        ("phone", "read"),
        limiter="list",
    ),
)
