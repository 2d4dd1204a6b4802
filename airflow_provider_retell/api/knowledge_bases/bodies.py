"""The multipart bodies of create-knowledge-base and add-knowledge-base-sources.

Texts and URLs are each one field with a JSON array; files are repeated fields. The contents of texts and files are read
while they are sent.
"""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_retell.api.body import Body, Text, build
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.knowledge_bases.limits import (
    DEFAULT_MAX_CHUNK_SIZE,
    DEFAULT_MIN_CHUNK_SIZE,
    MAX_FILE_BYTES,
    MAX_FILES_PER_REQUEST,
    MAX_NAME_LENGTH,
)
from airflow_provider_retell.api.multipart import Content, Multipart, Part
from airflow_provider_retell.api.request import given

__all__ = ["KnowledgeBaseFile"]

_URL = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)


@dataclass(frozen=True)
class KnowledgeBaseFile:
    """A file to add to a knowledge base.

    ::

        KnowledgeBaseFile("prices.pdf", Content.of(data))

    :ivar filename: the name that Retell shows.
    :ivar content: the file.
    """

    filename: str
    content: Content = field(repr=False)


@dataclass(frozen=True)
class KnowledgeBaseText:
    """A text to add to a knowledge base.

    :ivar escaped: the text as the inside of a JSON string, in UTF-8; see :meth:`of`.
    """

    title: str
    escaped: Content = field(repr=False)

    @classmethod
    def of(cls, title: str, text: str) -> KnowledgeBaseText:
        """Return a text that is in memory."""
        return cls(title, Content.of(escape(text)))


class CreateKnowledgeBase(Body):
    """The fields of create-knowledge-base that are not sources."""

    knowledge_base_name: Text
    enable_auto_refresh: bool | None = None
    min_chunk_size: int | None = None
    max_chunk_size: int | None = None


def escape(text: str) -> bytes:
    """Return *text* as the inside of a JSON string.

    :raises UnicodeEncodeError: if it has half of a surrogate pair.
    """
    return json.dumps(text, ensure_ascii=False)[1:-1].encode()


def check_settings(operation: str, **settings: Any) -> dict[str, Any]:
    """Return the *settings* of a new knowledge base that are not None.

    :raises RetellInputError: if one is invalid.
    """
    fields = given(**settings)
    build(CreateKnowledgeBase, operation, fields)
    length = len(fields["knowledge_base_name"])
    if length > MAX_NAME_LENGTH:
        raise RetellInputError(
            f"{operation}: knowledge_base_name must have at most {MAX_NAME_LENGTH} characters, not {length}"
        )
    smallest = fields.get("min_chunk_size", DEFAULT_MIN_CHUNK_SIZE)
    largest = fields.get("max_chunk_size", DEFAULT_MAX_CHUNK_SIZE)
    if not 0 < smallest < largest:
        raise RetellInputError(
            f"{operation}: min_chunk_size ({smallest}) must be more than 0 and less than max_chunk_size ({largest})"
        )
    return fields


def form(
    operation: str,
    settings: Mapping[str, Any],
    texts: Iterable[KnowledgeBaseText | Mapping[str, str]],
    files: Sequence[KnowledgeBaseFile],
    urls: Iterable[str],
) -> Multipart:
    """Return the body with *settings* and sources.

    :param operation: names the request in error messages.
    :raises RetellInputError: if a source is invalid; the message has its number, never its content.
    """
    parts = [_field(name, _plain(value)) for name, value in settings.items()]
    checked_texts = [_text(text, f"{operation}: knowledge_base_texts[{n}]") for n, text in enumerate(texts)]
    if checked_texts:
        parts.append(Part("knowledge_base_texts", _json_array(checked_texts)))
    checked_urls = [_url(url, f"{operation}: knowledge_base_urls[{n}]") for n, url in enumerate(urls)]
    if checked_urls:
        parts.append(_field("knowledge_base_urls", json.dumps(checked_urls, ensure_ascii=False)))
    if len(files) > MAX_FILES_PER_REQUEST:
        raise RetellInputError(
            f"{operation}: knowledge_base_files must have at most {MAX_FILES_PER_REQUEST} entries, not {len(files)}"
        )
    for number, file in enumerate(files):
        parts.append(_file(file, f"{operation}: knowledge_base_files[{number}]"))
    return Multipart(tuple(parts))


def _field(name: str, value: str) -> Part:
    return Part(name, Content.of(value.encode()))


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(text: KnowledgeBaseText | Mapping[str, str], where: str) -> KnowledgeBaseText:
    if isinstance(text, Mapping):
        title, content = text.get("title"), text.get("text")
        if set(text) != {"title", "text"} or not isinstance(title, str) or not isinstance(content, str):
            raise RetellInputError(f"{where} must be a dict with the texts 'title' and 'text'")
        if not content.strip():
            raise RetellInputError(f"{where}.text must not be empty")
        try:
            text = KnowledgeBaseText.of(title, content)
        except UnicodeEncodeError:
            # "from None": the original error prints the text.
            raise RetellInputError(
                f"{where}.text has half of a surrogate pair, which UTF-8 cannot encode"
            ) from None
    if not text.title.strip():
        raise RetellInputError(f"{where}.title must not be empty")
    return text


def _json_array(texts: Sequence[KnowledgeBaseText]) -> Content:
    contents = [Content.of(b"[")]
    for number, text in enumerate(texts):
        start = b'{"title":"' if number == 0 else b',{"title":"'
        contents.append(Content.of(start + escape(text.title) + b'","text":"'))
        contents += [text.escaped, Content.of(b'"}')]
    return Content.joined([*contents, Content.of(b"]")])


def _url(url: object, where: str) -> str:
    if not isinstance(url, str) or not _URL.fullmatch(url):
        raise RetellInputError(f"{where} must be a URL with http or https")
    return url


def _file(file: KnowledgeBaseFile, where: str) -> Part:
    if not isinstance(file, KnowledgeBaseFile):
        raise RetellInputError(f"{where} must be a KnowledgeBaseFile, not {type(file).__name__}")
    if not file.filename.strip():
        raise RetellInputError(f"{where}.filename must not be empty")
    if not 0 < file.content.size <= MAX_FILE_BYTES:
        raise RetellInputError(
            f"{where} must have 1 to {MAX_FILE_BYTES:,} bytes (50 MB), not {file.content.size:,}"
        )
    content_type = mimetypes.guess_type(file.filename)[0] or "application/octet-stream"
    return Part("knowledge_base_files", file.content, file.filename, content_type)
