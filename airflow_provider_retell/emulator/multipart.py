"""Forms: request bodies of the type ``multipart/form-data``, read in chunks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import BodyPartReader, MultipartReader, hdrs

if TYPE_CHECKING:
    from aiohttp import web

MAX_FIELD = 64_000_000
"""The largest field that is kept, in bytes; a form with a larger one is answered with 413."""

KEPT = "file"
"""The name of the field whose file is kept, for the import of contacts."""

_CHUNK = 65_536


@dataclass(slots=True)
class UploadedFile:
    """A file of a form. Its content is kept only if an import reads it.

    :ivar field: the name of its field.
    :ivar filename: its name, as sent.
    :ivar content_type: its media type, as sent.
    :ivar size: its size in bytes.
    :ivar sha256: the SHA-256 of its content, in hexadecimal digits.
    :ivar content: its content if the name of its field is :data:`KEPT`, otherwise empty.
    """

    field: str
    filename: str
    content_type: str
    size: int
    sha256: str
    content: bytes = b""

    def describe(self) -> dict[str, Any]:
        """Return JSON values that describe the file, without its content."""
        return {
            "filename": self.filename,
            "content_type": self.content_type,
            "size": self.size,
            "sha256": self.sha256,
        }


@dataclass(slots=True)
class Form:
    """The fields and files of a form, in the order in which they were sent."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    files: list[UploadedFile] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """Return JSON values for the record of requests: the values by field. Files are described, not included."""
        found: dict[str, list[Any]] = {}
        for name, value in self.fields:
            found.setdefault(name, []).append(value)
        for file in self.files:
            found.setdefault(file.field, []).append(file.describe())
        return found


class BodyTooLarge(Exception):  # noqa: N818 - not an error of the emulator
    """The body of a request, or a field of a form that is kept, is too large."""


async def read_form(incoming: web.BaseRequest) -> Form | None:
    """Return the form in the body of a request, or None if it is malformed or lacks its end.

    :raises BodyTooLarge: if a field is too large.
    """
    form = Form()
    try:
        reader = MultipartReader(incoming.headers, incoming.content)
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader) or part.name is None:
                return None
            if part.filename is None:
                form.fields.append((part.name, await _read_field(part)))
            else:
                form.files.append(await _read_file(part, part.name, part.filename))
    except (ValueError, EOFError, AssertionError):
        return None
    return form


async def _read_field(part: BodyPartReader) -> str:
    value = bytearray()
    while chunk := await part.read_chunk(_CHUNK):
        value += chunk
        if len(value) > MAX_FIELD:
            raise BodyTooLarge
    return value.decode()


async def _read_file(part: BodyPartReader, name: str, filename: str) -> UploadedFile:
    digest, size, kept = hashlib.sha256(), 0, bytearray()
    while chunk := await part.read_chunk(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if name == KEPT:
            kept += chunk
            if size > MAX_FIELD:
                raise BodyTooLarge
    content_type = part.headers.get(hdrs.CONTENT_TYPE, "")
    return UploadedFile(name, filename, content_type, size, digest.hexdigest(), bytes(kept))
