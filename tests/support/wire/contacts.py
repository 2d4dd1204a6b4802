"""Examples of the endpoints of contacts."""

from __future__ import annotations

import hashlib
from decimal import Decimal

from airflow_provider_retell.api.contacts.models import (
    Contact,
    ContactImport,
    ContactImportFile,
    ContactPage,
)
from wire import Example

CSV = b"phone\n+14155550123\n"
MAPPING = [{"external_field_name": "phone", "field_name": "phone_number"}]
IMPORT = {"column_mapping": MAPPING, "contact_tags": ["VIP"], "default_country": "DE"}
ADA = {
    "phone_number": "+14155550150",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "do_not_call": True,
    "contact_tag_ids": ["tag_1"],
    "contact_memory": "Prefers e-mail.",
}
CHANGES = {"do_not_call": False, "custom_fields": {"plan": None}, "contact_memory": None}
LISTING = {
    "filter_criteria": {"do_not_call": {"type": "boolean", "op": "eq", "value": True}},
    "sort_order": "asc",
    "limit": 5,
}

EXAMPLES = [
    Example(
        "create_contact",
        (),
        {**ADA, "custom_fields": {"score": Decimal("0.5")}},
        "POST /create-contact",
        {**ADA, "custom_fields": {"score": 0.5}},
        201,
        Contact,
        sent_once=True,
    ),
    Example(
        "update_contact",
        ("contact_1",),
        CHANGES,
        "PATCH /update-contact/contact_1",
        CHANGES,
        200,
        Contact,
    ),
    Example("get_contact", ("contact_1",), {}, "GET /get-contact/contact_1", None, 200, Contact),
    Example(
        "list_contacts_page",
        (),
        LISTING,
        "POST /list-contacts",
        LISTING,
        200,
        ContactPage,
    ),
    Example("delete_contact", ("contact_1",), {}, "DELETE /delete-contact/contact_1", None, 204, None),
    Example(
        "upload_contact_import_file",
        (CSV,),
        {},
        "POST /upload-contact-import-file",
        {
            "file": [
                {
                    "filename": "contacts.csv",
                    "content_type": "text/csv",
                    "size": len(CSV),
                    "sha256": hashlib.sha256(CSV).hexdigest(),
                }
            ]
        },
        201,
        ContactImportFile,
        "multipart/form-data",
    ),
    Example(
        "create_contact_import",
        ("upload_1",),
        IMPORT,
        "POST /create-contact-import",
        {"upload_id": "upload_1", **IMPORT},
        201,
        ContactImport,
        sent_once=True,
    ),
    Example("get_contact_import", (), {}, "GET /get-contact-import", None, 200, ContactImport),
]
