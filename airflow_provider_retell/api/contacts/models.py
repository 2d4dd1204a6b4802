"""Contacts as Retell returns them.

Source of the fields: https://docs.retellai.com/api-references/get-contact and the types of Retell's Python SDK.
"""

from __future__ import annotations

from typing import Any, ClassVar

from airflow_provider_retell.api.response_model import Page, ResponseModel

__all__ = ["Contact", "ContactPage", "ContactTag"]


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
