"""Checks of contacts that only read, and the contacts with fictional numbers that other checks create."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from airflow_provider_retell.api.contacts import endpoints
from airflow_provider_retell.api.contacts.reading import LARGEST_PAGE, SMALLEST_PAGE
from airflow_provider_retell.contract.check import (
    NOT_DOCUMENTED,
    Checks,
    Finding,
    SkipError,
    differs,
    holds,
    page,
)
from airflow_provider_retell.contract.creation import Creation, deleted
from airflow_provider_retell.contract.seeing import (
    REJECTED,
    ask,
    describe,
    documented,
    is_success,
    see,
    unknown,
)

if TYPE_CHECKING:
    from airflow_provider_retell.api.contacts.models import ContactPage
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

UNKNOWN_ID = "contact_00000000000000000000000000000000"


@CHECKS.add(
    "contacts.list_has_documented_form",
    assumption="list-contacts returns `items`, `has_more` and `total`, with the documented types.",
    matters="SyncContactsOperator reads all contacts.",
    source=page("list-contacts"),
    otherwise="A row whose contact is malformed fails. Without `items`, the task fails. Without `total`, an incomplete "
    "listing is noticed only when a contact that it lacks is created.",
)
def list_has_documented_form(_target: Target) -> Flow[Finding]:
    """List contacts."""
    found = yield from documented(endpoints.list_contacts(limit=10))
    if found.malformed:
        return differs(f"{len(found.malformed)} contacts", handled=True)
    return (
        holds("items, has_more and total") if found.total is not None else differs("no total", handled=True)
    )


@CHECKS.add(
    "contacts.list_has_tags",
    assumption="list-contacts and get-contact return `contact_tags` for every contact, also without tags.",
    matters="SyncContactsOperator must know the tags that it keeps.",
    source=NOT_DOCUMENTED,
    question="Do contacts without tags have an empty list of tags, or no `contact_tags`?",
    otherwise="Missing in listings: the operator reads each contact to compare its tags. Missing in both: rows that "
    "change a tag of such a contact fail.",
)
def list_has_tags(_target: Target) -> Flow[Finding]:
    """List contacts, and read one whose tags are missing in the listing."""
    found = yield from ask(endpoints.list_contacts(limit=100))
    if not found.items:
        raise SkipError("the organization has no contacts")
    missing = [contact for contact in found.items if contact.contact_tags is None]
    if not missing:
        return holds(f"{len(found.items)} contacts")
    contact = yield from ask(endpoints.get_contact(missing[0].contact_id))
    seen = f"{len(missing)} of {len(found.items)} listed contacts have no contact_tags"
    if contact.contact_tags is None:
        return differs(f"{seen}, and get-contact does not return them either")
    return differs(seen, handled=True)


@CHECKS.add(
    "contacts.largest_page",
    assumption=f"list-contacts accepts a limit of {LARGEST_PAGE:,}.",
    matters="SyncContactsOperator reads all contacts with as few requests as possible.",
    source=NOT_DOCUMENTED,
    question="How many contacts can a page of list-contacts have?",
    otherwise="The operator halves the limit until Retell accepts it.",
    options=("contacts.max_page",),
)
def largest_page(_target: Target) -> Flow[Finding]:
    """List contacts with a large limit, and with half of it if it is rejected."""
    size = LARGEST_PAGE
    response = yield from see(endpoints.list_contacts(limit=size))
    while response.status in REJECTED and size > SMALLEST_PAGE:
        size //= 2
        response = yield from see(endpoints.list_contacts(limit=size))
    if not is_success(response):
        return differs(describe(response))
    options = {"contacts.max_page": size}
    if size == LARGEST_PAGE:
        return holds(f"{size:,}", options=options)
    return differs(f"{size}", handled=True, options=options)


@CHECKS.add(
    "contacts.unknown_id",
    assumption="get-contact rejects an unknown id with 404.",
    matters="DeleteContactsOperator distinguishes a deleted contact from a refusal.",
    source=NOT_DOCUMENTED,
    question="Does an unknown contact get 404 or 422?",
    otherwise="422 has the same meaning. With another status, the row fails.",
    options=("contacts.missing_status",),
)
def unknown_id(_target: Target) -> Flow[Finding]:
    """Read a contact that does not exist."""
    return (yield from unknown(endpoints.get_contact(UNKNOWN_ID), 404, "contacts.missing_status"))


def with_number(number: str) -> Flow[ContactPage]:
    """Return the contacts with a number, at most two."""
    condition = {"type": "string", "op": "eq", "value": number}
    return (yield from ask(endpoints.list_contacts(filter_criteria={"phone_number": condition}, limit=2)))


def creation(target: Target, number: str, *, search: bool = False) -> Flow[Creation[str]]:
    """Return the contacts with a fictional number that the run creates, after registering their deletion.

    :param search: as in :class:`~.creation.Creation`.
    :raises SkipError: if there is a contact with the number.
    """
    if (yield from _ids_with(number)):
        raise SkipError("the organization has a contact with the fictional number")
    created = Creation("contact_id", partial(_ids_with, number), _delete, search=search)
    spaced = f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}"
    target.clean_up(
        created.undo_all,
        f"a contact with the number {spaced} may still exist: delete it in Retell's dashboard",
    )
    return created


def _ids_with(number: str) -> Flow[list[str]]:
    # A server that ignores the filter lists other contacts.
    found = yield from with_number(number)
    return [contact.contact_id for contact in found.items if contact.phone_number == number]


def _delete(contact_id: str) -> Flow[bool]:
    return deleted(endpoints.delete_contact(contact_id), endpoints.get_contact(contact_id))
