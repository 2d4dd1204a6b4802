"""Bring a knowledge base to the state of a set of documents, step by step.

Each step reads the knowledge base, compares it with the documents, deletes outdated sources, and then adds the next new
ones. Retell's state is the only state, so a task that was killed after any request starts again with the same step.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from airflow_provider_retell.api.deletion import delete
from airflow_provider_retell.api.errors import RetellError, RetellInputError
from airflow_provider_retell.api.knowledge_bases import deletions, endpoints
from airflow_provider_retell.api.knowledge_bases.bodies import KnowledgeBaseFile, KnowledgeBaseText
from airflow_provider_retell.api.knowledge_bases.document import Document, without_mark
from airflow_provider_retell.api.knowledge_bases.guards import (
    SyncSettings,
    check_chunk_sizes,
    check_plan,
    check_stable,
)
from airflow_provider_retell.api.knowledge_bases.models import KnowledgeBase, KnowledgeBaseSource
from airflow_provider_retell.api.knowledge_bases.plan import (
    Plan,
    Step,
    compare,
    count_kinds,
    next_round,
)
from airflow_provider_retell.api.knowledge_bases.source_errors import SourceErrors
from airflow_provider_retell.api.knowledge_bases.sync_progress import Progress
from airflow_provider_retell.api.knowledge_bases.verdicts import digest, failures, rejected
from airflow_provider_retell.api.knowledge_bases.waits import KnowledgeBaseReady
from airflow_provider_retell.api.request import Flow
from airflow_provider_retell.clock import clock

log = logging.getLogger(__name__)

# Retell does not document how soon its list of sources shows a change.
_LIST_SECONDS = 60.0
# Requests with an unknown outcome, after which the task fails.
_MAX_LOST = 3


class Sync:
    """One task's work on a knowledge base: run :meth:`advance` and wait for its condition, until it returns None.

    :param documents: have unique titles.
    :param progress: is updated with each step.
    :ivar status: the last known status of the knowledge base, or None before it exists.
    :ivar plan: the plan of :meth:`preview`.
    :ivar kept: the marks of failed documents that keep their old version, known at the end.
    """

    def __init__(self, documents: Sequence[Document], settings: SyncSettings, progress: Progress) -> None:
        self.documents = documents
        self.settings = settings
        self.progress = progress
        self.status: str | None = None
        self.plan: Plan | None = None
        self.kept: frozenset[str] = frozenset()

    def preview(self) -> Flow[KnowledgeBaseReady | None]:
        """Make the plan without changing anything. Return None, or the condition to wait for before the next call."""
        knowledge_base = yield from self._read()
        if knowledge_base is not None and knowledge_base.in_progress:
            return self._ready()
        self.plan = self._compare(knowledge_base or _nothing())
        return None

    def advance(self) -> Flow[KnowledgeBaseReady | None]:
        """Do the next step, and return the condition to wait for before the one after it, or None at the end.

        :raises RetellInputError: if a guard stops the task before anything is sent.
        :raises RetellError: if a request fails, or Retell's state is not as expected.
        """
        found = yield from self._read()
        if found is None:
            return (yield from self._create())
        if found.in_progress:
            return self._ready()
        progress, before = self.progress, len(self.progress.removed)
        is_first = progress.owned is None
        if is_first:
            # An earlier try may have been killed before it learned whether Retell could index its sources.
            progress.pending = self._compare(found).replacing
        knowledge_base = yield from self._check_pending(found)
        if is_first:
            progress.failed.clear()  # this try sends them again
        plan = self._compare(knowledge_base)
        yield from self._check_stable(knowledge_base, plan)
        missing = [step for step in plan.missing if not progress.has_failed(step.document)]
        deletable = plan.outdated
        if progress.rounds or not missing:
            deletable += deletions.gone(plan, progress, missing)
        chosen = self._fitting(missing, found)
        knowledge_base = yield from self._delete(knowledge_base, deletable)
        if missing and not self._fitting(missing, knowledge_base):
            knowledge_base = yield from self._make_room(knowledge_base, plan, missing)
        progress.note_deletions(plan)
        # New sources that need the places of deleted ones wait until Retell's list shows that these are free.
        if len(progress.removed) > before and (not missing or len(chosen) < len(missing)):
            return self._ready(changed=True)
        if chosen:
            return (yield from self._add(knowledge_base, chosen))
        if knowledge_base.status == "error" and not progress.failed:
            raise RetellError(
                f"Knowledge base {knowledge_base.knowledge_base_id} has the status 'error': Retell could not index it. "
                "See its sources in Retell's dashboard"
            )
        self.kept = frozenset(
            str(step.document.mark)
            for step in plan.steps
            if progress.has_failed(step.document) and plan.has_old_version(step)
        )
        return None

    # -- reading

    def _read(self) -> Flow[KnowledgeBase | None]:
        """Return the knowledge base, or None if none has the given name."""
        if self.progress.knowledge_base_id is None:
            yield from self._find()
        if self.progress.knowledge_base_id is None:
            return None
        knowledge_base: KnowledgeBase = yield endpoints.get_knowledge_base(self.progress.knowledge_base_id)
        self.status = knowledge_base.status
        check_chunk_sizes(knowledge_base, self.settings)
        return knowledge_base

    def _find(self) -> Flow[None]:
        name = self.settings.knowledge_base_name
        listed: list[KnowledgeBase] = yield endpoints.list_knowledge_bases()
        ids = [item.knowledge_base_id for item in listed if item.knowledge_base_name == name]
        if len(ids) > 1:
            raise RetellInputError(
                f"{len(ids)} knowledge bases have the name {name!r}: {', '.join(ids)}. Set knowledge_base_id to one of "
                "them, or delete the others in Retell's dashboard"
            )
        self.progress.knowledge_base_id = ids[0] if ids else None

    def _compare(self, knowledge_base: KnowledgeBase) -> Plan:
        progress = self.progress
        plan = compare(self.documents, knowledge_base, adopt=self.settings.adopt)
        if progress.owned is None:
            progress.owned = plan.owned
            progress.titles = [document.mark.title for document in self.documents]
        check_plan(plan, self.settings, progress.owned, len(progress.deleted))
        return plan

    def _ready(self, *, changed: bool = False) -> KnowledgeBaseReady:
        progress = self.progress
        if changed:
            progress.list_deadline = clock().time() + _LIST_SECONDS
        return KnowledgeBaseReady(
            progress.knowledge_base_id or "",
            tuple(progress.pending),
            tuple(progress.removed),
            progress.list_deadline,
            accept_error=True,
        )

    # -- adding

    def _create(self) -> Flow[KnowledgeBaseReady]:
        settings, progress = self.settings, self.progress
        chosen = self._fitting(self._compare(_nothing()).missing, _nothing())
        request = endpoints.create_knowledge_base(
            settings.knowledge_base_name or "",
            knowledge_base_texts=_texts(chosen),
            knowledge_base_files=_files(chosen),
            min_chunk_size=settings.min_chunk_size,
            max_chunk_size=settings.max_chunk_size,
        )
        self._note_sent(chosen)
        try:
            created: KnowledgeBase = yield request
        except RetellError as error:
            if error.not_processed:
                raise
            yield from self._find()
            # If the name does not appear, only a later try can know whether Retell created the knowledge base.
            if progress.knowledge_base_id is None:
                raise error from None
            self._note_lost(error)
        else:
            progress.knowledge_base_id = created.knowledge_base_id
            log.info("Created knowledge base %s", created.knowledge_base_id)
        return self._ready(changed=True)

    def _add(self, knowledge_base: KnowledgeBase, chosen: Sequence[Step]) -> Flow[KnowledgeBaseReady]:
        request = endpoints.add_knowledge_base_sources(
            knowledge_base.knowledge_base_id,
            knowledge_base_texts=_texts(chosen),
            knowledge_base_files=_files(chosen),
        )
        self._note_sent(chosen)
        self.progress.messages = [digest(text) for text in SourceErrors(knowledge_base).unassigned()]
        try:
            yield request
        except RetellError as error:
            if error.not_processed:
                raise
            self._note_lost(error)
        return self._ready(changed=True)

    def _fitting(self, missing: Sequence[Step], knowledge_base: KnowledgeBase) -> list[Step]:
        return next_round(missing, count_kinds(knowledge_base.sources), self.settings.limits)

    def _note_sent(self, chosen: Sequence[Step]) -> None:
        self.progress.note_sent(chosen)
        for step in chosen:
            log.info("%s %r", "Replacing" if step.action == "replace" else "Adding", step.document.title)

    def _note_lost(self, error: RetellError) -> None:
        self.progress.lost += 1
        if self.progress.lost >= _MAX_LOST:
            raise error
        self.progress.uncertain = True
        log.warning("%s The list of sources will show whether Retell has them", error)

    def _check_pending(self, knowledge_base: KnowledgeBase) -> Flow[KnowledgeBase]:
        """Record which of the added sources failed, and delete them again."""
        progress = self.progress
        listed = [source for source in knowledge_base.sources if source.source_id in progress.removed]
        if listed:
            raise RetellError(
                f"Knowledge base {knowledge_base.knowledge_base_id} still lists {len(listed)} sources that Retell has "
                "deleted. Run the task again; if the error persists, delete them in Retell's dashboard"
            )
        plan = compare(self.documents, knowledge_base, adopt=self.settings.adopt)
        failed = failures(knowledge_base, progress)
        progress.failed.update(failed)
        progress.pending, progress.uncertain = [], False
        return (yield from self._delete(knowledge_base, rejected(knowledge_base, failed, plan.replacing)))

    def _check_stable(self, knowledge_base: KnowledgeBase, plan: Plan) -> Flow[None]:
        """Raise if documents differ from those that the task has sent, and keep only the sent ones of these."""
        try:
            check_stable(plan, self.progress)
        except RetellInputError:
            yield from self._delete(knowledge_base, deletions.superseded(plan, self.progress))
            raise

    # -- deleting

    def _delete(
        self, knowledge_base: KnowledgeBase, sources: Iterable[KnowledgeBaseSource]
    ) -> Flow[KnowledgeBase]:
        """Delete *sources*, but never the last one, and return the knowledge base without them."""
        for source in sources:
            if len(knowledge_base.sources) == 1:
                log.warning(
                    "Keeping %r, because it is the last source of the knowledge base",
                    without_mark(source.name),
                )
                break
            request = endpoints.delete_knowledge_base_source(
                knowledge_base.knowledge_base_id, source.source_id
            )
            yield from delete(request)
            log.info("Deleted a source of %r", without_mark(source.name))
            self.progress.removed.append(source.source_id)
            left = [item for item in knowledge_base.sources if item.source_id != source.source_id]
            knowledge_base = knowledge_base.model_copy(update={"knowledge_base_sources": left})
        return knowledge_base

    def _make_room(
        self, knowledge_base: KnowledgeBase, plan: Plan, missing: Sequence[Step]
    ) -> Flow[KnowledgeBase]:
        """Delete before adding, because the knowledge base is at its limit."""
        sources, displaces = deletions.for_room(knowledge_base, plan, self.progress, missing)
        if displaces:
            self.progress.note_displaced(sources[0], missing)
            log.warning(
                "The knowledge base is at its limit of sources: %r is deleted before its new version is added",
                without_mark(sources[0].name),
            )
        return (yield from self._delete(knowledge_base, sources))


def _nothing() -> KnowledgeBase:
    """Return a knowledge base without sources, in place of one that does not exist yet."""
    return KnowledgeBase(knowledge_base_id="", status="complete")


def _texts(steps: Iterable[Step]) -> list[KnowledgeBaseText]:
    documents = [step.document for step in steps if step.document.kind == "text"]
    return [KnowledgeBaseText(document.source_name, document.content) for document in documents]


def _files(steps: Iterable[Step]) -> list[KnowledgeBaseFile]:
    documents = [step.document for step in steps if step.document.kind == "file"]
    return [KnowledgeBaseFile(document.source_name, document.content) for document in documents]
