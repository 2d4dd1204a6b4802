"""The endpoints of phone numbers, each a function that checks its arguments and returns a :class:`Request`.

Messages contain the last four digits of a number only. Field meanings: https://docs.retellai.com/api-references.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from airflow_provider_retell.api.body import build_patch
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.phone_numbers.models import PhoneNumber, PhoneNumberPage, last_digits
from airflow_provider_retell.api.request import Request, request_to


def get_phone_number(phone_number: str) -> Request[PhoneNumber]:
    """Read a phone number of the organization and the agents that it is bound to.

    API: https://docs.retellai.com/api-references/get-phone-number

    :param phone_number: the number in E.164 format.
    """
    return Request(
        operation="get-phone-number",
        method="GET",
        path=f"/get-phone-number/{_quoted(phone_number)}",
        parse=PhoneNumber.read,
        subject=f"phone number …{last_digits(phone_number)}",
    )


def update_phone_number(phone_number: str, changes: Mapping[str, Any]) -> Request[PhoneNumber]:
    """Change a phone number of the organization, for example its agents.

    API: https://docs.retellai.com/api-references/update-phone-number

    :param phone_number: the number in E.164 format.
    :param changes: the fields to set. The others stay as they are. A list of agents replaces the whole list, and its
        weights must add up to 1.
    :raises RetellInputError: if an argument is invalid.
    """
    path = f"/update-phone-number/{_quoted(phone_number)}"
    subject = f"phone number …{last_digits(phone_number)}"
    return Request(
        operation="update-phone-number",
        method="PATCH",
        path=path,
        body=build_patch(f"update-phone-number of {subject}", changes),
        parse=PhoneNumber.read,
        subject=subject,
    )


def list_phone_numbers(
    *, sort_order: str | None = None, limit: int | None = None, pagination_key: str | None = None
) -> Request[PhoneNumberPage]:
    """Read one page of the organization's phone numbers.

    API: https://docs.retellai.com/api-references/list-phone-numbers

    :param sort_order: ``"ascending"`` or ``"descending"``.
    :param limit: numbers per page.
    :param pagination_key: the key from the previous page.
    """
    page = {"limit": limit, "pagination_key": pagination_key, "sort_order": sort_order}
    return request_to("GET", "/v2/list-phone-numbers", PhoneNumberPage.read, query=page)


def _quoted(phone_number: object) -> str:
    if not isinstance(phone_number, str) or not phone_number.strip():
        raise RetellInputError("phone_number must be text, and not empty")
    return quote(phone_number, safe="")
