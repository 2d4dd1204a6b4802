"""Checks of the deletion of contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.api.contacts import endpoints
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, Checks, page
from airflow_provider_retell.contract.contacts.changing import CREATE, created_contact
from airflow_provider_retell.contract.contacts.common import UNKNOWN_ID
from airflow_provider_retell.contract.findings import CannotTellError, Finding, differs, holds
from airflow_provider_retell.contract.flags import WRITE
from airflow_provider_retell.contract.seeing import (
    NOT_FOUND,
    describe,
    is_success,
    rejection,
    see,
)

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow, Response
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()


@CHECKS.add(
    "contacts.delete_unknown_id",
    assumption="delete-contact rejects an unknown id with 404.",
    matters="DeleteContactsOperator succeeds if the contact is already deleted.",
    source=NOT_DOCUMENTED,
    question="Does the deletion of an unknown contact get 404 or 422?",
    otherwise="400 and 422 have the same meaning. With another status, the row fails.",
    flags=(WRITE,),
    options=("contacts.missing_status",),
)
def delete_unknown_id(_target: Target) -> Flow[Finding]:
    """Delete a contact that does not exist."""
    response = yield from see(endpoints.delete_contact(UNKNOWN_ID))
    handled = (400, *NOT_FOUND) if response.is_json else ()
    return rejection(response, 404, handled, "contacts.missing_status")


def _delete(target: Target) -> Flow[tuple[str, Response]]:
    """Delete the contact once; return its id and the response."""
    contact = yield from created_contact(target)
    response: Response = yield from see(endpoints.delete_contact(contact.contact_id))
    return contact.contact_id, response


def _deleted(target: Target) -> Flow[str]:
    """Return the id of the contact after it was deleted."""
    contact_id, response = yield from target.once(_delete)
    if not is_success(response):
        raise CannotTellError(f"delete-contact: {describe(response)}")
    return contact_id


@CHECKS.add(
    "contacts.delete_succeeds",
    assumption="delete-contact returns 204.",
    matters="DeleteContactsOperator deletes contacts.",
    source=page("delete-contact"),
    otherwise="The package accepts any 2xx status. With another status, the row fails.",
    flags=(CREATE,),
)
def delete_succeeds(target: Target) -> Flow[Finding]:
    """Delete the contact."""
    _, response = yield from target.once(_delete)
    if response.status == 204:
        return holds("204")
    return differs(describe(response), handled=is_success(response) or response.status == 400)


@CHECKS.add(
    "contacts.deleted_contact_is_gone",
    assumption="get-contact rejects a deleted contact with 404 or 422 immediately.",
    matters="If Retell rejects a deletion, DeleteContactsOperator reads the contact to find out whether it exists.",
    source=NOT_DOCUMENTED,
    question="Does get-contact reject a deleted contact immediately?",
    otherwise="A repeated deletion fails, because the contact seems to exist.",
    flags=(CREATE,),
)
def deleted_contact_is_gone(target: Target) -> Flow[Finding]:
    """Read the contact that was deleted."""
    response = yield from see(endpoints.get_contact((yield from _deleted(target))))
    return holds(describe(response)) if response.status in NOT_FOUND else differs(describe(response))


@CHECKS.add(
    "contacts.second_deletion_is_rejected",
    assumption="delete-contact rejects a deleted contact with 404 or 422.",
    matters="DeleteContactsOperator succeeds if the contact is already deleted.",
    source=NOT_DOCUMENTED,
    question="Which status does the second deletion of a contact get?",
    otherwise="With 400 or a 2xx status, the row succeeds. With another status, it fails.",
    flags=(CREATE,),
)
def second_deletion_is_rejected(target: Target) -> Flow[Finding]:
    """Delete the contact again."""
    response = yield from see(endpoints.delete_contact((yield from _deleted(target))))
    if response.status in NOT_FOUND:
        return holds(describe(response))
    return differs(describe(response), handled=is_success(response) or response.status == 400)
