"""Request bodies of the contact endpoints.

Source of the fields: the pages of https://docs.retellai.com/api-references and the types of Retell's Python SDK.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from airflow_provider_retell.api.body import Body, FreeObject, Text, as_dict
from airflow_provider_retell.api.records.conditions import Keyed, Number, OneOf, TextIs, TruthIs


class UpdateContact(Body):
    """Body of update-contact. ``contact_tag_ids`` replaces all tags, and a null clears a custom field."""

    first_name: str | None = None
    last_name: str | None = None
    do_not_call: bool | None = None
    custom_fields: FreeObject | None = None
    contact_tag_ids: list[Text] | None = None
    contact_memory: Annotated[str, Field(max_length=2000)] | None = None


class CreateContact(UpdateContact):
    """Body of create-contact."""

    phone_number: Text


class ContactFilterCriteria(Body):
    """Conditions on a contact, which must meet all that are set."""

    contact_id: TextIs | None = None
    contact_tag_ids: OneOf | None = None
    custom_fields: list[Keyed] | None = None
    do_not_call: TruthIs | None = None
    last_conversation_timestamp: Number | None = None
    phone_number: TextIs | None = None


class ListContacts(Body):
    """Body of list-contacts. ``sort_order`` refers to the time of creation."""

    filter_criteria: ContactFilterCriteria | None = None
    search_query: Text | None = None
    sort_order: Literal["asc", "desc"] | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    pagination_key: Text | None = None


class ColumnMapping(Body):
    """The contact field that a column of a CSV file sets."""

    external_field_name: Text
    field_name: Text


class CreateContactImport(Body):
    """Body of create-contact-import."""

    upload_id: Text
    column_mapping: list[Annotated[ColumnMapping, BeforeValidator(as_dict)]]
    contact_tags: list[Text] | None = None
    default_country: Text | None = None
