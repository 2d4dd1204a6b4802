"""The endpoints of the organization. Each function returns a :class:`Request`."""

from __future__ import annotations

from airflow_provider_retell.api.organization.models import ApiKeyInfo, Concurrency
from airflow_provider_retell.api.request import Request, request_to


def get_concurrency() -> Request[Concurrency]:
    """Read the organization's concurrency limit and the number of ongoing calls.

    API: https://docs.retellai.com/api-references/get-concurrency
    """
    return request_to("GET", "/get-concurrency", Concurrency.read)


def get_api_key_info() -> Request[ApiKeyInfo]:
    """Read the organization and the name of this API key."""
    return request_to("GET", "/get-api-key-info", ApiKeyInfo.read)
