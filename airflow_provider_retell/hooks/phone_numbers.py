"""Methods of the hooks for the organization's phone numbers."""

from __future__ import annotations

from airflow_provider_retell.api.phone_numbers import endpoints, listings
from airflow_provider_retell.hooks.endpoint import Endpoint, Steps


class PhoneNumberMethods:
    """The endpoints of phone numbers. ``list_phone_numbers`` reads all pages."""

    get_phone_number = Endpoint(endpoints.get_phone_number)
    update_phone_number = Endpoint(endpoints.update_phone_number)
    list_phone_numbers_page = Endpoint(endpoints.list_phone_numbers)
    list_phone_numbers = Steps(listings.list_phone_numbers)
