"""Contacts, as the resource of a sync: read all of them, compare, create and update, with guards for do-not-call."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from airflow_provider_retell.api.contacts.changes import (
    CUSTOM,
    DO_NOT_CALL,
    NAMES,
    OTHER_CUSTOM,
    TAG,
    UNKNOWN_TAGS,
    Fields,
    diff,
    fields_of,
)
from airflow_provider_retell.api.contacts.models import Contact
from airflow_provider_retell.api.contacts.reading import SEVERAL, read_contacts
from airflow_provider_retell.api.errors import RetellError, RetellResponseError
from airflow_provider_retell.bulk.contacts.changes import ContactCreation, ContactState, ContactUpdate
from airflow_provider_retell.bulk.contacts.columns import ContactColumns, ContactReader, InvalidContactError
from airflow_provider_retell.bulk.contacts.guards import ContactGuards
from airflow_provider_retell.bulk.outcome import Outcome, Result
from airflow_provider_retell.bulk.resource import Planned, Resource
from airflow_provider_retell.common.wording import counted

if TYPE_CHECKING:
    from airflow_provider_retell.bulk.rows import Row
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

log = logging.getLogger(__name__)

KIND = "contact"


class ContactSync(Resource[ContactState, Fields]):
    """The sync of contacts with rows. The key of a row is its phone number, which is never reported.

    :param allow_clearing: True to allow the run to clear do-not-call marks.
    :param max_changed_ratio: the largest share of the contacts that the run may update.
    """

    kind = KIND
    key_name = "phone number"
    outcomes: ClassVar[tuple[Outcome, ...]] = (
        "created",
        "updated",
        "unchanged",
        "not_found",
        "invalid",
        "failed",
    )
    guarded = True

    def __init__(
        self,
        hook: RetellAsyncHook,
        columns: ContactColumns,
        *,
        allow_clearing: bool,
        max_changed_ratio: float,
    ) -> None:
        self._hook = hook
        self._reader = ContactReader(columns)
        self.named_columns = self._reader.named_columns
        self._names = {name if name in NAMES else CUSTOM + name for name in columns.fields.values()}
        self._names_custom = any(name.startswith(CUSTOM) for name in self._names)
        self.guards = ContactGuards(allow_clearing, max_changed_ratio)
        # By phone number, as JSON, which takes a tenth of the memory: the id of the contact, and its fields or the
        # reason why it is unreadable. The id is null if several contacts have the number.
        self._contacts: dict[str, bytes] = {}
        self._listed = 0

    async def set_up(self) -> None:
        """Read all contacts.

        :raises RetellResponseError: if Retell lists fewer contacts than it counts.
        """
        self._listed = 0
        total = await self._hook.run(read_contacts(self._keep))
        if self._listed < total:
            raise RetellResponseError(
                f"list-contacts has {self._listed:,} of {counted(total, 'contact')}. Rows cannot be compared with an "
                "incomplete list. Run the task again; if the error persists, report it to Retell"
            )
        self.guards.contacts = len(self._contacts)
        log.info("Retell has %s", counted(len(self._contacts), "contact"))

    def _keep(self, contact: Contact, fault: str) -> None:
        number, contact_id = contact.phone_number, contact.contact_id
        kept = self._contacts.get(number)
        # Retell may list a contact twice. The later one is the newer.
        if kept is None or json.loads(kept)[0] != contact_id:
            self._listed += 1
            if kept is not None:
                self._contacts[number] = json.dumps([None, SEVERAL]).encode()
                return
        fields = {} if fault else fields_of(contact)
        shown = {
            name: value
            for name, value in fields.items()
            if name in (DO_NOT_CALL, UNKNOWN_TAGS) or name.startswith(TAG) or name in self._names
        }
        if self._names_custom and any(name.startswith(CUSTOM) for name in fields.keys() - shown.keys()):
            shown[OTHER_CUSTOM] = True
        self._contacts[number] = json.dumps([contact_id, fault or shown]).encode()

    def read_row(self, row: Row) -> tuple[str, Fields]:
        """Return the phone number and the wanted fields."""
        try:
            number, wanted = self._reader.read(row)
        except InvalidContactError as invalid:
            if invalid.opts_out and invalid.key is not None:
                self.guards.opt_out(invalid.key)
            raise
        if wanted.get(DO_NOT_CALL) is True:
            self.guards.opt_out(number)
        return number, wanted

    async def read_states(self, keys: Sequence[str]) -> Mapping[str, ContactState | RetellError | None]:
        """Return the contact with each number."""
        return {key: self._state(key) for key in keys}

    def _state(self, number: str) -> ContactState | RetellError | None:
        kept = self._contacts.get(number)
        if kept is None:
            return None
        contact_id, fields = json.loads(kept)
        return RetellError(fields) if isinstance(fields, str) else ContactState(contact_id, fields)

    def plan_row(self, row: int, key: str, state: ContactState | None, wanted: Fields) -> Planned | Result:
        """Return the contact to create, the fields to update, or ``unchanged``."""
        if state is None:
            return ContactCreation(row, key, wanted, self.guards)
        changed = diff(state.fields, wanted)
        if not changed:
            return Result(row, state.contact_id, "unchanged", kind=KIND)
        return ContactUpdate(row, key, state, wanted, changed)

    def check_plan(self, planned: Sequence[Planned]) -> None:
        """Raise :class:`GuardError` if the run would clear marks without permission, or change too much."""
        updates = [each for each in planned if isinstance(each, ContactUpdate)]
        self.guards.check_plan(
            planned=len(planned),
            updates=len(updates),
            marked=sum(
                each.wanted.get(DO_NOT_CALL) is True
                for each in planned
                if isinstance(each, (ContactUpdate, ContactCreation)) and DO_NOT_CALL in each.changed
            ),
            cleared={each.row: each.number for each in updates if each.clears_do_not_call},
        )

    def record_id(self, key: str) -> str | None:
        """Return the id of the contact with a number, if there is one."""
        state = self._state(key)
        return state.contact_id if isinstance(state, ContactState) else None
