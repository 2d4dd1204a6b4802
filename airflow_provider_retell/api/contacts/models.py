"""Contacts as Retell returns them.

Source of the fields: https://docs.retellai.com/api-references/get-contact and the types of Retell's Python SDK.
"""

from __future__ import annotations

from typing import Any, ClassVar

from airflow_provider_retell.api.response_model import Page, ResponseModel

__all__ = ["Contact", "ContactImport", "ContactImportFile", "ContactPage", "ContactTag"]


class ContactTag(ResponseModel):
    """A tag of a contact."""

    loggable: ClassVar[tuple[str, ...]] = ("id",)

    id: str
    label: str | None = None


class Contact(ResponseModel):
    """A contact. Its ``repr`` has no phone number and no name. Timestamps are in epoch milliseconds."""

    identity: ClassVar[tuple[str, ...]] = ("contact_id", "phone_number")
    loggable: ClassVar[tuple[str, ...]] = ("contact_id",)

    contact_id: str
    phone_number: str
    first_name: str | None = None
    last_name: str | None = None
    do_not_call: bool | None = None
    custom_fields: dict[str, Any] | None = None
    contact_tags: list[ContactTag] | None = None
    """The tags that the organization's CRM configuration has."""
    contact_memory: str | None = None
    external_id: str | None = None
    """The id of the record in the connected CRM."""
    created_timestamp: int | float | None = None
    user_modified_timestamp: int | float | None = None
    last_conversation_timestamp: int | float | None = None
    conversation_count: int | float | None = None


class ContactPage(Page[Contact]):
    """One page of list-contacts. ``total`` is the number of all matching contacts."""


class ContactImportFile(ResponseModel):
    """A CSV file that was uploaded for an import."""

    loggable: ClassVar[tuple[str, ...]] = ("upload_id",)

    upload_id: str
    file_name: str | None = None


class ContactImport(ResponseModel):
    """The organization's current or latest import of contacts. It has no id, and ``idle`` does not mean success."""

    loggable: ClassVar[tuple[str, ...]] = ("status", "start_timestamp", "succeeded", "failed")

    status: str
    """``queued``, ``running`` or ``idle``."""
    start_timestamp: int | float | None = None
    """When the import started, in epoch milliseconds. None if there was never one."""
    succeeded: int | float | None = None
    """The number of rows that were imported so far."""
    failed: int | float | None = None
    """The number of rows that could not be imported so far. Retell does not say which ones."""
    triggered_by: str | None = None

    @property
    def is_active(self) -> bool:
        """True if the import is queued or running, also with a status that Retell may add."""
        return self.status != "idle"
