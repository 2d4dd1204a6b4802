"""Shared parts of the checks that create contacts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from airflow_provider_retell.api.contacts import endpoints
from airflow_provider_retell.contract.creation import Creation, deleted
from airflow_provider_retell.contract.findings import SkipError
from airflow_provider_retell.contract.seeing import ask

if TYPE_CHECKING:
    from airflow_provider_retell.api.contacts.models import ContactPage
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

UNKNOWN_ID = "contact_00000000000000000000000000000000"


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
