"""The request bodies of knowledge bases: their schemas, and their forms as JSON values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.responses import ApiError
from airflow_provider_retell.emulator.schema import BOOLEAN, STRING, closed

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.multipart import Form
    from airflow_provider_retell.emulator.schema import Schema

MAX_FILES = 25
MAX_FILE_BYTES = 50_000_000
"""Our reading of Retell's "50MB"."""

_FILE = closed(
    {"filename": STRING, "content_type": STRING, "size": {"type": "integer"}, "sha256": STRING},
    "filename",
    "size",
)
_SOURCES: dict[str, Schema] = {
    "knowledge_base_texts": {
        "type": "array",
        "items": closed({"title": STRING, "text": {"type": "string", "minLength": 1}}, "title", "text"),
    },
    "knowledge_base_urls": {"type": "array", "items": {"type": "string", "pattern": r"https?://\S+"}},
    "knowledge_base_files": {"type": "array", "maxItems": MAX_FILES, "items": _FILE},
}

ADD_SOURCES = closed(_SOURCES)

CREATE = closed(
    {
        **_SOURCES,
        "knowledge_base_name": {"type": "string", "minLength": 1, "maxLength": 39},
        "enable_auto_refresh": BOOLEAN,
        "min_chunk_size": {"type": "integer", "minimum": 1},
        "max_chunk_size": {"type": "integer", "minimum": 1},
    },
    "knowledge_base_name",
)


def _array(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, list):
        raise ApiError(400, "not an array")
    return value


def _plain(text: str) -> Any:
    """Return the JSON value in *text*, or the text. A wrong type fails the schema's check."""
    try:
        return json.loads(text)
    except ValueError:
        return text


_DECODERS: Mapping[str, Callable[[str], Any]] = {
    "knowledge_base_texts": _array,
    "knowledge_base_urls": _array,
    "enable_auto_refresh": _plain,
    "min_chunk_size": _plain,
    "max_chunk_size": _plain,
}


def from_form(form: Form) -> dict[str, Any]:
    """Return the JSON value of a form.

    Texts and URLs must each be one field with a JSON array, and files must be in fields without brackets. That a
    repeated field is "not an array" was observed; the message for another file field is our guess.

    :raises ApiError: if the form is not as Retell expects it.
    """
    body: dict[str, Any] = {}
    for name, value in form.fields:
        if name in body and name in _DECODERS:
            raise ApiError(400, "not an array")
        body[name] = _DECODERS.get(name, str)(value)
    for file in form.files:
        if file.field != "knowledge_base_files":
            raise ApiError(400, "Unexpected field")
        if file.size > MAX_FILE_BYTES:
            raise ApiError(400, "File too large")
        body.setdefault("knowledge_base_files", []).append(file.describe())
    return body
