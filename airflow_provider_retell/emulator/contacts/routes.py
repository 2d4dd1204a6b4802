"""The routes of the contact endpoints. That restricted keys need the permission for history is our guess."""

from __future__ import annotations

from airflow_provider_retell.emulator.contacts import bodies, endpoints
from airflow_provider_retell.emulator.routing import Route

_READ = ("history", "read")
_EDIT = ("history", "edit")

ROUTES = (
    Route("get-contact", "GET", "/get-contact/{contact_id}", endpoints.get_contact, _READ),
    Route(
        "get-contact-by-phone",
        "GET",
        "/get-contact-by-phone/{phone_number}",
        endpoints.get_contact_by_phone,
        _READ,
    ),
    Route(
        "list-contacts",
        "POST",
        "/list-contacts",
        endpoints.list_contacts,
        _READ,
        limiter="list",
        schema=bodies.LIST_CONTACTS,
        body_optional=True,
    ),
    Route(
        "create-contact",
        "POST",
        "/create-contact",
        endpoints.create_contact,
        _EDIT,
        schema=bodies.CREATE_CONTACT,
    ),
    Route(
        "update-contact",
        "PATCH",
        "/update-contact/{contact_id}",
        endpoints.update_contact,
        _EDIT,
        schema=bodies.UPDATE_CONTACT,
    ),
    Route(
        "upload-contact-import-file",
        "POST",
        "/upload-contact-import-file",
        endpoints.upload_import_file,
        _EDIT,
        schema=bodies.UPLOAD,
        from_form=bodies.from_form,
    ),
    Route(
        "create-contact-import",
        "POST",
        "/create-contact-import",
        endpoints.create_import,
        _EDIT,
        schema=bodies.CREATE_IMPORT,
    ),
    Route("get-contact-import", "GET", "/get-contact-import", endpoints.get_import, _READ),
    Route("delete-contact", "DELETE", "/delete-contact/{contact_id}", endpoints.delete_contact, _EDIT),
)
