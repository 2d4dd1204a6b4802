"""Decide which sources can be deleted."""

from __future__ import annotations

from collections.abc import Iterable

from airflow_provider_retell.api.knowledge_bases.document import Mark
from airflow_provider_retell.api.knowledge_bases.guards import changed_steps
from airflow_provider_retell.api.knowledge_bases.models import KnowledgeBaseSource
from airflow_provider_retell.api.knowledge_bases.plan import Plan, Step
from airflow_provider_retell.api.knowledge_bases.progress import Progress


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
