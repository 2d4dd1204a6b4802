"""The endpoints of contacts. That restricted keys need the permission for history is our guess."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.contacts import bodies
from airflow_provider_retell.emulator.contacts.imports import visible
from airflow_provider_retell.emulator.filters import FilterFields
from airflow_provider_retell.emulator.paging import DEFAULT_PAGE, OrderKey, cut, walk
from airflow_provider_retell.emulator.responses import ApiError, Response, json_response
from airflow_provider_retell.emulator.routing import Request, Routes

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.contacts.backend import Contact
    from airflow_provider_retell.emulator.filters import Filter
    from airflow_provider_retell.emulator.organization.organization import Organization

ROUTES = Routes()

_READ, _EDIT = ("history", "read"), ("history", "edit")


def _tags(spec: Any) -> list[Filter]:
    return [lambda contact: not set(contact["contact_tag_ids"]).isdisjoint(spec["value"])]


_FIELDS = FilterFields(special={"contact_tag_ids": _tags})


@ROUTES.add("GET", "/get-contact/{contact_id}", _READ)
def get_contact(org: Organization, request: Request) -> Response:
    """Return a contact."""
    contacts = org.contact_backend
    return json_response(200, contacts.visible(contacts.find(request.ids["contact_id"])))


@ROUTES.add("GET", "/get-contact-by-phone/{phone_number}", _READ)
def get_contact_by_phone(org: Organization, request: Request) -> Response:
    """Return the contact with a phone number."""
    contact = org.contact_backend.by_number(request.ids["phone_number"])
    if contact is None:
        raise ApiError(org.options.contacts.missing_status, "Contact not found")
    return json_response(200, org.contact_backend.visible(contact))


@ROUTES.add("POST", "/list-contacts", _READ, bodies.LIST_CONTACTS)
def list_contacts(org: Organization, request: Request) -> Response:
    """Return one page of contacts, and the number of all that match."""
    body: dict[str, Any] = request.body
    contacts = org.contact_backend
    if body.get("limit", DEFAULT_PAGE) > org.options.contacts.max_page:
        raise ApiError(400, f"body/limit must be <= {org.options.contacts.max_page}")
    keys = _matching(org, body)
    ids, page = cut(walk(keys, body), body)
    items = [contacts.visible(contacts.objects[contact_id]) for contact_id in ids]
    return json_response(200, {"items": items, **page, "total": len(keys)})


def _matching(org: Organization, body: dict[str, Any]) -> list[OrderKey]:
    """Return the sort keys of all contacts that match, ascending."""
    tests = _FIELDS.compile(body.get("filter_criteria", {}))
    excluded = frozenset(body.get("excluded_contact_ids", ()))
    if query := body.get("search_query", "").casefold():
        tests.append(lambda contact: query in _searched(contact))
    return sorted(
        (contact["created_timestamp"], contact_id)
        for contact_id, contact in org.contact_backend.objects.items()
        if contact_id not in excluded and all(test(contact) for test in tests)
    )


def _searched(contact: Any) -> str:
    texts = [contact.get(name, "") for name in ("phone_number", "first_name", "last_name", "external_id")]
    return "\n".join(map(str, [*texts, *contact["custom_fields"].values()])).casefold()


@ROUTES.add("POST", "/create-contact", _EDIT, bodies.CREATE_CONTACT)
def create_contact(org: Organization, request: Request) -> Response:
    """Create a contact."""
    body: dict[str, Any] = dict(request.body)
    contacts, phone_number = org.contact_backend, body.pop("phone_number")
    if contacts.by_number(phone_number) is not None:
        raise ApiError(
            org.options.contacts.existing_status, f"A contact with phone number {phone_number} exists already"
        )
    _check_custom_fields(org, body)
    contact = contacts.add(phone_number=phone_number)
    _set(org, contact, body)
    return json_response(201, contacts.visible(contact))


@ROUTES.add("PATCH", "/update-contact/{contact_id}", _EDIT, bodies.UPDATE_CONTACT)
def update_contact(org: Organization, request: Request) -> Response:
    """Update a contact. A refused request changes nothing."""
    contact = org.contact_backend.find(request.ids["contact_id"])
    _check_custom_fields(org, request.body)
    _set(org, contact, request.body)
    return json_response(200, org.contact_backend.visible(contact))


def _check_custom_fields(org: Organization, body: dict[str, Any]) -> None:
    known = org.options.contacts.custom_fields
    if known is not None and set(body.get("custom_fields", {})) - set(known):
        raise ApiError(400, "body/custom_fields must NOT have fields that the CRM config does not define")


def _set(org: Organization, contact: Contact, fields: dict[str, Any]) -> None:
    """Set the fields of a contact. A custom field with the value null is cleared."""
    fields = dict(fields)
    custom = contact.get("custom_fields", {})
    if "custom_fields" in fields:
        merged = org.options.contacts.custom_fields_semantics == "merge"
        custom = {**(custom if merged else {}), **fields.pop("custom_fields")}
    org.contact_backend.edit(
        contact["contact_id"],
        **fields,
        custom_fields={name: value for name, value in custom.items() if value is not None},
    )


@ROUTES.add("DELETE", "/delete-contact/{contact_id}", _EDIT)
def delete_contact(org: Organization, request: Request) -> Response:
    """Delete a contact for good."""
    contact = org.contact_backend.find(request.ids["contact_id"])
    if org.options.contacts.synced and contact.get("external_id"):
        raise ApiError(
            400, "Cannot delete a contact that is linked to a CRM record while two-way sync is active"
        )
    org.contact_backend.remove(contact)
    return Response(204)


@ROUTES.add("POST", "/upload-contact-import-file", _EDIT, bodies.UPLOAD, from_form=bodies.from_form)
def upload_import_file(org: Organization, request: Request) -> Response:
    """Keep a CSV file for an import."""
    file = request.body["file"]
    upload_id = org.contact_import_jobs.upload(file["content"])
    return json_response(201, {"upload_id": upload_id, "file_name": file["name"]})


@ROUTES.add("POST", "/create-contact-import", _EDIT, bodies.CREATE_IMPORT)
def create_import(org: Organization, request: Request) -> Response:
    """Start the import of a file that was uploaded."""
    body = request.body
    mapping = {column["external_field_name"]: column["field_name"] for column in body["column_mapping"]}
    if sum(column["field_name"] == "phone_number" for column in body["column_mapping"]) != 1:
        raise ApiError(400, "Exactly one column must be mapped to phone_number")
    custom = set(mapping.values()) - {"phone_number", "first_name", "last_name", "do_not_call"}
    _check_custom_fields(org, {"custom_fields": dict.fromkeys(custom)})
    job = org.contact_import_jobs.create(
        body["upload_id"], mapping, body.get("contact_tags", ()), body.get("default_country", "US")
    )
    return json_response(201, visible(job))


@ROUTES.add("GET", "/get-contact-import", _READ)
def get_import(org: Organization, request: Request) -> Response:
    """Return the current or latest import."""
    return json_response(200, org.contact_import_jobs.latest())
