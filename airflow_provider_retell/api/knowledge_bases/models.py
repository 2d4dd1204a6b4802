"""Knowledge bases and their sources, as Retell returns them."""

from __future__ import annotations

import json
from typing import Any, ClassVar, NamedTuple

from pydantic import RootModel

from airflow_provider_retell.api import parsing
from airflow_provider_retell.api.response_model import ResponseModel

__all__ = ["KnowledgeBase", "KnowledgeBaseSource"]


class KnowledgeBaseSource(ResponseModel):
    """A text, a file or a URL in a knowledge base. ``repr`` shows the id and the type only."""

    identity: ClassVar[tuple[str, ...]] = ("source_id",)
    loggable: ClassVar[tuple[str, ...]] = ("source_id", "type")

    source_id: str
    type: str | None = None
    title: str | None = None
    content_url: str | None = None
    filename: str | None = None
    file_size: float | None = None
    file_url: str | None = None
    url: str | None = None

    @property
    def name(self) -> str:
        """The title of a text, the name of a file, or the URL."""
        return self.title or self.filename or self.url or ""

    @property
    def kind(self) -> str:
        """``"text"``, ``"file"`` or ``"url"``. Retell calls files documents."""
        return "file" if self.type == "document" else self.type or ""

    @property
    def error(self) -> str:
        """The error message in fields that Retell does not document, or ``""``."""
        fields = self.model_extra or {}
        return " ".join(
            SourceError.of(value).message
            for name, value in fields.items()
            if value and "error" in name.lower()
        )


class SourceError(NamedTuple):
    """An entry of ``error_messages``, whose form Retell does not document.

    :ivar text: the entry as text, or as JSON.
    :ivar message: the part that is a message.
    """

    text: str
    message: str

    @classmethod
    def of(cls, entry: Any) -> SourceError:
        """Return the error in *entry*, which is text or an object."""
        message = entry
        if isinstance(entry, dict):
            texts = [entry.get(name) for name in ("message", "error_message", "error", "reason")]
            message = next((text for text in texts if isinstance(text, str)), entry)
        return cls(_text(entry), _text(message))


class KnowledgeBase(ResponseModel):
    """A knowledge base. ``repr`` shows the id and the status only."""

    identity: ClassVar[tuple[str, ...]] = ("knowledge_base_id", "status")
    loggable: ClassVar[tuple[str, ...]] = ("knowledge_base_id", "status")

    knowledge_base_id: str
    status: str
    knowledge_base_name: str | None = None
    knowledge_base_sources: list[KnowledgeBaseSource] | None = None
    error_messages: Any = None
    enable_auto_refresh: bool | None = None
    last_refreshed_timestamp: int | None = None
    max_chunk_size: int | None = None
    min_chunk_size: int | None = None

    @property
    def in_progress(self) -> bool:
        """True while Retell is indexing. A status that this package does not know counts as in progress."""
        return self.status not in ("complete", "error")

    @property
    def sources(self) -> list[KnowledgeBaseSource]:
        """The sources. Retell may leave out those that it is still indexing."""
        return self.knowledge_base_sources or []

    @property
    def errors(self) -> list[SourceError]:
        """The errors of single sources."""
        found = self.error_messages or []
        if isinstance(found, dict):
            found = [{name: value} for name, value in found.items()]
        return [SourceError.of(item) for item in (found if isinstance(found, list) else [found])]


class KnowledgeBaseList(RootModel[list[KnowledgeBase]]):
    """The response of list-knowledge-bases: all knowledge bases, without pages."""

    @classmethod
    def read(cls, body: bytes) -> list[KnowledgeBase]:
        """Return the knowledge bases in *body*."""
        return parsing.read(cls, body).root


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
