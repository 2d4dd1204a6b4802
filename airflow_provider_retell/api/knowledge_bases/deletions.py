"""Decide which sources can be deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.api.knowledge_bases.document import Mark
from airflow_provider_retell.api.knowledge_bases.guards import changed_steps
from airflow_provider_retell.api.knowledge_bases.models import KnowledgeBase, KnowledgeBaseSource
from airflow_provider_retell.api.knowledge_bases.plan import Plan, Step
from airflow_provider_retell.api.knowledge_bases.sync_progress import Progress


def gone(plan: Plan, progress: Progress, missing: Iterable[Step]) -> list[KnowledgeBaseSource]:
    """Return the sources whose document is gone.

    A source stays as long as its content is missing under another title: the document was renamed.
    """
    awaited = {step.document.mark.content for step in missing}
    awaited |= {mark[-12:] for mark in progress.failed}
    return [
        source
        for source in plan.gone
        if (mark := Mark.find(source.name)) is not None and mark.content not in awaited
    ]


def for_room(
    knowledge_base: KnowledgeBase, plan: Plan, progress: Progress, missing: Sequence[Step]
) -> tuple[list[KnowledgeBaseSource], bool]:
    """Return the sources to delete before adding, because the knowledge base is at its limit: as few as possible.

    :return: the sources, and True if they include the old version of a missing document.
    :raises RetellError: if none can be deleted.
    """
    kinds = {step.document.kind for step in missing}
    there = {source.source_id for source in knowledge_base.sources}

    def fits(source: KnowledgeBaseSource) -> bool:
        return source.kind in kinds and source.source_id in there

    if found := list(filter(fits, gone(plan, progress, missing))):
        return found, False
    outdated = [source for step in reversed(missing) for source in step.outdated]
    found = list(filter(fits, [*outdated, *plan.gone]))[:1]
    if not found or len(there) == 1:
        error = RetellError(
            f"Knowledge base {knowledge_base.knowledge_base_id} is at its limit of sources, and nothing can be deleted "
            "to make room. Use another knowledge base"
        )
        error.permanent = True
        raise error
    return found, True


def superseded(plan: Plan, progress: Progress) -> list[KnowledgeBaseSource]:
    """Return the outdated sources, also of documents that have changed since they were sent.

    Of the latter, the source that was sent stays.
    """
    found = plan.outdated
    for step in changed_steps(plan, progress):
        sent = Mark(step.document.mark.title, progress.sent[step.document.mark.title])
        marks = [Mark.find(source.name) for source in step.outdated]
        if sent in marks:
            found += [source for source, mark in zip(step.outdated, marks, strict=True) if mark != sent]
    return found
