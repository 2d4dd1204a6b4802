"""Documents and their marks.

Retell's sources have neither a hash nor a way to update them. A mark in the name of each source records which document
it was made from, and which content the document had: ``airflow-``, 8 digits for the title, 12 for the content. So
Retell's own state shows which sources this package owns, and which of them are outdated.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field

from airflow_provider_retell.api.knowledge_bases.limits import Kind
from airflow_provider_retell.api.multipart import Content

# Tolerates a server that changes the characters around the mark, or the case of a file name.
_MARK = re.compile(r"airflow[-_]([0-9a-f]{8})([0-9a-f]{12})\]?(?:\.\w{1,16})?$", re.IGNORECASE)
_NAME = re.compile(
    r"^(?P<stem>.*?)(?: \[|[._-])?airflow[-_][0-9a-f]{20}\]?(?P<suffix>\.\w{1,16})?$",
    re.IGNORECASE | re.DOTALL,
)
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,16}$")
_UNSAFE = re.compile(r"[^A-Za-z0-9._]+")
_MAX_STEM = 100


@dataclass(frozen=True)
class Mark:
    """The mark in the name of a source.

    :ivar title: the first 8 digits of the SHA-256 of the document's title.
    :ivar content: the first 12 digits of the SHA-256 of its content.
    """

    title: str
    content: str

    def __str__(self) -> str:
        return f"airflow-{self.title}{self.content}"

    @classmethod
    def of(cls, title: str, digest: str) -> Mark:
        """Return the mark of a document.

        :param digest: the SHA-256 of its content in hexadecimal digits.
        """
        return cls(hashlib.sha256(title.encode()).hexdigest()[:8], digest[:12])

    @classmethod
    def find(cls, name: str) -> Mark | None:
        """Return the mark in the *name* of a source, or None if the source is not owned."""
        match = _MARK.search(name)
        return cls(match[1].lower(), match[2].lower()) if match else None


@dataclass(frozen=True)
class Document:
    """A document that a knowledge base must have.

    :ivar title: the title, unique among the documents.
    :ivar content: the file; for a text, the inside of a JSON string.
    """

    title: str
    kind: Kind
    mark: Mark
    content: Content = field(repr=False)

    @property
    def source_name(self) -> str:
        """The name of its source: the title of a text, or the name of a file, with the mark.

        A file's name has ASCII letters, digits, dots and hyphens only, because servers change other characters.
        """
        if self.kind == "text":
            return f"{self.title} [{self.mark}]"
        suffix = _SUFFIX.search(self.title)
        stem = self.title[: suffix.start()] if suffix else self.title
        ascii_stem = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
        safe = _UNSAFE.sub("-", ascii_stem).strip("-.")[:_MAX_STEM] or "document"
        return f"{safe}.{self.mark}{suffix[0] if suffix else ''}"


def without_mark(name: str) -> str:
    """Return the *name* of a source without its mark, for messages."""
    match = _NAME.match(name)
    return match["stem"] + (match["suffix"] or "") if match else name
