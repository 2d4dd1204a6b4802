"""Checks before anything is sent: limits of the API, and plans that are probably a mistake."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from airflow_provider_retell.api.deletion import check_deleted_ratio
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.knowledge_bases.bodies import check_settings
from airflow_provider_retell.api.knowledge_bases.document import Document, Mark, without_mark
from airflow_provider_retell.api.knowledge_bases.limits import (
    DEFAULT_MAX_CHUNK_SIZE,
    DEFAULT_MIN_CHUNK_SIZE,
    MAX_FILES,
    MAX_TEXTS,
    Limits,
)
from airflow_provider_retell.api.knowledge_bases.models import KnowledgeBase
from airflow_provider_retell.api.knowledge_bases.plan import Plan, Step, count_kinds
from airflow_provider_retell.api.knowledge_bases.sync_progress import Progress

# Titles in a message.
_TITLES = 10


@dataclass(frozen=True)
class SyncSettings:
    """The settings of a sync. RetellInputError if those of a new knowledge base are invalid.

    :ivar knowledge_base_name: the name of the knowledge base, to find or create it; None if its id is known.
    :ivar min_chunk_size: the chunk size of a new knowledge base, and the one that an existing one must have.
    :ivar max_chunk_size: the same for the largest chunk.
    :ivar adopt: True to replace sources without a mark whose name is the title of a document.
    :ivar min_documents: the smallest number of documents that is not an error.
    :ivar max_deleted_ratio: the largest share of the owned sources that may be deleted without a replacement.
    """

    knowledge_base_name: str | None = None
    min_chunk_size: int | None = None
    max_chunk_size: int | None = None
    adopt: bool = False
    min_documents: int = 1
    max_deleted_ratio: float = 0.5
    limits: Limits = field(default_factory=lambda: {"text": MAX_TEXTS, "file": MAX_FILES})

    def __post_init__(self) -> None:
        check_settings(
            "knowledge base",
            knowledge_base_name="by id" if self.knowledge_base_name is None else self.knowledge_base_name,
            min_chunk_size=self.min_chunk_size,
            max_chunk_size=self.max_chunk_size,
        )


def check_documents(documents: Sequence[Document], settings: SyncSettings, origin: str) -> None:
    """Raise :class:`RetellInputError` if there are too few documents.

    :param origin: describes where they come from, for the message.
    """
    count = len(documents)
    if count < settings.min_documents:
        found = "no documents" if count == 0 else f"{count} document{'s' * (count != 1)}"
        raise RetellInputError(
            f"{origin} has {found}, and min_documents is {settings.min_documents}: check the source of the documents. "
            "An empty source does not delete the knowledge base"
        )


def check_plan(plan: Plan, settings: SyncSettings, owned: int, deleted: int) -> None:
    """Raise :class:`RetellInputError` if *plan* exceeds a limit or deletes too much.

    :param owned: the number of owned sources when the task began.
    :param deleted: the number of sources that the task has deleted without a replacement.
    """
    others = count_kinds(plan.others)
    for kind, limit in settings.limits.items():
        wanted = sum(step.document.kind == kind for step in plan.steps)
        if wanted + others[kind] > limit:
            kept = f" and {others[kind]} that it does not own" if others[kind] else ""
            raise RetellInputError(
                f"the knowledge base would have {wanted} {kind}s of this task{kept}; the limit is {limit} {kind}s. "
                "Join documents, or use another knowledge base"
            )
    if not plan.steps and not plan.others:
        raise RetellInputError(
            "there are no documents, and the knowledge base has no other sources: a knowledge base must keep its last "
            "source. Delete the knowledge base instead"
        )
    check_deleted_ratio(
        deleted + len(plan.gone),
        owned,
        settings.max_deleted_ratio,
        "sources that this task owns",
        "the source of the documents",
    )


def changed_steps(plan: Plan, progress: Progress) -> list[Step]:
    """Return the steps of documents whose content has changed since the task sent them."""
    return [
        step
        for step in plan.missing
        if progress.sent.get(step.document.mark.title, step.document.mark.content)
        != step.document.mark.content
    ]


def check_stable(plan: Plan, progress: Progress) -> None:
    """Raise :class:`RetellInputError` if documents differ from those that the task has sent.

    Documents that differ each time they are read would keep the task busy forever.
    """
    if changed := changed_steps(plan, progress):
        raise _unstable(f"the content of {_quoted(step.document.title for step in changed)} has changed")
    gone = [
        source.name
        for source in plan.gone
        if (mark := Mark.find(source.name)) is not None and mark.title in progress.sent
    ]
    new = [step.document.title for step in plan.missing if step.document.mark.title not in progress.titles]
    if gone and new:
        renamed = _quoted(without_mark(name) for name in gone)
        raise _unstable(f"{renamed} disappeared and {_quoted(new)} appeared")


def _unstable(change: str) -> RetellInputError:
    return RetellInputError(
        f"documents: {change} after the task had sent documents to Retell. A deferred task reads its documents again "
        "when it continues. Remove parts that differ each time, such as the current time, or set deferrable=False"
    )


def _quoted(titles: Iterable[str]) -> str:
    names = [repr(title) for title in titles]
    more = f" and {len(names) - _TITLES} more" if len(names) > _TITLES else ""
    return ", ".join(names[:_TITLES]) + more


def check_chunk_sizes(knowledge_base: KnowledgeBase, settings: SyncSettings) -> None:
    """Raise :class:`RetellInputError` if the chunk sizes differ. Retell cannot change them."""
    for name, default in (
        ("min_chunk_size", DEFAULT_MIN_CHUNK_SIZE),
        ("max_chunk_size", DEFAULT_MAX_CHUNK_SIZE),
    ):
        wanted, found = getattr(settings, name), getattr(knowledge_base, name)
        found = default if found is None else found
        if wanted is not None and wanted != found:
            raise RetellInputError(
                f"{name} is {wanted}, but knowledge base {knowledge_base.knowledge_base_id} was created with {found}, "
                f"and Retell cannot change it: remove {name}, or use a new knowledge base"
            )
