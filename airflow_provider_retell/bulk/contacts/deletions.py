"""Contacts, as the resource of a deletion by phone number."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from airflow_provider_retell.api.contacts import endpoints
from airflow_provider_retell.api.contacts.models import Contact
from airflow_provider_retell.api.errors import (
    BadRequestError,
    NotFoundError,
    RetellError,
    RetellResponseError,
    UnprocessableError,
)
from airflow_provider_retell.bulk.contacts.columns import ContactColumns, ContactReader
from airflow_provider_retell.bulk.outcome import Outcome, Result
from airflow_provider_retell.bulk.read_each import read_each
from airflow_provider_retell.bulk.resource import Applied, Difference, Planned, Resource

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.bulk.rows import Row
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

KIND = "contact"

_MISSING = "no contact has the phone number"
_MARKED = (
    "the contact is marked as do-not-call, and the mark would be deleted with it. Set "
    "allow_deleting_do_not_call=True if another system blocks calls to the number"
)


class ContactDeletions(Resource[Contact, None]):
    """The deletion of contacts. The key of a row is its phone number, which is never reported.

    :param allow_do_not_call: True to delete contacts that are marked as do-not-call too.
    """

    kind = KIND
    key_name = "phone number"
    outcomes: ClassVar[tuple[Outcome, ...]] = ("deleted", "not_found", "invalid", "conflict", "failed")
    guarded = True

    def __init__(self, hook: RetellAsyncHook, column: str, *, allow_do_not_call: bool) -> None:
        self._hook = hook
        self._reader = ContactReader(ContactColumns(phone_number=column))
        self.named_columns = self._reader.named_columns
        self._allow_do_not_call = allow_do_not_call

    def read_row(self, row: Row) -> tuple[str, None]:
        """Return the phone number."""
        return self._reader.read(row)[0], None

    async def read_states(self, keys: Sequence[str]) -> Mapping[str, Contact | RetellError | None]:
        """Find the contact with each number, with one request per number."""
        return await read_each(keys, self._hook.find_contact)

    def plan_row(self, row: int, key: str, state: Contact | None, wanted: None) -> Planned | Result:
        """Return the deletion, or the result of a row without a contact."""
        if state is None:
            return Result(row, None, "not_found", _MISSING, kind=KIND)
        if state.do_not_call and not self._allow_do_not_call:
            return Result(row, state.contact_id, "conflict", _MARKED, kind=KIND)
        private = json.dumps([state.first_name, state.last_name, state.custom_fields])
        return ContactDeletion(row, state.contact_id, self._allow_do_not_call, private)

    def record_id(self, key: str) -> str | None:
        """Return None: the number must not be reported."""
        return None


@dataclass(frozen=True)
class ContactDeletion(Planned):
    """The deletion of a contact.

    :ivar allow_do_not_call: False to keep a contact that was marked as do-not-call after it was found.
    :ivar private: the contact's names and custom fields as JSON. Retell's reason for a refusal may quote them.
    """

    outcome: ClassVar[Outcome] = "deleted"

    row: int
    contact_id: str
    allow_do_not_call: bool
    private: str = field(repr=False)
    changed: tuple[str, ...] = ()

    @property
    def record_id(self) -> str:
        """The id of the contact."""
        return self.contact_id

    def apply(self) -> Flow[Applied]:
        """Delete the contact, if it is not marked or the task may delete marks.

        :raises UnprocessableError: if the contact still exists. Retell's status does not distinguish an unknown id
            from a refusal.
        """
        if not self.allow_do_not_call:
            # The contacts of all rows were found before, which takes hours for many rows.
            contact = yield from self._read()
            if contact is None:
                return Applied(outcome="not_found", reason=_MISSING)
            if contact.do_not_call:
                return Applied(outcome="conflict", reason=_MARKED)
        try:
            yield endpoints.delete_contact(self.contact_id).masking(json.loads(self.private))
        except (BadRequestError, NotFoundError) as refusal:
            if (yield from self._read()) is None:
                return Applied()
            detail = (
                f"{refusal.status}: {refusal.detail.rstrip('.')}" if refusal.detail else f"{refusal.status}"
            )
            raise UnprocessableError(
                f"contact {self.contact_id} still exists: Retell refused to delete it ({detail}). Check the contact in "
                "Retell's dashboard, then run this task again",
                status=refusal.status,
                detail=refusal.detail,
            ) from refusal
        return Applied()

    def _read(self) -> Flow[Contact | None]:
        """Return the contact, or None if Retell has none with its id."""
        try:
            contact: Contact = yield endpoints.get_contact(self.contact_id)
        except NotFoundError as missing:
            # Retell always gives a reason. JSON without one is the answer of another server.
            if not missing.detail:
                raise RetellResponseError(str(missing)) from None
            return None
        return contact

    def difference(self) -> Difference:
        """Return the contact's id."""
        return Difference(f"delete contact {self.contact_id}", ("the whole contact",), {}, {})
