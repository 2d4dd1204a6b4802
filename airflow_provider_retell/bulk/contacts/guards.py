"""The guards of a sync of contacts: for do-not-call marks, and for the number of updates."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from airflow_provider_retell.api.contacts.changes import Fields, clears_do_not_call
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.bulk.digest_map import DigestMap
from airflow_provider_retell.bulk.errors import BulkStoppedError, GuardError
from airflow_provider_retell.common.wording import counted

log = logging.getLogger(__name__)


class ContactGuards:
    """The guards of one run.

    :param allow_clearing: True to allow the run to clear do-not-call marks.
    :param max_changed_ratio: the largest share of the contacts that the run may update.
    :ivar contacts: the number of contacts that the run has read.
    :ivar created: the number of contacts that it has created.
    """

    def __init__(self, allow_clearing: bool, max_changed_ratio: float) -> None:
        self.contacts = 0
        self.created = 0
        self._allow_clearing = allow_clearing
        self._max_changed_ratio = max_changed_ratio
        self._planned = 0
        self._late = 0
        # 1 for each number that a row opts out, also a row that is invalid.
        self._opted_out = DigestMap()

    def opt_out(self, number: str) -> None:
        """Note that a row opts a number out, or that its value for the mark is unreadable."""
        self._opted_out[number] = 1

    def check_plan(self, *, planned: int, updates: int, marked: int, cleared: Mapping[int, str]) -> None:
        """Raise :class:`GuardError` if the run would clear marks without permission, or change too much.

        :param planned: the number of changes.
        :param updates: the number of contacts to update.
        :param marked: the number of contacts to mark as do-not-call.
        :param cleared: the phone numbers of contacts whose mark a row would clear, by the number of the row.
        """
        doubtful = [row for row, number in cleared.items() if self._opted_out[number]]
        log.info("do_not_call: %s to mark, %d to clear", counted(marked, "contact"), len(cleared))
        if cleared and not self._allow_clearing:
            raise GuardError(
                f"{counted(len(cleared), 'row')} would clear do_not_call of a contact, the first of them row "
                f"{min(cleared)}",
                "allow_clearing_do_not_call=False",
                planned,
                "Check that the source has all opt-outs, and set allow_clearing_do_not_call=True if the contacts may "
                "be called again",
            )
        if doubtful:
            raise GuardError(
                f"row {min(doubtful)} would clear do_not_call of a contact, and another row with the same phone number "
                "sets it or has a value for it that is invalid",
                "the check of opt-outs",
                planned,
                "Aggregate the opt-outs of a number in the source",
            )
        self._planned = updates
        if self._exceeds_ratio():
            raise GuardError(
                f"{updates:,} of {counted(self.contacts, 'contact')} would be updated, and max_changed_ratio is "
                f"{self._max_changed_ratio:g}",
                f"max_changed_ratio={self._max_changed_ratio:g}",
                planned,
                "Check the source, or raise max_changed_ratio",
            )

    def check_mark(self, number: str, contact_id: str, current: Fields, wanted: Fields) -> None:
        """Raise :class:`RetellError` if a row must not clear the mark of a contact that was created during the run."""
        if not clears_do_not_call(current, wanted):
            return
        fault = (
            f"contact {contact_id} was created during the run and is marked as do-not-call, and the row would clear "
            "the mark"
        )
        if not self._allow_clearing:
            raise RetellError(f"{fault}. The contact was not changed. Run the task again")
        if self._opted_out[number]:
            raise RetellError(
                f"{fault}, but another row with the same phone number sets it or has a value for it that is invalid. "
                "The contact was not changed. Aggregate the opt-outs of a number in the source"
            )

    def add_late_update(self) -> None:
        """Count the update of a contact that was missing when the run has read all contacts.

        :raises BulkStoppedError: if the run updates too many contacts with it.
        """
        self._late += 1
        if self._exceeds_ratio():
            raise BulkStoppedError(
                f"Stopped, because Retell did not list {counted(self._late, 'contact')} of the rows when the run has "
                f"read all contacts, and more contacts would be updated than max_changed_ratio="
                f"{self._max_changed_ratio:g} allows. The contact of this row was not changed. Run the task again: it "
                "reads all contacts again, and compares before it sends anything"
            )

    def _exceeds_ratio(self) -> bool:
        contacts = self.contacts + self.created + self._late
        # Not a product: 0.29 * 100 is less than 29.
        return (self._planned + self._late) / max(contacts, 1) > self._max_changed_ratio
