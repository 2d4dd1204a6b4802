"""The knowledge bases of one organization: creating, indexing, editing and finding them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.backend import Backend
from airflow_provider_retell.emulator.responses import ApiError

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.options import Options
    from airflow_provider_retell.emulator.timeline import Timeline

KnowledgeBase = dict[str, Any]
"""A knowledge base with all fields. Names that begin with ``_`` are fields that the API does not show."""

Source = dict[str, Any]
"""A source. ``_text`` has the text, ``_sha256`` the digest of a file."""

STATUSES = ("in_progress", "complete", "error", "refreshing_in_progress")
SOURCE_TYPES = ("text", "document", "url")

_FILES = "https://dxc03zgurdly9.cloudfront.net.invalid"
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]")


class KnowledgeBaseBackend(Backend[KnowledgeBase]):
    """The knowledge bases of one organization.

    :param timeline: the schedule of the organization.
    """

    noun = "knowledge base"

    def __init__(self, options: Options, timeline: Timeline) -> None:
        super().__init__(options)
        self.settings = options.knowledge_bases
        self._timeline = timeline

    # -- the control API and tests

    def add(self, **fields: Any) -> KnowledgeBase:
        """Add a knowledge base that is indexed, and return it; see ``Organization.add_knowledge_base``."""
        given = fields.pop("knowledge_base_sources", ())
        knowledge_base = new_knowledge_base({"status": "complete", **fields})
        if knowledge_base["status"] not in STATUSES:
            raise ValueError(f"status must be one of {', '.join(STATUSES)}, not {knowledge_base['status']!r}")
        if knowledge_base["knowledge_base_id"] in self.objects:
            raise ValueError(f"knowledge base {knowledge_base['knowledge_base_id']!r} exists already")
        knowledge_base["knowledge_base_sources"] = [new_source(source) for source in given]
        self.objects[knowledge_base["knowledge_base_id"]] = knowledge_base
        return knowledge_base

    def edit(self, object_id: str, **fields: Any) -> KnowledgeBase:
        """Change fields of a knowledge base and return it; see ``Organization.edit_knowledge_base``."""
        knowledge_base = self.existing(object_id)
        if fields.get("knowledge_base_id", object_id) != object_id:
            raise ValueError("knowledge_base_id must not change: add a new knowledge base instead")
        if fields.get("status", "complete") not in STATUSES:
            raise ValueError(f"status must be one of {', '.join(STATUSES)}, not {fields['status']!r}")
        if "knowledge_base_sources" in fields:
            fields["knowledge_base_sources"] = [new_source(item) for item in fields["knowledge_base_sources"]]
        knowledge_base.update(fields)
        return knowledge_base

    # -- the endpoints

    def visible(self, knowledge_base: KnowledgeBase) -> dict[str, Any]:
        """Return *knowledge_base* as the API shows it."""
        shown = {name: value for name, value in knowledge_base.items() if not name.startswith("_")}
        shown["knowledge_base_sources"] = [
            {name: value for name, value in source.items() if not name.startswith("_")}
            for source in knowledge_base["knowledge_base_sources"]
        ]
        errors = [*shown.pop("error_messages", ()), *(value for _, value in knowledge_base["_errors"])]
        return {**shown, "error_messages": errors} if errors else shown

    def missing(self, object_id: str) -> ApiError:
        """Return the error that Retell sends for an unknown id."""
        return ApiError(self.settings.missing_status, f"Item {object_id} not found from knowledge-base")

    def create(self, fields: Mapping[str, Any], sources: list[Source]) -> KnowledgeBase:
        """Create a knowledge base and start to index its sources."""
        knowledge_base = new_knowledge_base({**fields, "status": "complete"})
        self.objects[knowledge_base["knowledge_base_id"]] = knowledge_base
        self.index(knowledge_base, sources, status="in_progress")
        return knowledge_base

    def index(
        self,
        knowledge_base: KnowledgeBase,
        sources: Iterable[Source],
        *,
        status: str = "refreshing_in_progress",
    ) -> None:
        """Start to index *sources*. The errors of earlier requests are forgotten, which is our guess."""
        if knowledge_base["status"] != "in_progress":
            knowledge_base["status"] = status
        knowledge_base["_errors"] = []
        knowledge_base["_requests"] += 1
        indexed = partial(self._indexed, knowledge_base, list(sources))
        self._timeline.at(self.options.clock.now() + self.settings.indexing_seconds, indexed)

    def _indexed(self, knowledge_base: KnowledgeBase, sources: list[Source], when: float) -> None:
        listed = []
        for source in sources:
            message = self._failure(source)
            if message is not None:
                knowledge_base["_errors"].append((source["source_id"], self._error(source, message)))
            if message is None or self.settings.lists_failed_sources:
                listed.append(source)
        if self.settings.listing_delay:
            later = when + self.settings.listing_delay
            self._timeline.at(later, lambda _: knowledge_base["knowledge_base_sources"].extend(listed))
        else:
            knowledge_base["knowledge_base_sources"].extend(listed)
        knowledge_base["_requests"] -= 1
        if knowledge_base["_requests"] == 0:
            is_new, failed = knowledge_base["status"] == "in_progress", len(knowledge_base["_errors"])
            # That only a knowledge base without any good source gets the status "error" is our guess.
            broken = is_new and bool(sources) and failed == len(sources)
            knowledge_base["status"] = "error" if broken else "complete"

    def _failure(self, source: Source) -> str | None:
        return next((text for part, text in self.settings.failures.items() if part in name_of(source)), None)

    def _error(self, source: Source, message: str) -> Any:
        if self.settings.error_form == "source_id":
            return {"source_id": source["source_id"], "message": message}
        return f"{name_of(source)}: {message}" if self.settings.error_form == "name" else message

    def delete_source(self, knowledge_base: KnowledgeBase, source_id: str) -> None:
        """Delete a source."""
        sources = knowledge_base["knowledge_base_sources"]
        found = next((source for source in sources if source["source_id"] == source_id), None)
        if found is None or "_deleted" in found:
            raise ApiError(
                self.settings.missing_status, f"Item {source_id} not found from knowledge-base-source"
            )
        if len(sources) == 1 and self.settings.keeps_last_source:
            raise ApiError(400, "Knowledge base must have at least one source")
        knowledge_base["_errors"] = [error for error in knowledge_base["_errors"] if error[0] != source_id]
        found["_deleted"] = True
        if self.settings.listing_delay:
            later = self.options.clock.now() + self.settings.listing_delay
            self._timeline.at(later, lambda _: sources.remove(found))
        else:
            sources.remove(found)
        if self.settings.refreshes_on_delete:
            self.index(knowledge_base, ())

    def stored_name(self, filename: str) -> str:
        """Return the name under which a file is stored."""
        return _UNSAFE.sub("_", filename) if self.settings.sanitizes_file_names else filename


def new_knowledge_base(fields: Mapping[str, Any]) -> KnowledgeBase:
    """Return a knowledge base with the given fields and defaults for all others."""
    return {
        "knowledge_base_id": f"knowledge_base_{uuid.uuid4().hex[:16]}",
        "knowledge_base_name": "Handbook",
        "enable_auto_refresh": False,
        "min_chunk_size": 400,
        "max_chunk_size": 2000,
        "knowledge_base_sources": [],
        "_errors": [],
        "_requests": 0,
        **{name: value for name, value in fields.items() if value is not None},
    }


def new_source(fields: Mapping[str, Any]) -> Source:
    """Return a source with the given fields and the others of its type."""
    kind = fields.get("type", "text")
    if kind not in SOURCE_TYPES:
        raise ValueError(f"the type of a source must be one of {', '.join(SOURCE_TYPES)}, not {kind!r}")
    source_id = fields.get("source_id") or f"source_{uuid.uuid4().hex[:16]}"
    url = f"{_FILES}/{source_id}"
    defaults: Mapping[str, dict[str, Any]] = {
        "text": {"title": "Title", "content_url": f"{url}/content.txt"},
        "document": {"filename": "file.pdf", "file_size": 1024, "file_url": f"{url}/file"},
        "url": {"url": "https://example.com"},
    }
    return {"type": kind, "source_id": source_id, **defaults[kind], **fields}


def name_of(source: Source) -> str:
    """Return the title, file name or URL of a source."""
    return str(source.get("title") or source.get("filename") or source.get("url"))
