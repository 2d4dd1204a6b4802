"""Checks that create a knowledge base, change it, and delete it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.api.knowledge_bases import endpoints
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, Checks, page
from airflow_provider_retell.contract.findings import CannotTellError, Finding, differs, holds
from airflow_provider_retell.contract.knowledge_bases.common import (
    CREATE,
    FILE,
    NAME,
    SECOND_TEXT,
    TEXT,
    after_addition,
    after_creation,
    create,
    settled,
)
from airflow_provider_retell.contract.seeing import (
    NOT_FOUND,
    REJECTED,
    ask,
    describe,
    fields_of,
    is_success,
    result,
    see,
)

if TYPE_CHECKING:
    from airflow_provider_retell.api.knowledge_bases.models import KnowledgeBase
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()


@CHECKS.add(
    "knowledge_bases.create_accepts_form",
    assumption="create-knowledge-base accepts texts as one form field with a JSON array.",
    matters="SyncKnowledgeBaseOperator creates knowledge bases and adds sources in this form.",
    source="requests of Retell's Python SDK",
    otherwise="The task fails with Retell's reason.",
    flags=(CREATE,),
)
def create_accepts_form(target: Target) -> Flow[Finding]:
    """Create a knowledge base."""
    response = yield from target.once(create)
    if not is_success(response):
        return differs(describe(response))
    wrong = [name for name in ("knowledge_base_id", "status") if not fields_of(response).get(name)]
    return differs(f"{response.status} without {', '.join(wrong)}") if wrong else holds(f"{response.status}")


@CHECKS.add(
    "knowledge_bases.indexing_completes",
    assumption="After indexing, a knowledge base has the status `complete`.",
    matters="SyncKnowledgeBaseOperator and KnowledgeBaseSensor wait for it.",
    source=page("get-knowledge-base"),
    otherwise="The wait times out.",
    flags=(CREATE,),
)
def indexing_completes(target: Target) -> Flow[Finding]:
    """Wait until the new knowledge base is indexed."""
    found = yield from after_creation(target)
    return holds("complete") if found.status == "complete" else differs("error")


@CHECKS.add(
    "knowledge_bases.added_sources_are_listed",
    assumption="New sources are listed as soon as the knowledge base is complete.",
    matters="SyncKnowledgeBaseOperator compares the listed sources with the documents.",
    source=NOT_DOCUMENTED,
    question="Are new sources listed as soon as a knowledge base is complete?",
    otherwise="The operator waits up to a minute for them.",
    flags=(CREATE,),
    options=("knowledge_bases.listing_delay",),
)
def added_sources_are_listed(target: Target) -> Flow[Finding]:
    """Add a text and a file, and wait until they are indexed."""
    found = yield from after_addition(target)
    if len(found.sources) == 3:
        return holds("all sources", options={"knowledge_bases.listing_delay": 0.0})
    seen = f"{len(found.sources)} of 3 sources"
    return differs(seen, handled=len(found.sources) < 3, options={"knowledge_bases.listing_delay": 60.0})


@CHECKS.add(
    "knowledge_bases.names_are_kept",
    assumption="Titles and file names are kept as they are.",
    matters="SyncKnowledgeBaseOperator recognizes its sources by a mark in the title or file name.",
    source=NOT_DOCUMENTED,
    question="Does Retell change titles or file names?",
    otherwise="The operator recognizes marks whose brackets, blanks or case have changed.",
    flags=(CREATE,),
    options=("knowledge_bases.sanitizes_file_names",),
)
def names_are_kept(target: Target) -> Flow[Finding]:
    """Look at the names of the sources."""
    names = {source.name for source in (yield from after_addition(target)).sources}
    if len(names) < 3:
        raise CannotTellError(f"{len(names)} of 3 sources are listed")
    if not {TEXT, SECOND_TEXT} <= names:
        return differs("another title")
    if FILE in names:
        return holds("titles and file name", options={"knowledge_bases.sanitizes_file_names": False})
    return differs("another file name", handled=True, options={"knowledge_bases.sanitizes_file_names": True})


def _delete_one(target: Target) -> Flow[bool]:
    """Delete a source, and return True if something is in progress right after that."""
    before = yield from after_addition(target)
    if len(before.sources) < 3:
        raise CannotTellError(f"{len(before.sources)} of 3 sources are listed")
    source_id = before.sources[0].source_id
    deleted = yield from ask(endpoints.delete_knowledge_base_source(before.knowledge_base_id, source_id))
    after = yield from ask(endpoints.get_knowledge_base(before.knowledge_base_id))
    return deleted.in_progress or after.in_progress


@CHECKS.add(
    "knowledge_bases.deletion_does_not_refresh",
    assumption="The deletion of a source does not index the knowledge base again.",
    matters="SyncKnowledgeBaseOperator deletes one source after the other.",
    source=NOT_DOCUMENTED,
    question="Does the deletion of a source index the knowledge base again?",
    otherwise="The operator waits until the knowledge base is complete.",
    flags=(CREATE,),
    options=("knowledge_bases.refreshes_on_delete",),
)
def deletion_does_not_refresh(target: Target) -> Flow[Finding]:
    """Delete a source, and look at the status."""
    in_progress = yield from target.once(_delete_one)
    option = {"knowledge_bases.refreshes_on_delete": in_progress}
    if in_progress:
        return differs("in progress", handled=True, options=option)
    return holds("not in progress", options=option)


def _only_one_left(target: Target) -> Flow[KnowledgeBase]:
    yield from target.once(_delete_one)
    found = yield from settled(target)
    if len(found.sources) == 2:
        source_id = found.sources[0].source_id
        yield from ask(endpoints.delete_knowledge_base_source(found.knowledge_base_id, source_id))
        found = yield from settled(target)
    if len(found.sources) != 1:
        raise CannotTellError(f"{len(found.sources)} sources are listed after two deletions")
    return found


@CHECKS.add(
    "knowledge_bases.last_source_is_kept",
    assumption="Retell rejects the deletion of the last source.",
    matters="SyncKnowledgeBaseOperator adds new sources before it deletes the last old one.",
    source=NOT_DOCUMENTED,
    question="Does Retell reject the deletion of the last source?",
    otherwise="Nothing changes, because the operator never deletes the last source.",
    flags=(CREATE,),
    options=("knowledge_bases.keeps_last_source",),
)
def last_source_is_kept(target: Target) -> Flow[Finding]:
    """Delete all sources, one after the other."""
    found = yield from target.once(_only_one_left)
    source_id = found.sources[0].source_id
    response = yield from see(endpoints.delete_knowledge_base_source(found.knowledge_base_id, source_id))
    if response.status in REJECTED:
        return holds(describe(response), options={"knowledge_bases.keeps_last_source": True})
    option = {"knowledge_bases.keeps_last_source": False} if is_success(response) else {}
    return differs(describe(response), handled=is_success(response), options=option)


@CHECKS.add(
    "knowledge_bases.deletion_is_complete",
    assumption="delete-knowledge-base succeeds, and the knowledge base is gone.",
    matters="The hook deletes knowledge bases.",
    source=page("delete-knowledge-base"),
    otherwise="The request fails, or the knowledge base remains.",
    flags=(CREATE,),
)
def deletion_is_complete(target: Target) -> Flow[Finding]:
    """Delete the knowledge base, and read it."""
    created = result(endpoints.create_knowledge_base(NAME), (yield from target.once(create)))
    deleted = yield from see(endpoints.delete_knowledge_base(created.knowledge_base_id))
    if not is_success(deleted):
        return differs(describe(deleted))
    response = yield from see(endpoints.get_knowledge_base(created.knowledge_base_id))
    seen = f"{deleted.status}, then {describe(response)}"
    return holds(seen) if response.status in NOT_FOUND else differs(seen)
