"""The checks of a sync before it sends or deletes anything."""

from __future__ import annotations

from typing import Any

import pytest
from knowledge_base_runs import document, knowledge_base, source

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.knowledge_bases.document import Document
from airflow_provider_retell.api.knowledge_bases.guards import (
    SyncSettings,
    check_chunk_sizes,
    check_documents,
    check_plan,
    check_stable,
)
from airflow_provider_retell.api.knowledge_bases.models import KnowledgeBase
from airflow_provider_retell.api.knowledge_bases.plan import Plan, compare
from airflow_provider_retell.api.knowledge_bases.sync_progress import Progress


def fault(check: Any, *args: Any, **kwargs: Any) -> str:
    """Return the fault that a check finds, or an empty text."""
    try:
        check(*args, **kwargs)
    except RetellInputError as error:
        return error.fault
    return ""


@pytest.mark.parametrize(
    ("count", "least", "found"),
    [
        (0, 0, ""),
        (0, 1, "the folder has no documents, and min_documents is 1"),
        (1, 1, ""),
        (1, 2, "the folder has 1 document, and min_documents is 2"),
        (2, 3, "the folder has 2 documents, and min_documents is 3"),
    ],
)
def test_too_few_documents_are_rejected(count: int, least: int, found: str) -> None:
    documents = [document(str(number)) for number in range(count)]
    text = fault(check_documents, documents, SyncSettings(min_documents=least), "the folder")
    assert text.partition(":")[0] == found


@pytest.mark.parametrize(("limit", "allowed"), [(2, False), (3, True)])
@pytest.mark.parametrize("kind", ["text", "file"])
def test_limit_counts_the_sources_of_the_same_kind_that_others_own(
    kind: Any, limit: int, allowed: bool
) -> None:
    foreign = {"title": "Other"} if kind == "text" else {"type": "document", "filename": "other.pdf"}
    documents = [document("a.pdf", kind=kind), document("b.pdf", kind=kind)]
    plan = compare(documents, knowledge_base(foreign))
    limits = {"text": 50, "file": 25, kind: limit}
    text = fault(check_plan, plan, SyncSettings(limits=limits), owned=0, deleted=0)  # type: ignore[arg-type]
    assert bool(text) is not allowed
    assert allowed or text.startswith(
        f"the knowledge base would have 2 {kind}s of this task and 1 that it does not own; the limit is 2 {kind}s"
    )


def test_message_about_a_limit_names_other_sources_only_if_there_are_some() -> None:
    plan = compare([document("a"), document("b")], knowledge_base())
    text = fault(check_plan, plan, SyncSettings(limits={"text": 1}), owned=0, deleted=0)
    assert text.startswith("the knowledge base would have 2 texts of this task; the limit is 1 texts")


def test_last_source_must_stay() -> None:
    settings = SyncSettings(max_deleted_ratio=1)
    only_own = compare([], knowledge_base(source("a", "1")))
    assert "a knowledge base must keep its last source" in fault(check_plan, only_own, settings, 1, 0)
    with_other = compare([], knowledge_base(source("a", "1"), {"title": "Other"}))
    assert fault(check_plan, with_other, settings, 1, 0) == ""


@pytest.mark.parametrize(
    ("stored", "wanted", "found"),
    [
        ({}, {}, ""),
        ({}, {"min_chunk_size": 400, "max_chunk_size": 2000}, ""),
        ({}, {"min_chunk_size": 500}, "min_chunk_size is 500, but knowledge base kb was created with 400"),
        ({}, {"max_chunk_size": 1000}, "max_chunk_size is 1000, but knowledge base kb was created with 2000"),
        ({"min_chunk_size": 100, "max_chunk_size": 900}, {}, ""),
        ({"min_chunk_size": 100}, {"min_chunk_size": 100}, ""),
        (
            {"max_chunk_size": 900},
            {"max_chunk_size": 2000},
            "max_chunk_size is 2000, but knowledge base kb was created with 900",
        ),
    ],
)
def test_chunk_sizes_must_be_those_of_the_knowledge_base(stored: Any, wanted: Any, found: str) -> None:
    text = fault(check_chunk_sizes, knowledge_base(**stored), SyncSettings(**wanted))
    assert text.partition(", and Retell")[0] == found


def after_sending(before: list[Document], now: list[Document], there: KnowledgeBase) -> tuple[Plan, Progress]:
    """Return the plan for the documents *now*, and the progress of a task that has sent those *before*."""
    marks = [each.mark for each in before]
    progress = Progress(
        titles=[mark.title for mark in marks], sent={mark.title: mark.content for mark in marks}
    )
    return compare(now, there), progress


def test_documents_that_stay_the_same_are_stable() -> None:
    documents = [document("a"), document("b")]
    assert fault(check_stable, *after_sending(documents, documents, knowledge_base(source("a", "1")))) == ""
    # A document that is only missing, or only new, is no sign of a source that differs each time.
    there = knowledge_base(source("a", "1"), source("b", "1"))
    assert fault(check_stable, *after_sending(documents, documents[:1], there)) == ""
    assert fault(check_stable, *after_sending(documents, [*documents, document("c")], there)) == ""


def test_documents_whose_content_changes_are_named() -> None:
    before = [document(f"{n:02}") for n in range(12)]
    now = [document(f"{n:02}", "2") for n in range(12)]
    there = knowledge_base(*[source(f"{n:02}", "1") for n in range(12)])
    text = fault(check_stable, *after_sending(before, now, there))
    names = ", ".join(f"'{n:02}'" for n in range(10))
    assert text.startswith(
        f"documents: the content of {names} and 2 more has changed after the task had sent"
    )
    text = fault(check_stable, *after_sending(before[:10], now[:10], there))
    assert text.startswith(f"documents: the content of {names} has changed after")


def test_documents_whose_titles_change_are_named() -> None:
    there = knowledge_base(source("a", "1"))
    text = fault(check_stable, *after_sending([document("a")], [document("b")], there))
    assert text.startswith("documents: 'a' disappeared and 'b' appeared after the task had sent")
