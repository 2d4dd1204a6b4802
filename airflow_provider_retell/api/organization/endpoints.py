"""The endpoints of the organization. Each function returns a :class:`Request`."""

from __future__ import annotations

from airflow_provider_retell.api.organization.models import ApiKeyInfo, Concurrency
from airflow_provider_retell.api.request import Request


def get_concurrency() -> Request[Concurrency]:
    """Read the organization's concurrency limit and the number of ongoing calls.

    API: https://docs.retellai.com/api-references/get-concurrency
    """
    return Request(
        operation="get-concurrency",
        method="GET",
        path="/get-concurrency",
        parse=Concurrency.read,
    )


def get_api_key_info() -> Request[ApiKeyInfo]:
    """Read the organization and the name of this API key."""
    return Request(
        operation="get-api-key-info",
        method="GET",
        path="/get-api-key-info",
        parse=ApiKeyInfo.read,
    )
