"""The result of a sync: the outcome of each document, and the sources that were deleted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_provider_retell.api.errors import DocumentsFailedError
from airflow_provider_retell.api.knowledge_bases.document import Document, without_mark

if TYPE_CHECKING:
    from airflow_provider_retell.api.knowledge_bases.plan import Step
    from airflow_provider_retell.api.knowledge_bases.sync import Sync
    from airflow_provider_retell.api.knowledge_bases.sync_progress import Progress

Outcome = Literal["added", "replaced", "unchanged", "failed"]
# Titles of failed documents in the error message.
_TITLES = 10


@dataclass(frozen=True)
class DocumentResult:
    """The outcome of a document, done or planned.

    :ivar reason: why it failed, or ``""``.
    :ivar kept: True if it failed, and its old version is still there.
    :ivar displaced: True if it failed, and its old version was deleted before, to make room.
    """

    title: str
    outcome: Outcome
    reason: str = ""
    kept: bool = False
    displaced: bool = False


@dataclass(frozen=True)
class SyncResult:
    """The outcome of a sync, done or planned.

    :ivar deleted: the names of sources whose document is gone.
    """

    documents: tuple[DocumentResult, ...]
    deleted: tuple[str, ...]

    @classmethod
    def of(cls, sync: Sync) -> SyncResult:
        """Return the result of a sync that is done. After a preview: the one if Retell can index all documents."""
        plan = sync.plan
        if plan is not None:
            results = tuple(DocumentResult(step.document.title, _planned(step)) for step in plan.steps)
            return cls(results, tuple(without_mark(source.name) for source in plan.gone))
        results = tuple(_result(document, sync.progress, sync.kept) for document in sync.documents)
        return cls(results, tuple(sync.progress.deleted.values()))

    def __str__(self) -> str:
        counts = self.counts()
        outcomes = ", ".join(f"{counts[outcome]} {outcome}" for outcome in get_args(Outcome))
        return f"documents: {counts['documents']} ({outcomes}), deleted sources: {counts['deleted']}"

    @property
    def failed(self) -> list[DocumentResult]:
        """The documents that Retell could not index."""
        return [document for document in self.documents if document.outcome == "failed"]

    def error(self, next_step: str) -> DocumentsFailedError:
        """Return the error of a task whose documents failed.

        :param next_step: the last sentence of the message.
        """
        failed = self.failed
        shown = [f"{document.title!r} ({document.reason})" for document in failed[:_TITLES]]
        more = f" and {len(failed) - _TITLES} more" if len(failed) > _TITLES else ""
        documents = f"{len(self.documents)} document{'s' * (len(self.documents) != 1)}"
        sentences = [f"Retell could not index {len(failed)} of {documents}: {', '.join(shown)}{more}"]
        if kept := sum(document.kept for document in failed):
            which = "these documents" if kept == len(failed) else f"{kept} of them"
            sentences.append(f"Old versions of {which} stay in the knowledge base")
        if displaced := [repr(document.title) for document in failed if document.displaced]:
            sentences.append(
                f"The knowledge base is at its limit of sources, so the old versions of {', '.join(displaced)} were "
                "deleted first and are missing now"
            )
        return DocumentsFailedError(
            ". ".join([*sentences, next_step]), titles=tuple(document.title for document in failed)
        )

    def plan(self) -> dict[str, list[str]]:
        """Return the titles to add and to replace, and the names of sources to delete."""
        titles = {
            action: [document.title for document in self.documents if document.outcome == outcome]
            for action, outcome in (("add", "added"), ("replace", "replaced"))
        }
        return {**titles, "delete": list(self.deleted)}

    def counts(self) -> dict[str, int]:
        """Return the number of documents by outcome, which add up to ``documents``, and of deleted sources."""
        counts = Counter(document.outcome for document in self.documents)
        return {
            "documents": len(self.documents),
            **{outcome: counts[outcome] for outcome in get_args(Outcome)},
            "deleted": len(self.deleted),
        }

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield the lines of the report."""
        for document in self.documents:
            reason = document.reason
            if document.displaced:
                reason += ". Its old version was deleted first, because the knowledge base is at its limit of sources"
            yield {"title": document.title, "outcome": document.outcome, "reason": reason}
        for name in self.deleted:
            yield {"title": name, "outcome": "deleted", "reason": ""}


def _result(document: Document, progress: Progress, kept: Collection[str]) -> DocumentResult:
    title, mark = document.mark.title, str(document.mark)
    if reason := progress.failed.get(mark, ""):
        displaced = mark in progress.displaced
        return DocumentResult(document.title, "failed", reason, mark in kept, displaced)
    if title in progress.replaced:
        return DocumentResult(document.title, "replaced")
    return DocumentResult(document.title, "added" if title in progress.added else "unchanged")


def _planned(step: Step) -> Outcome:
    if step.action == "add":
        return "added"
    replaces = step.action == "replace" or (step.action == "clean" and step.replaces)
    return "replaced" if replaces else "unchanged"
