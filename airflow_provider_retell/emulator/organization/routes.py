"""The routes of the organization's endpoints."""

from __future__ import annotations

from airflow_provider_retell.emulator.organization import endpoints
from airflow_provider_retell.emulator.routing import Route

ROUTES = (
    Route("get-concurrency", "GET", "/get-concurrency", endpoints.get_concurrency),
    Route("get-api-key-info", "GET", "/get-api-key-info", endpoints.get_api_key_info),
)
