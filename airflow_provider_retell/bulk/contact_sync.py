"""Contacts, as the resource of a sync: read all of them, compare, create and update, with guards for do-not-call."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from airflow_provider_retell.api.contacts import endpoints
from airflow_provider_retell.api.contacts.changes import (
    CUSTOM,
    DO_NOT_CALL,
    NAMES,
    TAG,
    Fields,
    body_fields,
    clears_do_not_call,
    diff,
    fields_of,
    verify,
)
from airflow_provider_retell.api.contacts.models import Contact
from airflow_provider_retell.api.contacts.reading import find_contact, read_contacts
from airflow_provider_retell.api.errors import RetellError, RetellInputError, RetellStatusError
from airflow_provider_retell.bulk.contact_columns import ContactColumns, ContactReader
from airflow_provider_retell.bulk.digest_set import DigestMap
from airflow_provider_retell.bulk.outcome import Outcome, Result
from airflow_provider_retell.bulk.resource import Applied, Difference, Planned, Resource
from airflow_provider_retell.common.wording import counted

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.bulk.rows import Row
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

log = logging.getLogger(__name__)

KIND = "contact"

# Retell does not document which of these it sends if a contact has the number already.
_EXISTS = frozenset({400, 409, 422})


@dataclass(frozen=True)
class ContactState:
    """A contact in Retell.

    :ivar fields: its present values, by flat name: those that the task names, the do-not-call mark and all tags.
    """

    contact_id: str
    fields: Fields = field(repr=False)


class ContactSync(Resource[ContactState, Fields]):
    """The sync of contacts with rows. The key of a row is its phone number, which is never reported.

    :param hook: an open hook.
    :param columns: the meaning of the rows' columns.
    :param allow_clearing: True to allow the run to clear do-not-call marks.
    :param max_changed_ratio: the largest share of the contacts that the run may update.
    :param fixed_columns: True if all rows of the source have the same columns.
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
        fixed_columns: bool = False,
    ) -> None:
        self._hook = hook
        self._reader = ContactReader(columns, fixed_columns)
        self._names = {name if name in NAMES else CUSTOM + name for name in columns.fields.values()}
        self._allow_clearing = allow_clearing
        self._max_changed_ratio = max_changed_ratio
        # By phone number: the contact as JSON, which takes a tenth of the memory, or the reason why it is unreadable.
        self._contacts: dict[str, bytes | str] = {}
        # 1 for each number that a row opts out, also a row that is invalid as a duplicate.
        self._opted_out = DigestMap()

    async def set_up(self) -> None:
        """Read all contacts."""
        await self._hook.run(read_contacts(self._keep))
        log.info("Retell has %s", counted(len(self._contacts), "contact"))

    def _keep(self, contact: Contact, fault: str) -> None:
        if contact.phone_number in self._contacts:
            fault = (
                "Retell has several contacts with the phone number. Delete all but one in Retell's dashboard"
            )
        if fault:
            self._contacts[contact.phone_number] = fault
            return
        fields = {
            name: value
            for name, value in fields_of(contact).items()
            if name == DO_NOT_CALL or name.startswith(TAG) or name in self._names
        }
        self._contacts[contact.phone_number] = json.dumps([contact.contact_id, fields]).encode()

    @property
    def missing_columns(self) -> list[str]:
        """The columns that the task names and no row had so far; empty until a row could be read."""
        return self._reader.missing_columns

    def check_header(self, names: Collection[str]) -> None:
        """Raise :class:`RetellInputError` if a column that the task names is not among *names*."""
        self._reader.check_header(names)

    def read_row(self, row: Row) -> tuple[str, Fields]:
        """Return the phone number and the wanted fields."""
        number, wanted = self._reader.read(row)
        if wanted.get(DO_NOT_CALL) is True:
            self._opted_out[number] = 1
        return number, wanted

    async def read_states(self, keys: Sequence[str]) -> Mapping[str, ContactState | RetellError | None]:
        """Return the contact with each number."""
        return {key: self._state(key) for key in keys}

    def _state(self, number: str) -> ContactState | RetellError | None:
        kept = self._contacts.get(number)
        if kept is None:
            return None
        if isinstance(kept, str):
            return RetellError(kept)
        return ContactState(*json.loads(kept))

    def plan_row(self, row: int, key: str, state: ContactState | None, wanted: Fields) -> Planned | Result:
        """Return the contact to create, the fields to update, or ``unchanged``."""
        if state is None:
            return ContactCreation(row, key, wanted, self._allow_clearing)
        changed = diff(state.fields, wanted)
        if not changed:
            return Result(row, state.contact_id, "unchanged", kind=KIND)
        return ContactUpdate(row, key, state, wanted, changed)

    def check_plan(self, planned: Sequence[Planned]) -> None:
        """Raise :class:`RetellInputError` if the run would clear marks without permission, or change too much."""
        updates = [each for each in planned if isinstance(each, ContactUpdate)]
        cleared = [each.row for each in updates if each.clears_do_not_call]
        doubtful = [each.row for each in updates if each.clears_do_not_call and self._opted_out[each.number]]
        marked = sum(
            each.wanted.get(DO_NOT_CALL) is True
            for each in planned
            if isinstance(each, (ContactUpdate, ContactCreation)) and DO_NOT_CALL in each.changed
        )
        log.info("do_not_call: %s to mark, %d to clear", counted(marked, "contact"), len(cleared))
        if cleared and not self._allow_clearing:
            raise RetellInputError(
                f"{counted(len(cleared), 'row')} would clear do_not_call of a contact, the first of them row "
                f"{min(cleared)}. Check that the source has all opt-outs, and set allow_clearing_do_not_call=True if "
                "the contacts may be called again"
            )
        if doubtful:
            raise RetellInputError(
                f"row {min(doubtful)} would clear do_not_call of a contact, and another row with the same phone number "
                "sets it. Aggregate the opt-outs of a number in the source"
            )
        contacts = len(self._contacts)
        if len(updates) > self._max_changed_ratio * contacts:
            raise RetellInputError(
                f"{len(updates):,} of {counted(contacts, 'contact')} would be updated, and max_changed_ratio is "
                f"{self._max_changed_ratio:g}. Check the source, or raise max_changed_ratio"
            )

    def record_id(self, key: str) -> str | None:
        """Return the id of the contact with a number, if there is one."""
        state = self._state(key)
        return state.contact_id if isinstance(state, ContactState) else None

    def key(self, record_id: str) -> str | None:
        """Return None: a contact that an earlier run has processed is compared again, which costs no request."""
        return None


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
        fields = body_fields(self.state.fields, self.wanted, self.changed)
        contact = yield endpoints.update_contact(self.record_id, **fields)
        verify(contact, self.wanted)
        return Applied()

    def difference(self) -> Difference:
        """Return the names of the fields, without values: they are private data."""
        return Difference(f"update contact {self.record_id}", self.changed, {}, {})


class ContactCreation(Planned):
    """A new contact.

    :param number: its phone number.
    :param wanted: the values of the row, by flat name.
    :param allow_clearing: True to clear the do-not-call mark if the contact turns out to exist.
    """

    outcome: ClassVar[Outcome] = "created"

    def __init__(self, row: int, number: str, wanted: Fields, allow_clearing: bool) -> None:
        self.row = row
        self.wanted = wanted
        self.changed = diff({}, wanted)
        self._number = number
        self._allow_clearing = allow_clearing

    @property
    def record_id(self) -> None:
        """None: Retell chooses the id."""
        return None

    def apply(self) -> Flow[Applied]:
        """Create the contact and verify the response. If it exists, update it."""
        fields = body_fields({}, self.wanted, self.changed)
        try:
            contact: Contact = yield endpoints.create_contact(phone_number=self._number, **fields)
        except RetellStatusError as rejection:
            if rejection.status not in _EXISTS:
                raise
            found = yield from find_contact(self._number)
            if found is None:
                raise rejection from None
            return (yield from self._update(found))
        verify(contact, self.wanted)
        return Applied(record_id=contact.contact_id)

    def _update(self, contact: Contact) -> Flow[Applied]:
        # The contact was created after the run had read all contacts, or by an earlier attempt whose response was lost.
        current = fields_of(contact)
        if clears_do_not_call(current, self.wanted) and not self._allow_clearing:
            raise RetellError(
                f"contact {contact.contact_id} was created during the run and is marked as do-not-call, and the row "
                "would clear the mark. The contact was not changed. Run the task again"
            )
        changed = diff(current, self.wanted)
        if changed:
            fields = body_fields(current, self.wanted, changed)
            verify((yield endpoints.update_contact(contact.contact_id, **fields)), self.wanted)
        return Applied(record_id=contact.contact_id, outcome="updated" if changed else "unchanged")

    def difference(self) -> Difference:
        """Return the names of the fields, without values."""
        return Difference(f"create the contact of row {self.row}", self.changed or ("phone_number",), {}, {})
