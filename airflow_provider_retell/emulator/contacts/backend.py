"""The contacts of one organization: adding, editing and finding them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.backend import Backend, assign
from airflow_provider_retell.emulator.responses import ApiError

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.options import Options

Contact = dict[str, Any]
"""A contact as the emulator stores it: Retell's object, with ``contact_tag_ids`` in place of ``contact_tags``."""


class ContactBackend(Backend[Contact]):
    """The contacts of one organization.

    :param org_id: the id of the organization.
    """

    noun = "contact"

    def __init__(self, options: Options, org_id: str) -> None:
        super().__init__(options)
        self._org_id = org_id
        self._ids: dict[str, str] = {}
        self._added = 0

    def visible(self, contact: Contact) -> Contact:
        """Return *contact* as the API shows it."""
        known = self.options.contacts.tags
        tags = [{"id": tag, "label": known[tag]} for tag in contact["contact_tag_ids"] if tag in known]
        shown = {name: value for name, value in contact.items() if name != "contact_tag_ids"}
        return {**shown, "contact_tags": tags}

    def missing(self, object_id: str) -> ApiError:
        """Return the error that Retell sends for an unknown id."""
        return ApiError(self.options.contacts.missing_status, f"Contact {object_id} not found")

    def by_number(self, phone_number: str) -> Contact | None:
        """Return the contact with a phone number, or None."""
        return self.objects.get(self._ids.get(phone_number, ""))

    def blocks(self, phone_number: str) -> bool:
        """Return True if a number's contact is marked as do-not-call."""
        contact = self.by_number(phone_number)
        return contact is not None and contact["do_not_call"]

    def add(self, *, phone_number: str = "", **fields: Any) -> Contact:
        """Add a contact and return it; see ``Organization.add_contact``."""
        if not phone_number or self.by_number(phone_number) is not None:
            raise ValueError("phone_number must be a number that no other contact has")
        # One millisecond apart, so that list-contacts returns the contacts in the order of adding.
        created = self.options.clock.now_ms() + self._added
        contact: Contact = {
            "contact_id": f"contact_{uuid.uuid4().hex}",
            "org_id": self._org_id,
            "phone_number": phone_number,
            "do_not_call": False,
            "custom_fields": {},
            "contact_tag_ids": [],
            "created_timestamp": created,
            "user_modified_timestamp": created,
            "conversation_count": 0,
            **fields,
        }
        if contact["contact_id"] in self.objects:
            raise ValueError(f"contact {contact['contact_id']!r} exists already")
        self._added += 1
        self._ids[phone_number] = contact["contact_id"]
        self.objects[contact["contact_id"]] = contact
        return contact

    def edit(self, object_id: str, **fields: Any) -> Contact:
        """Change fields of a contact and return it; None removes a field."""
        contact = self.existing(object_id)
        if {"contact_id", "phone_number"} & fields.keys():
            raise ValueError("contact_id and phone_number must not change: add a new contact instead")
        assign(contact, fields)
        contact["user_modified_timestamp"] = self.options.clock.now_ms()
        return contact

    def remove(self, contact: Contact) -> None:
        """Delete a contact."""
        del self.objects[contact["contact_id"]]
        if self._ids.get(contact["phone_number"]) == contact["contact_id"]:
            del self._ids[contact["phone_number"]]

    def clear(self) -> None:
        """Remove all contacts."""
        super().clear()
        self._ids.clear()
