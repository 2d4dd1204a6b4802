"""The contacts of an organization, for tests."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_provider_retell.emulator.contacts.backend import Contact
    from airflow_provider_retell.emulator.contacts.imports import ContactImport


class ContactObjects(Objects):
    """Contacts, for tests."""

    @property
    def contacts(self) -> dict[str, Contact]:
        """The contacts by id. The contacts are live: tests may change them."""
        return self._owner.contact_backend.objects

    def contact_of(self, phone_number: str) -> Contact | None:
        """Return the contact with a phone number, or None."""
        return self._owner.contact_backend.by_number(phone_number)

    def add_contact(self, phone_number: str, **fields: Any) -> Contact:
        """Add a contact and return it.

        create-phone-call with ``honor_internal_dnc`` refuses to call contacts with ``do_not_call=True``.

        :param phone_number: the number in E.164 format.
        :param fields: other fields, such as ``do_not_call``, ``custom_fields={"plan": "gold"}`` and
            ``contact_tag_ids=["tag_1"]``.
        :raises ValueError: if a contact has the number or the id.
        """
        with self._owner.options.clock.lock:
            return self._owner.contact_backend.add(phone_number=phone_number, **fields)

    def add_contacts(self, phone_numbers: Iterable[str], **fields: Any) -> None:
        """Add many contacts that differ in their numbers only.

        :param phone_numbers: a number for each contact.
        :param fields: the fields of every contact.
        """
        with self._owner.options.clock.lock:
            for phone_number in phone_numbers:
                self.add_contact(phone_number, **copy.deepcopy(fields))

    def edit_contact(self, contact_id: str, **fields: Any) -> Contact:
        """Change fields of a contact and return it.

        :param contact_id: the id of the contact.
        :param fields: the new values; None removes a field.
        :raises LookupError: if there is no such contact.
        :raises ValueError: for a new id or phone number.
        """
        with self._owner.options.clock.lock:
            return self._owner.contact_backend.edit(contact_id, **fields)

    @property
    def contact_imports(self) -> list[ContactImport]:
        """All CSV imports, oldest first and up to date with the clock."""
        self._owner.catch_up()
        return self._owner.contact_import_jobs.jobs

    def add_contact_import(
        self, rows: Sequence[Mapping[str, str]] = (), *, seconds: float | None = None
    ) -> ContactImport:
        """Start a CSV import as another client does, and return it.

        :param rows: a text by contact field for each row, among them ``phone_number``.
        :param seconds: the time that it takes. Default: the option ``import_seconds``.
        """
        with self._owner.options.clock.lock:
            return self._owner.contact_import_jobs.start(rows, seconds=seconds)
