"""Contacts, as the resource of an import: the rows that differ go into CSV files, and are compared after the import.

Retell only counts the rows that it cannot import. Reading the contacts again shows which rows they are.

A file has a do-not-call column only if it marks all of its contacts, so an import can never clear a mark, also not one
that was set in the meantime. Marks are cleared one by one, if the task may do so.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from airflow_provider_retell.api.contacts import endpoints
from airflow_provider_retell.api.contacts.changes import CUSTOM, DO_NOT_CALL, NAMES, Fields, diff, verify
from airflow_provider_retell.api.errors import RetellError, UpdateMismatchError
from airflow_provider_retell.bulk.contacts.changes import ContactCreation, ContactState, ContactUpdate
from airflow_provider_retell.bulk.contacts.contact_sync import KIND, ContactSync
from airflow_provider_retell.bulk.contacts.csv_files import ContactFile, as_cell
from airflow_provider_retell.bulk.contacts.import_jobs import ImportBusyError, ImportJobs
from airflow_provider_retell.bulk.errors import GuardError, InvalidRowError
from airflow_provider_retell.bulk.outcome import Result
from airflow_provider_retell.bulk.resource import Applied, Planned

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.bulk.contacts.columns import ContactColumns
    from airflow_provider_retell.bulk.rows import Row
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

log = logging.getLogger(__name__)

MARKING, OTHER = "do_not_call", "other"
"""The files: the rows that set a do-not-call mark, and all other rows."""

# How often the contacts are read after an import, if more rows differ than Retell counts as failed.
_READS = 3
# How often the task tries to start an import, if other clients are faster.
_STARTS = 5

_REASON = "Retell does not give the reason. Run SyncContactsOperator with the same rows to get it"


class ContactImport(ContactSync):
    """The import of contacts. The key of a row is its phone number, which is never reported.

    The values of a row are texts, because a CSV file has no other types. They are compared as texts, too.

    The other parameters are those of :class:`ContactSync`. The columns have no tags.

    :param jobs: starts the imports and waits for them.
    :param check_rows: called before the first import with the number of rows that differ. Raises an error if too many
        rows are invalid.
    :param dry_run: True to compare the rows without waiting for an import that is running.
    """

    def __init__(
        self,
        hook: RetellAsyncHook,
        columns: ContactColumns,
        jobs: ImportJobs,
        check_rows: Callable[[int], None],
        *,
        dry_run: bool,
        **options: Any,
    ) -> None:
        super().__init__(hook, columns, **options)
        self._jobs = jobs
        self._check_rows = check_rows
        self._dry_run = dry_run
        self._fields = [name if name in NAMES else CUSTOM + name for name in columns.fields.values()]

    async def set_up(self) -> None:
        """Wait until no import is running, and read all contacts."""
        if not self._dry_run:
            await self._jobs.wait_for_earlier()
        await super().set_up()

    async def _read_again(self) -> None:
        self._contacts.clear()
        await super().set_up()

    def read_row(self, row: Row) -> tuple[str, Fields]:
        """Return the phone number and the wanted fields as texts. Blank text has no effect."""
        number, wanted = super().read_row(row)
        texts: dict[str, Any] = {}
        for name, value in wanted.items():
            text = value if name == DO_NOT_CALL else as_cell(value)
            if isinstance(text, str):
                text = text.strip()
            elif name != DO_NOT_CALL:
                raise InvalidRowError(
                    f"{name} must be text, a number or a boolean, because CSV files have no lists and objects",
                    number,
                )
            if text != "":
                texts[name] = text
        return number, texts

    def _state(self, number: str) -> ContactState | RetellError | None:
        state = super()._state(number)
        if not isinstance(state, ContactState):
            return state
        fields = {
            name: as_cell(value) if name in self._fields else value for name, value in state.fields.items()
        }
        return dataclasses.replace(state, fields=fields)

    def plan_row(self, row: int, key: str, state: ContactState | None, wanted: Fields) -> Planned | Result:
        """Return the row of the import, or ``unchanged``.

        A value that the row lacks is that of the contact, because an import overwrites all fields.
        """
        current: Mapping[str, Any] = {} if state is None else state.fields
        wanted = {**{name: current[name] for name in self._fields if name in current}, **wanted}
        for name in self._fields:
            if not isinstance(wanted.get(name, ""), str):
                reason = (
                    f"the contact's {name} is a list or an object, which the import would overwrite. Use "
                    "SyncContactsOperator for this row"
                )
                contact_id = None if state is None else state.contact_id
                return Result(row, contact_id, "invalid", reason, kind=KIND)
        if state is None:
            return ImportedCreation(row, key, wanted, self)
        changed = diff(current, wanted)
        if not changed:
            return Result(row, state.contact_id, "unchanged", kind=KIND)
        return ImportedUpdate(row, key, state, wanted, changed, self)

    async def send_plan(self, planned: Sequence[Planned]) -> None:
        """Import the rows, and read all contacts again."""
        self._check_rows(len(planned))
        rows = [each for each in planned if isinstance(each, (ImportedCreation, ImportedUpdate))]
        for part in (MARKING, OTHER):
            if not self._jobs.has_started(part):
                rows = await self._import(part, rows)
        if self._jobs.waited:
            await self._read_imported(rows)

    async def _read_imported(self, rows: Sequence[ImportedRow]) -> None:
        """Read all contacts, and again if they do not show the whole import yet."""
        for read in range(_READS):
            if read:
                await self._jobs.pause()
            await self._read_again()
            differing = sum(bool(each.part) and not self._is_imported(each) for each in rows)
            if differing <= self._jobs.failed:
                return

    def _is_imported(self, planned: ImportedRow) -> bool:
        state = self._state(planned.number)
        return isinstance(state, ContactState) and not diff(state.fields, planned.wanted)

    async def _import(self, part: str, rows: list[ImportedRow]) -> list[ImportedRow]:
        """Import the rows of one file, and return all rows, planned again if another import came first."""
        names = [DO_NOT_CALL, *self._fields] if part == MARKING else self._fields
        for _ in range(_STARTS):
            selected = [(each.number, each.wanted) for each in rows if each.part == part]
            if not selected:
                return rows
            with ContactFile(names, selected) as file:
                try:
                    await self._jobs.run(part, file, len(selected))
                except ImportBusyError as busy:
                    log.info("%s. The rows are compared again after it", busy)
                else:
                    return rows
            await self._jobs.pause()
            await self._jobs.wait_until_idle()
            await self._read_again()
            rows = self._plan_again(rows)
            self._check_again(rows)
        raise ImportBusyError(
            f"Other clients started an import before this task, {_STARTS} times. {self._imported()}. Run the task "
            "again later, and use an Airflow pool for the tasks that import"
        )

    def _check_again(self, rows: Sequence[ImportedRow]) -> None:
        try:
            self.check_plan(rows)
        except GuardError as refusal:
            if not self._jobs.has_started(MARKING):
                raise
            # Not the same error, whose message and log line say that nothing was sent.
            error = RetellError(f"{refusal.fault}. {self._imported()}")
            error.permanent = True
            raise error from None

    def _imported(self) -> str:
        marks = self._jobs.has_started(MARKING)
        return "Only the rows that set do_not_call were imported" if marks else "Nothing was imported"

    def _plan_again(self, rows: Sequence[ImportedRow]) -> list[ImportedRow]:
        again = []
        for each in rows:
            state = self._state(each.number)
            if isinstance(state, RetellError):
                continue
            planned = self.plan_row(each.row, each.number, state, each.wanted)
            if isinstance(planned, (ImportedCreation, ImportedUpdate)):
                again.append(planned)
        return again

    def confirm(self, planned: ImportedRow) -> Flow[Applied]:
        """Compare a row with its contact after the import, and clear its mark if the row asks for it.

        :raises UpdateMismatchError: if the contact does not have the row's values.
        """
        state = self._state(planned.number)
        if isinstance(state, RetellError):
            raise state
        if state is None:
            raise RetellError(f"the import has not created the contact. {_REASON}")
        wrong = diff(state.fields, planned.wanted)
        if DO_NOT_CALL in wrong and planned.wanted[DO_NOT_CALL] is False:
            if not planned.clears_do_not_call:
                raise RetellError(
                    f"contact {state.contact_id} was marked as do-not-call during the run, and the row would clear "
                    "the mark. The mark was kept. Run the task again"
                )
            contact = yield endpoints.update_contact(state.contact_id, do_not_call=False)
            verify(contact, {DO_NOT_CALL: False})
            wrong = tuple(name for name in wrong if name != DO_NOT_CALL)
        if wrong:
            raise UpdateMismatchError(
                f"contact {state.contact_id}: after the import, these fields differ from the row: "
                f"{', '.join(wrong)}. {_REASON}",
                fields=wrong,
            )
        return Applied(record_id=state.contact_id)


@dataclass(frozen=True)
class ImportedUpdate(ContactUpdate):
    """A row of a contact that exists.

    :ivar resource: the import.
    """

    resource: ContactImport = field(repr=False)

    @property
    def part(self) -> str:
        """The file that the row is in, or an empty text if it only clears a mark."""
        if DO_NOT_CALL in self.changed and not self.clears_do_not_call:
            return MARKING
        return "" if self.changed == (DO_NOT_CALL,) else OTHER

    def apply(self) -> Flow[Applied]:
        """Compare the row with the contact."""
        return (yield from self.resource.confirm(self))


class ImportedCreation(ContactCreation):
    """A row of a new contact."""

    clears_do_not_call = False

    def __init__(self, row: int, number: str, wanted: Fields, resource: ContactImport) -> None:
        super().__init__(row, number, wanted, resource.guards)
        self._resource = resource

    @property
    def part(self) -> str:
        """The file that the row is in."""
        return MARKING if DO_NOT_CALL in self.changed else OTHER

    def apply(self) -> Flow[Applied]:
        """Compare the row with the contact."""
        return (yield from self._resource.confirm(self))


ImportedRow: TypeAlias = ImportedUpdate | ImportedCreation
