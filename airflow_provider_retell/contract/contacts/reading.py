"""Checks of contacts that only read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.api.contacts import endpoints
from airflow_provider_retell.api.contacts.reading import LARGEST_PAGE, SMALLEST_PAGE
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, Checks, page
from airflow_provider_retell.contract.contacts.common import UNKNOWN_ID
from airflow_provider_retell.contract.findings import Finding, SkipError, differs, holds
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
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()


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
