"""Complete listing of the organization's phone numbers."""

from __future__ import annotations

from airflow_provider_retell.api.paging import read_all
from airflow_provider_retell.api.phone_numbers import endpoints
from airflow_provider_retell.api.phone_numbers.models import PhoneNumber
from airflow_provider_retell.api.request import Flow


def list_phone_numbers() -> Flow[list[PhoneNumber]]:
    """Read all phone numbers of the organization, page by page."""
    return read_all(endpoints.list_phone_numbers)
