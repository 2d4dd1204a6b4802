"""Compare documents with the sources of a knowledge base: which sources are missing, and which are outdated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from airflow_provider_retell.api.knowledge_bases.document import Document, Mark
from airflow_provider_retell.api.knowledge_bases.limits import MAX_FILES_PER_REQUEST, Kind, Limits
from airflow_provider_retell.api.knowledge_bases.models import KnowledgeBase, KnowledgeBaseSource
from airflow_provider_retell.api.knowledge_bases.source_errors import SourceErrors

Action = Literal["none", "add", "replace", "clean"]


@dataclass(frozen=True)
class Step:
    """A document and the sources that were made from it.

    :ivar current: the source with the document's content, or None.
    :ivar outdated: other sources of the document, which it replaces.
    """

    document: Document
    current: KnowledgeBaseSource | None
    outdated: tuple[KnowledgeBaseSource, ...] = ()

    @property
    def action(self) -> Action:
        """``"add"`` a new document, ``"replace"`` its source, ``"clean"`` up outdated sources, or ``"none"``."""
        if self.current is None:
            return "replace" if self.outdated else "add"
        return "clean" if self.outdated else "none"

    @property
    def replaces(self) -> bool:
        """True if a source with other content is outdated, not only a second copy."""
        return any(Mark.find(source.name) != self.document.mark for source in self.outdated)


@dataclass(frozen=True)
class Plan:
    """The result of a comparison.

    :ivar steps: a step for each document, in the order of the documents.
    :ivar gone: owned sources whose document is gone.
    :ivar others: the sources that this plan never touches.
    """

    steps: tuple[Step, ...]
    gone: tuple[KnowledgeBaseSource, ...]
    owned: int
    others: tuple[KnowledgeBaseSource, ...]

    @property
    def missing(self) -> list[Step]:
        """The steps that need a new source."""
        return [step for step in self.steps if step.current is None]

    @property
    def outdated(self) -> list[KnowledgeBaseSource]:
        """The sources that can be deleted, because their document has a current source."""
        return [source for step in self.steps if step.current is not None for source in step.outdated]

    @property
    def replacing(self) -> list[str]:
        """The marks of current sources whose document has an old version too."""
        return [
            str(step.document.mark)
            for step in self.steps
            if step.current is not None and self.has_old_version(step)
        ]

    def has_old_version(self, step: Step) -> bool:
        """Return True if a document has a source with other content, or with the title from before a renaming."""
        contents = [mark.content for source in self.gone if (mark := Mark.find(source.name))]
        return step.replaces or step.document.mark.content in contents


def compare(documents: Sequence[Document], knowledge_base: KnowledgeBase, *, adopt: bool = False) -> Plan:
    """Return the plan that brings *knowledge_base* to the state of *documents*.

    :param adopt: True to replace sources without a mark whose name is the title of a document.
    """
    errors = SourceErrors(knowledge_base)
    titles = {document.title for document in documents}
    by_title: dict[str, list[KnowledgeBaseSource]] = defaultdict(list)
    adopted: dict[str, list[KnowledgeBaseSource]] = defaultdict(list)
    others = []
    for source in knowledge_base.sources:
        mark = Mark.find(source.name)
        if mark is not None and source.kind != "url":
            by_title[mark.title].append(source)
        elif adopt and source.kind != "url" and source.name in titles:
            adopted[source.name].append(source)
        else:
            others.append(source)
    owned = sum(map(len, by_title.values()))
    steps = []
    for document in documents:
        sources = by_title.pop(document.mark.title, [])
        current = [
            source
            for source in sources
            if Mark.find(source.name) == document.mark and not errors.of_source(source)
        ]
        outdated = [source for source in sources if source not in current[:1]]
        steps.append(Step(document, current[0] if current else None, (*outdated, *adopted[document.title])))
    gone = tuple(source for sources in by_title.values() for source in sources)
    return Plan(tuple(steps), gone, owned, tuple(others))


def count_kinds(sources: Collection[KnowledgeBaseSource]) -> dict[Kind, int]:
    """Return the number of texts and files among *sources*."""
    kinds = [source.kind for source in sources]
    return {"text": kinds.count("text"), "file": kinds.count("file")}


def next_round(steps: Sequence[Step], used: Mapping[Kind, int], limits: Limits) -> list[Step]:
    """Return the steps whose sources fit into the knowledge base and into one request.

    Replacements come before new documents: each of them frees a place for the next round.

    :param steps: the steps that need a new source.
    :param used: the number of sources that the knowledge base has, by kind.
    """
    chosen = []
    free = {kind: max(limit - used[kind], 0) for kind, limit in limits.items()}
    free["file"] = min(free["file"], MAX_FILES_PER_REQUEST)
    for step in sorted(steps, key=lambda step: step.action != "replace"):
        if free[step.document.kind] > 0:
            free[step.document.kind] -= 1
            chosen.append(step)
    return chosen
