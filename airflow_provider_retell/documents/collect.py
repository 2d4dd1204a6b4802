"""Read documents and compute their digests, with one chunk in memory at a time.

Texts of queries, lists and functions are kept in a temporary file, because they cannot be read again. Files are read
again when they are sent.
"""

from __future__ import annotations

import codecs
import functools
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.knowledge_bases.bodies import escape
from airflow_provider_retell.api.knowledge_bases.document import Document, Mark
from airflow_provider_retell.api.knowledge_bases.limits import MAX_FILE_BYTES
from airflow_provider_retell.api.multipart import Content, ContentError
from airflow_provider_retell.common.disk import writing_temporary
from airflow_provider_retell.documents.documents import Documents, Entry, TextEntry

if TYPE_CHECKING:
    Chunks = Callable[[], Iterator[bytes]]

_CHUNK = 65_536
_MAX_FAULTS = 5


def collect(source: Documents, temporary: BinaryIO) -> list[Document]:
    """Return the documents of *source*.

    :param temporary: an empty file for texts, which must stay open as long as the documents are used.
    :raises RetellInputError: if documents are invalid. The message has their titles, never their contents.
    """
    found: dict[str, Document] = {}
    faults: list[str] = []
    for number, entry in enumerate(source.read(), 1):
        try:
            title = _checked_title(entry, number)
            if title in found:
                raise RetellInputError(f"two documents have the title {title!r}")
            found[title] = _document(title, entry, temporary)
        except RetellInputError as error:
            faults.append(error.fault)
    if faults:
        more = f"; and {len(faults) - _MAX_FAULTS} more" if len(faults) > _MAX_FAULTS else ""
        raise RetellInputError(f"documents: {'; '.join(faults[:_MAX_FAULTS])}{more}")
    return list(found.values())


def _checked_title(entry: Entry, number: int) -> str:
    title = entry.title
    if not isinstance(title, str):
        kind = "no title" if title is None else f"a title of the type {type(title).__name__}, not text"
        raise RetellInputError(f"document {number} has {kind}")
    if not title.strip():
        raise RetellInputError(f"document {number} has an empty title")
    try:
        title.encode()
    except UnicodeEncodeError:
        raise RetellInputError(
            f"document {number} has a title with half of a surrogate pair, which UTF-8 cannot encode"
        ) from None
    return title


def _document(title: str, entry: Entry, temporary: BinaryIO) -> Document:
    if isinstance(entry, TextEntry):
        return _read(title, _kept(title, entry.text, temporary), is_text=True)
    if entry.size > MAX_FILE_BYTES:
        raise _too_large(title)
    return _read(title, functools.partial(_chunks_of_file, title, entry.open), is_text=entry.is_text)


def _kept(title: str, text: Any, temporary: BinaryIO) -> Chunks:
    if not isinstance(text, str):
        kind = "no text" if text is None else f"a text of the type {type(text).__name__}"
        raise RetellInputError(f"{title!r} has {kind}")
    try:
        data = text.encode()
    except UnicodeEncodeError:
        # "from None": the original error prints the text.
        raise RetellInputError(f"{title!r} has half of a surrogate pair, which UTF-8 cannot encode") from None
    start = temporary.seek(0, os.SEEK_END)
    with writing_temporary(temporary):
        temporary.write(data)
    return functools.partial(_chunks_of_slice, temporary.fileno(), start, len(data))


def _chunks_of_slice(descriptor: int, start: int, size: int) -> Iterator[bytes]:
    for position in range(start, start + size, _CHUNK):
        yield os.pread(descriptor, min(_CHUNK, start + size - position), position)


def _chunks_of_file(title: str, opened: Callable[[], BinaryIO]) -> Iterator[bytes]:
    try:
        with closing(opened()) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except Exception as error:
        # The type only: messages of storages can have credentials.
        raise ContentError(
            f"The file {title!r} could not be read ({type(error).__name__}). Run the task again"
        ) from error


def _read(title: str, chunks: Chunks, *, is_text: bool) -> Document:
    """Return the document with the digest and the size of its content, after reading it once."""
    digest, size = hashlib.sha256(), 0

    def measured() -> Iterator[bytes]:
        nonlocal size
        for chunk in chunks():
            digest.update(chunk)
            size += len(chunk)
            if size > MAX_FILE_BYTES:
                raise _too_large(title)
            yield chunk

    if is_text:
        encoded_size, blank = 0, True
        try:
            for text in _decoded(measured()):
                blank = blank and not text.strip()
                encoded_size += len(escape(text))
        except UnicodeDecodeError:
            raise RetellInputError(
                f"{title!r} is not text in UTF-8: convert it, or use another suffix"
            ) from None
    else:
        for _ in measured():
            pass
        encoded_size, blank = size, size == 0
    if blank:
        raise RetellInputError(f"{title!r} is empty")
    expected = digest.hexdigest()
    send = functools.partial(_send, title, chunks, expected, is_text=is_text)
    return Document(
        title, "text" if is_text else "file", Mark.of(title, expected), Content(encoded_size, send)
    )


def _send(title: str, chunks: Chunks, expected: str, *, is_text: bool) -> Iterator[bytes]:
    """Yield the content as it is sent, and raise at its end if it is not the content that was read before."""
    digest = hashlib.sha256()

    def measured() -> Iterator[bytes]:
        for chunk in chunks():
            digest.update(chunk)
            yield chunk

    yield from (map(escape, _decoded(measured())) if is_text else measured())
    if digest.hexdigest() != expected:
        raise ContentError(f"The file {title!r} was changed while the task ran. Run the task again")


def _decoded(chunks: Iterator[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    for chunk in chunks:
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


def _too_large(title: str) -> RetellInputError:
    return RetellInputError(f"{title!r} has more than {MAX_FILE_BYTES:,} bytes (50 MB), the limit of Retell")
