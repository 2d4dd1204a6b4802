"""The request bodies of the contact endpoints, as schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.conditions import (
    AMOUNT,
    KEYED_LIST,
    PRESENT,
    TEXT,
    TRUTH,
    enum,
    one_of,
)
from airflow_provider_retell.emulator.responses import ApiError
from airflow_provider_retell.emulator.schema import BOOLEAN, E164, STRING, closed

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.multipart import Form

_TEXTS = {"type": "array", "items": STRING}

_FIELDS: dict[str, Any] = {
    "contact_memory": {"type": ("string", "null"), "maxLength": 2000},
    "contact_tag_ids": _TEXTS,
    "custom_fields": {"type": "object"},
    "do_not_call": BOOLEAN,
    "first_name": STRING,
    "last_name": STRING,
}

CREATE_CONTACT = closed({"phone_number": {"type": "string", "pattern": E164}, **_FIELDS}, "phone_number")
"""That the number must be in E.164 format is our guess."""

UPDATE_CONTACT = closed(_FIELDS)

LIST_CONTACTS = closed(
    {
        "excluded_contact_ids": {**_TEXTS, "maxItems": 1000},
        "filter_criteria": closed(
            {
                "contact_id": TEXT,
                "contact_tag_ids": enum(),
                "custom_fields": KEYED_LIST,
                "do_not_call": TRUTH,
                "external_id": one_of(TEXT, PRESENT),
                "last_conversation_timestamp": AMOUNT,
                "phone_number": TEXT,
            }
        ),
        "limit": {"type": "integer", "minimum": 1},
        "pagination_key": {"type": "string", "minLength": 1},
        "search_query": STRING,
        "skip": {"type": "integer", "minimum": 0},
        "sort_order": {"type": "string", "enum": ("asc", "desc")},
    },
    excludes=(("skip", "pagination_key"),),
)

UPLOAD = closed({"file": {"type": "object"}}, "file")

CREATE_IMPORT = closed(
    {
        "column_mapping": {
            "type": "array",
            "items": closed(
                {"external_field_name": STRING, "field_name": STRING}, "external_field_name", "field_name"
            ),
        },
        "contact_tags": _TEXTS,
        "default_country": STRING,
        "upload_id": STRING,
    },
    "column_mapping",
    "upload_id",
)


def from_form(form: Form) -> dict[str, Any]:
    """Return the body of upload-contact-import-file: the content of its file. The errors are our guess."""
    if form.fields or [file.field for file in form.files] != ["file"]:
        raise ApiError(400, "Unexpected field")
    return {"file": {"name": form.files[0].filename, "content": form.files[0].content}}
