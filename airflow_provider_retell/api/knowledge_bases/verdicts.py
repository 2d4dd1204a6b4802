"""Decide which of the sources that were added failed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable

from airflow_provider_retell.api.knowledge_bases.document import Mark
from airflow_provider_retell.api.knowledge_bases.models import KnowledgeBase, KnowledgeBaseSource
from airflow_provider_retell.api.knowledge_bases.source_errors import SourceErrors
from airflow_provider_retell.api.knowledge_bases.sync_progress import Progress
from airflow_provider_retell.api.redact import plain_words


def failures(knowledge_base: KnowledgeBase, progress: Progress) -> dict[str, str]:
    """Return the reason by mark of each pending source that failed.

    A source succeeded if Retell lists it and no error message is about it. A new message that names no listed source is
    about one that is not listed. If more messages name none, no pending source is known to have succeeded.
    """
    errors = SourceErrors(knowledge_base)
    listed = {str(Mark.find(source.name)) for source in knowledge_base.sources}
    found = {
        mark: f"Retell reports: {plain_words(text)}"
        for mark in progress.pending
        if (text := errors.of_mark(mark))
    }
    unlisted = [mark for mark in progress.pending if mark not in found and mark not in listed]
    messages = [text for text in errors.unassigned() if digest(text) not in progress.messages]
    reports = f". It reports: {plain_words('; '.join(messages))}" if messages else ""
    # If it is unknown whether Retell got the sources, they are sent again.
    if not progress.uncertain or messages:
        found.update((mark, f"Retell does not list it after indexing{reports}") for mark in unlisted)
    for mark in progress.pending:
        if mark not in found and mark in listed:
            if knowledge_base.status == "error":
                found[mark] = "Retell could not index the knowledge base"
            elif len(messages) > len(unlisted):
                found[mark] = f"Retell may not have indexed it{reports}"
    return found


def rejected(
    knowledge_base: KnowledgeBase, failed: Iterable[str], replacing: Iterable[str]
) -> list[KnowledgeBaseSource]:
    """Return the listed sources of *failed* marks that must be deleted, so that the old versions are left.

    A source without an error message of its own stays if its document has no other source.

    :param replacing: the marks of sources whose document has an old version.
    """
    errors = SourceErrors(knowledge_base)
    marks = {source.source_id: Mark.find(source.name) for source in knowledge_base.sources}
    copies = Counter(mark.title for mark in marks.values() if mark)
    is_broken, wanted, replaceable = knowledge_base.status == "error", set(failed), set(replacing)
    return [
        source
        for source in knowledge_base.sources
        if (mark := marks[source.source_id]) is not None
        and str(mark) in wanted
        and (is_broken or copies[mark.title] > 1 or str(mark) in replaceable or errors.of_source(source))
    ]


def digest(text: str) -> str:
    """Return a digest of an error message."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
