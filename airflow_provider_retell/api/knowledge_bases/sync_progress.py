"""The progress of a sync."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_retell.api.knowledge_bases.document import Document, Mark, without_mark
from airflow_provider_retell.api.knowledge_bases.models import KnowledgeBaseSource
from airflow_provider_retell.api.knowledge_bases.plan import Plan, Step


@dataclass
class Progress:
    """The progress of one task. A deferred task stores it in Airflow's database as JSON, without contents.

    :ivar knowledge_base_id: the knowledge base, once it is known.
    :ivar owned: the number of owned sources when the task began.
    :ivar pending: the marks of the sources that were sent last and not checked yet.
    :ivar uncertain: True if it is unknown whether Retell processed the last request that adds sources.
    :ivar lost: the number of such requests.
    :ivar rounds: the number of requests that added sources.
    :ivar messages: digests of the error messages without a source, before the last request that adds sources.
    :ivar titles: the titles of the documents when the task began, as in marks.
    :ivar sent: the digest by title of each document that was sent last, both as in marks.
    :ivar added: the titles of new documents, as in marks.
    :ivar replaced: the titles of documents that replaced a source, as in marks.
    :ivar failed: the reason by mark of each document that Retell could not index.
    :ivar displaced: the marks of documents whose old version was deleted before they were sent, to make room.
    :ivar removed: the ids of all deleted sources.
    :ivar deleted: the name by id of each source that was deleted without a replacement.
    :ivar list_deadline: epoch seconds until which Retell's list of sources may be outdated.
    """

    knowledge_base_id: str | None = None
    owned: int | None = None
    pending: list[str] = field(default_factory=list)
    uncertain: bool = False
    lost: int = 0
    rounds: int = 0
    messages: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    sent: dict[str, str] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    displaced: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    deleted: dict[str, str] = field(default_factory=dict)
    list_deadline: float = 0.0

    def dump(self) -> dict[str, Any]:
        """Return JSON values, from which ``Progress(**values)`` makes the same progress."""
        return dataclasses.asdict(self)

    @property
    def changed(self) -> bool:
        """True if the task has sent a request that changes the knowledge base."""
        return bool(self.rounds or self.removed)

    def has_failed(self, document: Document) -> bool:
        """Return True if Retell could not index *document* in its current form."""
        return str(document.mark) in self.failed

    def note_sent(self, steps: Iterable[Step]) -> None:
        """Record that the sources of *steps* are sent."""
        steps = list(steps)
        self.rounds += 1
        self.pending = [str(step.document.mark) for step in steps]
        for step in steps:
            self.sent[step.document.mark.title] = step.document.mark.content
            self.note_outcome(step, replaced=step.action == "replace")

    def note_outcome(self, step: Step, *, replaced: bool) -> None:
        """Record the outcome of a document, unless it has one."""
        title = step.document.mark.title
        if title not in self.added and title not in self.replaced:
            (self.replaced if replaced else self.added).append(title)

    def note_displaced(self, source: KnowledgeBaseSource, missing: Iterable[Step]) -> None:
        """Record that an old version is deleted before the new one is sent.

        :param source: the old version, maybe with the title from before a renaming.
        """
        mark = Mark.find(source.name)
        for step in missing:
            if source in step.outdated:
                self.note_outcome(step, replaced=True)
            if (source,) == step.outdated or (
                mark is not None and mark.content == step.document.mark.content
            ):
                self.displaced.append(str(step.document.mark))

    def note_deletions(self, plan: Plan) -> None:
        """Record which deleted sources have a replacement in *plan*, and which have none."""
        removed = set(self.removed)
        for source in plan.gone:
            if source.source_id in removed:
                self.deleted[source.source_id] = without_mark(source.name)
        for step in plan.steps:
            deleted = removed.intersection(source.source_id for source in step.outdated)
            if deleted and step.action == "clean" and step.replaces:
                self.note_outcome(step, replaced=True)
