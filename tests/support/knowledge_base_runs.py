"""Knowledge bases in the emulator, and tasks that synchronize them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tasks import run_try

from airflow_provider_retell.api.knowledge_bases.document import Document, Mark, without_mark
from airflow_provider_retell.api.knowledge_bases.models import KnowledgeBase
from airflow_provider_retell.api.multipart import Content
from airflow_provider_retell.operators.knowledge_base import SyncKnowledgeBaseOperator

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator

KB = "kb_1"
WRITES = ("create-knowledge-base", "add-knowledge-base-sources", "delete-knowledge-base-source")


def task(documents: Any, **arguments: Any) -> SyncKnowledgeBaseOperator:
    """Return a task for the knowledge base ``kb_1``, or for one with a name."""
    if "knowledge_base_name" not in arguments:
        arguments.setdefault("knowledge_base_id", KB)
    return SyncKnowledgeBaseOperator(task_id="refresh", documents=documents, **arguments)


def refresh(documents: Any, **arguments: Any) -> dict[str, Any]:
    """Run a task as its first try, and return its result."""
    return run_try(task(documents, **arguments))


def outcomes(result: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the numbers of documents that were added, replaced, unchanged and failed, and of deleted sources."""
    return tuple(result[name] for name in ("added", "replaced", "unchanged", "failed", "deleted"))


def texts(contents: Mapping[str, str]) -> list[dict[str, str]]:
    """Return documents from texts by title."""
    return [{"title": title, "text": text} for title, text in contents.items()]


def source(title: str, text: str = "", *, kind: str = "text") -> dict[str, Any]:
    """Return a source as the operator would have added it."""
    mark = Mark.of(title, hashlib.sha256(text.encode()).hexdigest())
    if kind == "text":
        return {"type": "text", "title": f"{title} [{mark}]", "_text": text}
    stem, _, suffix = title.rpartition(".")
    return {"type": "document", "filename": f"{stem}.{mark}.{suffix}"}


def document(title: str, text: str = "1", kind: Any = "text") -> Document:
    """Return a document as the operator reads it."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Document(title, kind, Mark.of(title, digest), Content.of(text.encode()))


def knowledge_base(*sources: dict[str, Any], **fields: Any) -> KnowledgeBase:
    """Return a knowledge base as Retell describes it."""
    numbered: Any = [{"source_id": f"source_{n}", "type": "text", **item} for n, item in enumerate(sources)]
    values: dict[str, Any] = {"knowledge_base_id": "kb", "status": "complete", **fields}
    return KnowledgeBase(knowledge_base_sources=numbered, **values)


def names(emulator: Emulator, knowledge_base_id: str = KB) -> list[str]:
    """Return the names of the listed sources without marks, sorted."""
    return sorted(without_mark(name_of(item)) for item in listed(emulator, knowledge_base_id))


def contents(emulator: Emulator, knowledge_base_id: str = KB) -> dict[str, str]:
    """Return the texts of the listed sources by name without the mark."""
    found = listed(emulator, knowledge_base_id)
    texts_by_name = {without_mark(item["title"]): item["_text"] for item in found if "_text" in item}
    assert len(texts_by_name) == sum("_text" in item for item in found), "a document is there twice"
    return texts_by_name


def listed(emulator: Emulator, knowledge_base_id: str = KB) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = emulator.knowledge_bases[knowledge_base_id]["knowledge_base_sources"]
    return found


def name_of(item: Mapping[str, Any]) -> str:
    return str(item.get("title") or item.get("filename") or item.get("url"))


def writes(emulator: Emulator) -> list[str | None]:
    """Return the routes of the requests that change something, in order."""
    return [request.route for request in emulator.requests if request.route in WRITES]


class History:
    """The names that a knowledge base lists after each change, without marks.

    :ivar states: the names after each change.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self.states: list[frozenset[str]] = []
        backend = emulator.organization.knowledge_base_backend
        for method in ("_indexed", "delete_source"):
            setattr(backend, method, self._watched(getattr(backend, method)))

    def _watched(self, method: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: Any) -> None:
            method(*arguments)
            for item in self._emulator.organization.knowledge_base_backend.objects.values():
                sources = item["knowledge_base_sources"]
                self.states.append(frozenset(without_mark(name_of(source)) for source in sources))

        return call

    def missing(self, titles: Iterable[str]) -> set[str]:
        """Return those of *titles* that were missing after some change."""
        return {title for title in titles for state in self.states if title not in state}

    def largest_gap(self, titles: Iterable[str]) -> int:
        """Return the largest number of *titles* that were missing at the same time."""
        wanted = set(titles)
        return max((len(wanted - state) for state in self.states), default=0)


def prepared(emulator: Emulator, documents: Mapping[str, str], **arguments: Any) -> History:
    """Fill the knowledge base, forget the requests, and watch the knowledge base from then on."""
    refresh(texts(documents), **arguments)
    emulator.clear_requests()
    return History(emulator)
