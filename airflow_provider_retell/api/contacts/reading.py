"""Read all contacts, or find one by its phone number.

Phone numbers are in request bodies only, because the paths of requests end up in the logs of proxies.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from airflow_provider_retell.api.contacts.endpoints import list_contacts
from airflow_provider_retell.api.contacts.models import Contact, ContactPage
from airflow_provider_retell.api.errors import BadRequestError, RetellError, UnprocessableError
from airflow_provider_retell.api.paging import Pages
from airflow_provider_retell.api.phone_numbers.e164 import check_e164
from airflow_provider_retell.api.request import Flow

log = logging.getLogger(__name__)

LARGEST_PAGE = 1000
"""The page size to begin with. Retell does not document the largest one, so it is halved if Retell rejects it."""

SMALLEST_PAGE = 10
"""The page size below which a rejection has another reason."""

SEVERAL = "Retell has several contacts with the phone number. Delete all but one in Retell's dashboard"
"""The reason why the contact with a number is ambiguous."""


def read_contacts(take: Callable[[Contact, str], None]) -> Flow[int]:
    """Read all contacts, oldest first, so that contacts that are created in the meantime shift no page.

    :param take: called with each contact, and the reason why it is malformed or ``""``. Retell may list a contact
        twice.
    :return: the smallest ``total`` of the pages, or 0 if no page has one. A complete listing has at least as many
        contacts.
    """
    pages, page = yield from _first_page()
    _take(pages, page, take)
    totals = [page.total]
    for request in pages:
        page = yield request
        _take(pages, page, take)
        totals.append(page.total)
    return min((total for total in totals if total is not None), default=0)


def _take(pages: Pages[ContactPage], page: ContactPage, take: Callable[[Contact, str], None]) -> None:
    for contact in pages.read(page, malformed=True):
        take(contact, page.malformed.get(contact.contact_id, ""))


def _first_page() -> Flow[tuple[Pages[ContactPage], ContactPage]]:
    size = LARGEST_PAGE
    while True:
        pages = Pages(list_contacts, sort_order="asc", limit=size)
        try:
            page: ContactPage = yield next(iter(pages))
        except (BadRequestError, UnprocessableError) as error:
            if size <= SMALLEST_PAGE:
                raise
            log.warning(
                "list-contacts rejects pages of %d contacts (status %d). Next: %d",
                size,
                error.status,
                size // 2,
            )
            size //= 2
        else:
            return pages, page


def find_contact(phone_number: str) -> Flow[Contact | None]:
    """Return the contact with a phone number, or None.

    :param phone_number: the number in E.164 format.
    :raises RetellInputError: if the number is not in E.164 format.
    :raises RetellError: if Retell returns another contact, several contacts or a malformed one.
    """
    check_e164(phone_number, "phone_number")
    condition = {"type": "string", "op": "eq", "value": phone_number}
    page: ContactPage = yield list_contacts(filter_criteria={"phone_number": condition}, limit=2)
    found = [contact for contact in page.items if contact.phone_number == phone_number]
    if len(found) != len(page.items):
        raise RetellError(
            "list-contacts does not filter by phone number as documented. Nothing was changed. Report it to Retell"
        )
    if len({contact.contact_id for contact in found}) > 1:
        raise RetellError(SEVERAL)
    if page.malformed:
        contact_id, fault = next(iter(page.malformed.items()))
        raise RetellError(f"contact {contact_id} is malformed: {fault}. Nothing was changed")
    return found[0] if found else None
