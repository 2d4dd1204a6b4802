"""Checks before anything is sent: limits of the API, and plans that are probably a mistake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.knowledge_bases.document import Document
from airflow_provider_retell.api.knowledge_bases.limits import (
    DEFAULT_MAX_CHUNK_SIZE,
    DEFAULT_MIN_CHUNK_SIZE,
    MAX_FILES,
    MAX_TEXTS,
    Limits,
)
from airflow_provider_retell.api.knowledge_bases.models import KnowledgeBase
from airflow_provider_retell.api.knowledge_bases.plan import Plan, count_kinds


@dataclass(frozen=True)
class SyncSettings:
    """The settings of a sync.

    :ivar knowledge_base_name: the name of the knowledge base, to find or create it; None if its id is known.
    :ivar min_chunk_size: the chunk size of a new knowledge base, and the one that an existing one must have.
    :ivar max_chunk_size: the same for the largest chunk.
    :ivar adopt: True to replace sources without a mark whose name is the title of a document.
    :ivar min_documents: the smallest number of documents that is not an error.
    :ivar max_deleted_ratio: the largest share of the owned sources that may be deleted without a replacement.
    :ivar limits: the largest number of sources by kind.
    """

    knowledge_base_name: str | None = None
    min_chunk_size: int | None = None
    max_chunk_size: int | None = None
    adopt: bool = False
    min_documents: int = 1
    max_deleted_ratio: float = 0.5
    limits: Limits = field(default_factory=lambda: {"text": MAX_TEXTS, "file": MAX_FILES})


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
    gone = deleted + len(plan.gone)
    if owned and gone / owned > settings.max_deleted_ratio:
        raise RetellInputError(
            f"{gone} of the {owned} sources that this task owns ({gone / owned:.0%}) would be deleted without a "
            f"replacement, and max_deleted_ratio is {settings.max_deleted_ratio:g}: check the source of the documents, "
            "or raise max_deleted_ratio for one run"
        )


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
