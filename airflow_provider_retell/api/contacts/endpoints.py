"""The endpoints of contacts. Each function checks its arguments and returns a :class:`Request`.

Retell's pages: https://docs.retellai.com/api-references.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_retell.api.body import build, build_changes
from airflow_provider_retell.api.contacts.bodies import (
    CreateContact,
    CreateContactImport,
    ListContacts,
    UpdateContact,
)
from airflow_provider_retell.api.contacts.models import (
    Contact,
    ContactImport,
    ContactImportFile,
    ContactPage,
)
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.multipart import Content, Multipart, Part
from airflow_provider_retell.api.parsing import no_result
from airflow_provider_retell.api.phone_numbers.e164 import check_e164
from airflow_provider_retell.api.request import UNSET, ObjectKind, Request, Unset, given, request_to

_CONTACT = ObjectKind("contact", "contact_id")


def create_contact(
    *,
    phone_number: str,
    first_name: str | None = None,
    last_name: str | None = None,
    do_not_call: bool | None = None,
    custom_fields: Mapping[str, Any] | None = None,
    contact_tag_ids: Sequence[str] | None = None,
    contact_memory: str | None = None,
) -> Request[Contact]:
    """Create a contact.

    The request is sent again only if Retell certainly did not process it. Retell does not document its response if a
    contact has the number already.

    API: https://docs.retellai.com/api-references/create-contact

    :param phone_number: the number in E.164 format.
    :param do_not_call: True to mark the contact as do-not-call.
    :param custom_fields: values of fields that the CRM configuration defines, with the types defined there.
    :param contact_tag_ids: the ids of tags that the CRM configuration defines.
    :param contact_memory: a note for the agents.
    :raises RetellInputError: if an argument is invalid.
    """
    check_e164(phone_number, "create-contact: phone_number")
    fields = given(
        phone_number=phone_number,
        first_name=first_name,
        last_name=last_name,
        do_not_call=do_not_call,
        custom_fields=custom_fields,
        contact_tag_ids=contact_tag_ids,
        contact_memory=contact_memory,
    )
    body = build(CreateContact, "create-contact", fields)
    return request_to("POST", "/create-contact", Contact.read, body=body, idempotent=False)


def update_contact(
    contact_id: str,
    *,
    first_name: str | None = None,
    last_name: str | None = None,
    do_not_call: bool | None = None,
    custom_fields: Mapping[str, Any] | None = None,
    contact_tag_ids: Sequence[str] | None = None,
    contact_memory: str | Unset | None = UNSET,
) -> Request[Contact]:
    """Change fields of a contact.

    API: https://docs.retellai.com/api-references/update-contact

    :param contact_id: the contact.
    :param do_not_call: True to mark the contact as do-not-call, False to clear the mark.
    :param custom_fields: the custom fields to change; None clears a field. Retell does not document whether it keeps
        the others: send all of them.
    :param contact_tag_ids: the ids of all tags, which replace the present ones.
    :param contact_memory: a note for the agents; None clears it.
    :raises RetellInputError: if an argument is invalid, or none is given.
    """
    fields = given(
        first_name=first_name,
        last_name=last_name,
        do_not_call=do_not_call,
        custom_fields=custom_fields,
        contact_tag_ids=contact_tag_ids,
    )
    if not isinstance(contact_memory, Unset):
        fields["contact_memory"] = contact_memory
    return _CONTACT.request(
        "PATCH",
        "/update-contact",
        contact_id,
        Contact.read,
        body=lambda name: build_changes(UpdateContact, name, fields),
    )


def get_contact(contact_id: str) -> Request[Contact]:
    """Read one contact.

    API: https://docs.retellai.com/api-references/get-contact
    """
    return _CONTACT.request("GET", "/get-contact", contact_id, Contact.read)


def list_contacts(
    *,
    filter_criteria: Mapping[str, Any] | None = None,
    search_query: str | None = None,
    sort_order: str | None = None,
    limit: int | None = None,
    pagination_key: str | None = None,
) -> Request[ContactPage]:
    """Read one page of contacts.

    API: https://docs.retellai.com/api-references/list-contacts

    :param filter_criteria: conditions on ``contact_id``, ``contact_tag_ids``, ``custom_fields``, ``do_not_call``,
        ``last_conversation_timestamp`` and ``phone_number``, in the form of
        :mod:`airflow_provider_retell.api.calls.filters`.
    :param search_query: text in the number, the names, the external id or the custom fields.
    :param sort_order: ``"asc"`` or ``"desc"`` (Retell's default) by the time of creation.
    :param limit: contacts per page. Retell does not document the largest number.
    :param pagination_key: the ``pagination_key`` of the previous page.
    :raises RetellInputError: if an argument is invalid.
    """
    fields = given(
        filter_criteria=filter_criteria,
        search_query=search_query,
        sort_order=sort_order,
        limit=limit,
        pagination_key=pagination_key,
    )
    body = build(ListContacts, "list-contacts", fields)
    return request_to("POST", "/list-contacts", ContactPage.read, body=body)


def delete_contact(contact_id: str) -> Request[None]:
    """Permanently delete a contact. Retell refuses it for contacts of a CRM with a two-way sync.

    API: https://docs.retellai.com/api-references/delete-contact
    """
    return _CONTACT.request("DELETE", "/delete-contact", contact_id, no_result)


def upload_contact_import_file(file: Content | bytes) -> Request[ContactImportFile]:
    """Upload a CSV file for :meth:`create_contact_import`. It changes no contact.

    API: https://docs.retellai.com/api-references/upload-contact-import-file

    :param file: the CSV file with a header, in UTF-8. A :class:`~airflow_provider_retell.api.multipart.Content` is
        read while it is sent.
    :raises RetellInputError: if the file is empty.
    """
    content = Content.of(file) if isinstance(file, bytes) else file
    if not content.size:
        raise RetellInputError("upload-contact-import-file: file must not be empty")
    form = Multipart((Part("file", content, "contacts.csv", "text/csv"),))
    return request_to("POST", "/upload-contact-import-file", ContactImportFile.read, body=form)


def create_contact_import(
    upload_id: str,
    *,
    column_mapping: Sequence[Mapping[str, str]],
    contact_tags: Sequence[str] | None = None,
    default_country: str | None = None,
) -> Request[ContactImport]:
    """Start an import: it creates contacts, and overwrites the mapped fields of those with the same phone number.

    The request is sent again only if Retell certainly did not process it. An organization has one import at a time.
    Retell does not document its response while another import is running.

    API: https://docs.retellai.com/api-references/create-contact-import

    :param upload_id: the ``upload_id`` of :meth:`upload_contact_import_file`.
    :param column_mapping: for each column of the file that is imported, a dict with ``external_field_name``, the name
        in the file's header, and ``field_name``, the contact field. One of them must be ``phone_number``.
    :param contact_tags: labels of tags that all contacts of the file get. New labels are added to the CRM
        configuration.
    :param default_country: the country of phone numbers without a country code. Retell's default: ``US``.
    :raises RetellInputError: if an argument is invalid.
    """
    operation = "create-contact-import"
    fields = given(
        upload_id=upload_id,
        column_mapping=list(column_mapping),
        contact_tags=contact_tags,
        default_country=default_country,
    )
    body = build(CreateContactImport, operation, fields)
    if sum(column["field_name"] == "phone_number" for column in column_mapping) != 1:
        raise RetellInputError(
            f"{operation}: column_mapping must have exactly one column with the field_name phone_number"
        )
    return request_to("POST", "/create-contact-import", ContactImport.read, body=body, idempotent=False)


def get_contact_import() -> Request[ContactImport]:
    """Read the status and the counts of the organization's current or latest import.

    API: https://docs.retellai.com/api-references/get-contact-import
    """
    return request_to("GET", "/get-contact-import", ContactImport.read)
