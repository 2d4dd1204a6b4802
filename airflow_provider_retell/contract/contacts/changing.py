"""Checks that create a contact with a fictional number and change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.contacts import endpoints
from airflow_provider_retell.api.errors import DoNotCallError
from airflow_provider_retell.api.status import status_error
from airflow_provider_retell.contract.calls.placing import FROM_NUMBER, PLACE, place
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, SDK, Checks, page
from airflow_provider_retell.contract.contacts.common import creation, with_number
from airflow_provider_retell.contract.findings import CannotTellError, Finding, SkipError, differs, holds
from airflow_provider_retell.contract.flags import Flag
from airflow_provider_retell.contract.seeing import (
    REJECTED,
    ask,
    describe,
    is_success,
    rejection,
    result,
    see,
)

if TYPE_CHECKING:
    from airflow_provider_retell.api.contacts.models import Contact
    from airflow_provider_retell.api.request import Flow, Response
    from airflow_provider_retell.contract.creation import Creation
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

CREATE = Flag(
    "--create-contact",
    "create a contact with the fictional number +1 202 555 0187, change it and delete it; with --place-call and "
    "--from-number, also try to call it, which Retell should reject",
)

CUSTOM_FIELD = Flag(
    "--custom-field",
    "with --create-contact: name of a custom field that takes any text; name two",
    "NAME",
    many=True,
)

_NUMBER = "+12025550187"
_EXISTS = 409


def _create(target: Target) -> Flow[tuple[Creation[str], Response]]:
    """Create a contact that is marked as do-not-call."""
    created = yield from creation(target, _NUMBER)
    request = endpoints.create_contact(phone_number=_NUMBER, do_not_call=True)
    return created, (yield from created.send(request))


def created_contact(target: Target) -> Flow[Contact]:
    """Return the contact that the run has created."""
    _, response = yield from target.once(_create)
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
    contact = yield from created_contact(target)
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
    yield from created_contact(target)
    created, _ = yield from target.once(_create)
    response = yield from created.send(endpoints.create_contact(phone_number=_NUMBER), _EXISTS)
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
    contact = yield from created_contact(target)
    found = yield from with_number(_NUMBER)
    others = sum(item.contact_id != contact.contact_id for item in found.items)
    if others or not found.items:
        return differs(f"{len(found.items)} contacts, {others} of them others")
    return holds("one contact")


@CHECKS.add(
    "contacts.do_not_call_is_rejected",
    assumption="create-phone-call with `honor_internal_dnc` rejects a contact that is marked as do-not-call with 400, "
    "and its message says so.",
    matters='`on_do_not_call="skip"` of CreatePhoneCallOperator recognizes such contacts by this message.',
    source=page("create-phone-call"),
    question="With which message does Retell reject a call to a contact that is marked as do-not-call?",
    otherwise="With another message, the task fails instead of being skipped. If Retell accepts the call, the contact "
    "is called.",
    flags=(CREATE, PLACE, FROM_NUMBER),
)
def do_not_call_is_rejected(target: Target) -> Flow[Finding]:
    """Try to call the contact."""
    yield from created_contact(target)
    response, request = yield from place(
        target, target.values(FROM_NUMBER)[0], _NUMBER, honor_internal_dnc=True
    )
    if is_success(response):
        return differs(describe(response))
    if isinstance(status_error(request, response), DoNotCallError):
        return holds(describe(response))
    # The number may be rejected for another reason.
    raise CannotTellError(f"create-phone-call: {describe(response)}, and another message")


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
    contact = yield from created_contact(target)
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
    "contacts.tags_are_replaced",
    assumption="update-contact replaces all tags of a contact.",
    matters="To change one tag, SyncContactsOperator sends all tags of the contact.",
    source=page("update-contact"),
    otherwise="Rows that remove a tag fail.",
    flags=(CREATE,),
)
def tags_are_replaced(target: Target) -> Flow[Finding]:
    """Give the contact a tag of another contact, then a second one, or none if there is no other."""
    created = yield from created_contact(target)
    listed = yield from ask(endpoints.list_contacts(limit=100))
    known = dict.fromkeys(tag.id for contact in listed.items for tag in contact.contact_tags or ())
    if not known:
        raise SkipError("no contact of the organization has a tag")
    first, *others = known
    tags: list[str] = []
    for wanted in ([first], others[:1]):
        request = endpoints.update_contact(created.contact_id, contact_tag_ids=wanted)
        response = yield from see(request)
        if not is_success(response):
            return differs(describe(response))
        tags = [tag.id for tag in result(request, response).contact_tags or ()]
        if not set(wanted) <= set(tags):
            raise CannotTellError("update-contact: the contact does not have the tag")
    return differs("the first tag remains") if first in tags else holds(f"{len(tags)} tags")


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
    contact = yield from created_contact(target)
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
