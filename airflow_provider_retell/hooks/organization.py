"""Hook methods for the organization and its API key."""

from __future__ import annotations

from airflow_provider_retell.api.organization import endpoints
from airflow_provider_retell.hooks.endpoint import Endpoint


class OrganizationMethods:
    """The endpoints of the organization."""

    get_concurrency = Endpoint(endpoints.get_concurrency)
    get_api_key_info = Endpoint(endpoints.get_api_key_info)
