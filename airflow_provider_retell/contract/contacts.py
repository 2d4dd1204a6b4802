"""Checks of contacts. Those that change something create a contact with a fictional number, and delete it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.contacts import endpoints
from airflow_provider_retell.api.contacts.reading import LARGEST_PAGE, SMALLEST_PAGE
from airflow_provider_retell.contract.check import (
    NOT_DOCUMENTED,
    SDK,
    CannotTellError,
    Checks,
    Finding,
    Flag,
    SkipError,
    differs,
    holds,
    page,
)
from airflow_provider_retell.contract.seeing import (
    REJECTED,
    ask,
    delete_if_there,
    describe,
    documented,
    fields_of,
    is_success,
    rejection,
    result,
    see,
    unknown,
)

if TYPE_CHECKING:
    from airflow_provider_retell.api.contacts.models import Contact, ContactPage
    from airflow_provider_retell.api.request import Flow, Response
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

CREATE = Flag(
    "--create-contact",
    "create a contact with the fictional number +1 202 555 0187, change it and delete it",
)

CUSTOM_FIELD = Flag(
    "--custom-field",
    "with --create-contact: name of a custom field that takes any text; name two",
    "NAME",
    many=True,
)

_NUMBER = "+12025550187"
_UNKNOWN_ID = "contact_00000000000000000000000000000000"
_EXISTS = 409


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
    return (yield from unknown(endpoints.get_contact(_UNKNOWN_ID), 404, "contacts.missing_status"))


def with_number(number: str) -> Flow[ContactPage]:
    """Return the contacts with a number, at most two."""
    condition = {"type": "string", "op": "eq", "value": number}
    return (yield from ask(endpoints.list_contacts(filter_criteria={"phone_number": condition}, limit=2)))


def _create(target: Target) -> Flow[Response]:
    """Create a contact that is marked as do-not-call."""
    if any(contact.phone_number == _NUMBER for contact in (yield from with_number(_NUMBER)).items):
        raise SkipError("the organization has a contact with the fictional number")
    response: Response = yield from see(endpoints.create_contact(phone_number=_NUMBER, do_not_call=True))
    contact_id = fields_of(response).get("contact_id")
    if is_success(response) and isinstance(contact_id, str):
        target.clean_up(
            partial(delete_if_there, endpoints.get_contact(contact_id), endpoints.delete_contact(contact_id)),
            "the contact with the number +1 202 555 0187 could not be deleted: delete it in Retell's dashboard",
        )
    return response


def _created(target: Target) -> Flow[Contact]:
    response = yield from target.once(_create)
    return result(endpoints.create_contact(phone_number=_NUMBER), response)


@CHECKS.add(
    "contacts.create_returns_contact",
    assumption="create-contact returns the contact with the do-not-call mark that was sent.",
    matters="SyncContactsOperator verifies the response.",
    source=SDK,
    otherwise="The row fails.",
    flags=(CREATE,),
)
def create_returns_contact(target: Target) -> Flow[Finding]:
    """Create a contact."""
    contact = yield from _created(target)
    if contact.phone_number != _NUMBER:
        return differs("another phone_number")
    return holds("do_not_call is true") if contact.do_not_call else differs("do_not_call is not true")


@CHECKS.add(
    "contacts.existing_number",
    assumption="create-contact rejects the number of an existing contact with 409.",
    matters="SyncContactsOperator updates a contact that was created during the run.",
    source=NOT_DOCUMENTED,
    question="What does create-contact respond if a contact has the number?",
    otherwise="400 and 422 have the same meaning. If Retell accepts the number, there are two contacts.",
    flags=(CREATE,),
    options=("contacts.existing_status",),
)
def existing_number(target: Target) -> Flow[Finding]:
    """Create a second contact with the same number."""
    yield from _created(target)
    response = yield from see(endpoints.create_contact(phone_number=_NUMBER), _EXISTS)
    return rejection(response, _EXISTS, REJECTED, "contacts.existing_status")


@CHECKS.add(
    "contacts.list_by_number",
    assumption="list-contacts finds a new contact by its number, and no others.",
    matters="DeleteContactsOperator deletes the contacts that it finds by number.",
    source=page("list-contacts"),
    otherwise="The row fails, and nothing is deleted. A contact that is not found is reported as `not_found`.",
    flags=(CREATE,),
)
def list_by_number(target: Target) -> Flow[Finding]:
    """List the contacts with the number."""
    contact = yield from _created(target)
    found = yield from with_number(_NUMBER)
    others = sum(item.contact_id != contact.contact_id for item in found.items)
    if others or not found.items:
        return differs(f"{len(found.items)} contacts, {others} of them others")
    return holds("one contact")


@CHECKS.add(
    "contacts.update_returns_contact",
    assumption="update-contact clears the do-not-call mark and returns the contact.",
    matters="SyncContactsOperator verifies the response.",
    source=SDK,
    otherwise="The row fails.",
    flags=(CREATE,),
)
def update_returns_contact(target: Target) -> Flow[Finding]:
    """Clear the mark of the contact."""
    contact = yield from _created(target)
    request = endpoints.update_contact(contact.contact_id, do_not_call=False)
    response = yield from see(request)
    if not is_success(response):
        return differs(describe(response))
    updated = result(request, response)
    if updated.contact_id != contact.contact_id:
        raise CannotTellError("update-contact: another contact")
    return (
        differs("do_not_call is still true")
        if updated.do_not_call
        else holds("do_not_call is false or absent")
    )


@CHECKS.add(
    "contacts.custom_fields_merged",
    assumption="update-contact keeps custom fields that the request does not contain.",
    matters="Updates send all custom fields that the contact has, with the new values.",
    source=NOT_DOCUMENTED,
    question="Does update-contact replace or merge custom fields?",
    otherwise="Nothing changes, except with the hook's `update_contact`: it sends only the given fields, and the "
    "contact loses the others.",
    flags=(CREATE, CUSTOM_FIELD),
    options=("contacts.custom_fields_semantics",),
)
def custom_fields_merged(target: Target) -> Flow[Finding]:
    """Set two custom fields of the contact, one after the other."""
    contact = yield from _created(target)
    names = list(dict.fromkeys(target.values(CUSTOM_FIELD)))
    if len(names) < 2:
        raise SkipError("needs two different --custom-field")
    first, second = names[:2]
    shown: dict[str, Any] = {}
    for name in (first, second):
        yield from ask(endpoints.update_contact(contact.contact_id, custom_fields={name: "merged"}))
        changed: Contact = yield from ask(endpoints.get_contact(contact.contact_id))
        shown = changed.custom_fields or {}
        if shown.get(name) != "merged":
            raise CannotTellError("get-contact does not show the custom field")
    if first in shown:
        return holds("both", options={"contacts.custom_fields_semantics": "merge"})
    return differs("the second only", handled=True, options={"contacts.custom_fields_semantics": "replace"})
