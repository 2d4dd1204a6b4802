"""The changes of a sync of contacts: the update of a contact, and a new contact."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from airflow_provider_retell.api.contacts import endpoints
from airflow_provider_retell.api.contacts.changes import (
    Fields,
    body_fields,
    changes_tags,
    clears_do_not_call,
    diff,
    fields_of,
    needs_custom_fields,
    sent_fields,
    verify,
)
from airflow_provider_retell.api.contacts.models import Contact
from airflow_provider_retell.api.contacts.reading import find_contact
from airflow_provider_retell.api.errors import RetellStatusError
from airflow_provider_retell.bulk.contacts.guards import ContactGuards
from airflow_provider_retell.bulk.outcome import Outcome
from airflow_provider_retell.bulk.resource import Applied, Difference, Planned

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow

# Retell does not document which of these it sends if a contact has the number already.
_EXISTS = frozenset({400, 409, 422})


@dataclass(frozen=True)
class ContactState:
    """A contact in Retell.

    :ivar fields: its present values, by flat name: those that the task names, the do-not-call mark and all tags. Of
        other custom fields, it shows only that there are some.
    """

    contact_id: str
    fields: Fields = field(repr=False)


@dataclass(frozen=True)
class ContactUpdate(Planned):
    """The update of a contact.

    :ivar number: the phone number, which must not be reported.
    :ivar state: the contact before the update.
    :ivar wanted: the values of the row, by flat name.
    """

    row: int
    number: str = field(repr=False)
    state: ContactState
    wanted: Fields = field(repr=False)
    changed: tuple[str, ...]

    @property
    def record_id(self) -> str:
        """The id of the contact."""
        return self.state.contact_id

    @property
    def clears_do_not_call(self) -> bool:
        """True if the update clears the do-not-call mark."""
        return clears_do_not_call(self.state.fields, self.wanted)

    def apply(self) -> Flow[Applied]:
        """Send the fields that differ and verify the response."""
        yield from _update(self.record_id, self.state.fields, self.wanted, self.changed)
        return Applied()

    def difference(self) -> Difference:
        """Return the names of the fields, without values: they are private data."""
        return Difference(f"update contact {self.record_id}", self.changed, {}, {})


class ContactCreation(Planned):
    """A new contact.

    :param number: its phone number.
    :param wanted: the values of the row, by flat name.
    :param guards: the guards of the run, in case the contact turns out to exist.
    """

    outcome: ClassVar[Outcome] = "created"
    record_id = None  # Retell chooses it

    def __init__(self, row: int, number: str, wanted: Fields, guards: ContactGuards) -> None:
        self.row = row
        self.wanted = wanted
        self.changed = diff({}, wanted)
        self.number = number
        self._guards = guards

    def apply(self) -> Flow[Applied]:
        """Create the contact and verify the response. If it exists, update it."""
        fields = body_fields({}, self.wanted, self.changed)
        try:
            contact: Contact = yield endpoints.create_contact(phone_number=self.number, **fields)
        except RetellStatusError as rejection:
            if rejection.status not in _EXISTS:
                raise
            found = yield from find_contact(self.number)
            if found is None:
                raise rejection from None
            return (yield from self._update(found))
        self._guards.created += 1
        verify(contact, self.wanted)
        return Applied(record_id=contact.contact_id)

    def _update(self, contact: Contact) -> Flow[Applied]:
        # The contact was created after the run had read all contacts, or by an earlier attempt whose response was lost.
        current = fields_of(contact)
        self._guards.check_mark(self.number, contact.contact_id, current, self.wanted)
        changed = diff(current, self.wanted)
        if changed:
            self._guards.add_late_update()
            yield from _update(contact.contact_id, current, self.wanted, changed)
        return Applied(record_id=contact.contact_id, outcome="updated" if changed else "unchanged")

    def difference(self) -> Difference:
        """Return the names of the fields, without values."""
        return Difference(f"create the contact of row {self.row}", self.changed or ("phone_number",), {}, {})


def _update(contact_id: str, current: Fields, wanted: Fields, changed: tuple[str, ...]) -> Flow[None]:
    """Send the fields that differ and verify the response.

    :param current: the contact as the run has read it.
    """
    if changes_tags(changed) or needs_custom_fields(current, wanted, changed):
        # The request has all tags and custom fields. Others may have changed them since the run has read the contact.
        current = fields_of((yield endpoints.get_contact(contact_id)))
    fields = body_fields(current, wanted, changed)
    request = endpoints.update_contact(contact_id, **fields).masking(dict(current))
    verify((yield request), {**sent_fields(fields), **wanted})
