"""Comparing documents with the sources of a knowledge base."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from knowledge_base_runs import document, knowledge_base, source

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.knowledge_bases.guards import SyncSettings, check_plan
from airflow_provider_retell.api.knowledge_bases.plan import (
    Plan,
    compare,
    count_kinds,
    next_round,
)
from airflow_provider_retell.api.knowledge_bases.source_errors import SourceErrors
from airflow_provider_retell.api.knowledge_bases.sync_progress import Progress
from airflow_provider_retell.api.knowledge_bases.verdicts import digest, failures, rejected


def actions(plan: Plan) -> dict[str, str]:
    return {step.document.title: step.action for step in plan.steps}


def test_each_document_has_an_action() -> None:
    there = knowledge_base(
        source("same", "1"),
        source("changed", "old"),
        source("gone", "1"),
        source("both", "old"),
        source("both", "1"),
    )
    documents = [document(title, "1") for title in ("same", "changed", "new", "both")]
    plan = compare(documents, there)
    assert actions(plan) == {"same": "none", "changed": "replace", "new": "add", "both": "clean"}
    assert [item.source_id for item in plan.gone] == ["source_2"]
    assert [item.source_id for item in plan.steps[3].outdated] == ["source_3"]
    assert (plan.owned, plan.others) == (5, ())
    assert [step.replaces for step in plan.steps] == [False, True, False, True]


def test_second_copy_is_outdated_but_replaces_nothing() -> None:
    plan = compare([document("a", "1")], knowledge_base(source("a", "1"), source("a", "1")))
    assert actions(plan) == {"a": "clean"}
    assert not plan.steps[0].replaces


def test_foreign_sources_are_adopted_only_on_request() -> None:
    there = knowledge_base(
        {"title": "a"},
        {"type": "document", "filename": "a"},
        {"title": "b"},
        {"type": "url", "url": "a"},
    )
    plan = compare([document("a", "1")], there)
    assert actions(plan) == {"a": "add"}
    assert len(plan.others) == 4
    adopting = compare([document("a", "1")], there, adopt=True)
    assert actions(adopting) == {"a": "replace"}
    assert [item.source_id for item in adopting.steps[0].outdated] == ["source_0", "source_1"]
    assert [item.source_id for item in adopting.others] == ["source_2", "source_3"]
    assert adopting.owned == 0


def test_source_with_an_error_is_not_current() -> None:
    there = knowledge_base(source("a", "1"), error_messages=[{"source_id": "source_0", "message": "Failed"}])
    assert actions(compare([document("a", "1")], there)) == {"a": "replace"}


def test_mark_in_a_url_does_not_make_it_owned() -> None:
    url = source("a", "1")["title"]
    plan = compare([document("a", "1")], knowledge_base({"type": "url", "url": url}))
    assert (plan.owned, len(plan.others)) == (0, 1)


def test_round_fills_the_free_places_with_replacements_first() -> None:
    there = knowledge_base(source("b", "old"), source("c", "old"), {"type": "document", "filename": "x"})
    documents = [document("a", "1"), document("b", "1"), document("c", "1"), document("d.pdf", "1", "file")]
    plan = compare(documents, there)
    used = count_kinds(there.sources)
    assert used == {"text": 2, "file": 1}

    def titles(texts: int, files: int) -> list[str]:
        chosen = next_round(plan.missing, used, {"text": texts, "file": files})
        return [step.document.title for step in chosen]

    assert titles(5, 2) == ["b", "c", "a", "d.pdf"]
    assert titles(3, 2) == ["b", "d.pdf"]
    assert titles(2, 1) == []
    assert titles(1, 0) == []


def test_round_has_at_most_25_files() -> None:
    documents = [document(f"{number}.pdf", "1", "file") for number in range(30)]
    plan = compare(documents, knowledge_base())
    assert len(next_round(plan.missing, {"text": 0, "file": 0}, {"text": 50, "file": 100})) == 25


@pytest.mark.parametrize(("deleted", "allowed"), [(0, True), (1, True), (2, False)])
def test_guard_counts_the_sources_that_the_task_has_deleted_before(deleted: int, allowed: bool) -> None:
    plan = compare([document("a", "1")], knowledge_base(source("a", "1"), source("gone", "1")))
    expected = (
        contextlib.nullcontext() if allowed else pytest.raises(RetellInputError, match="3 of the 4 sources")
    )
    with expected:
        check_plan(plan, SyncSettings(), owned=4, deleted=deleted)


# -- error messages, whose form Retell does not document

MARK = str(document("a", "1").mark)


@pytest.mark.parametrize(
    "errors",
    [
        ["source_0 failed"],
        [f"{source('a', '1')['title']}: failed"],
        [{"source_id": "source_0", "message": "failed"}],
        [{"id": "source_0", "error": "failed"}],
        {"source_0": "failed"},
        f"failed: {MARK}",
        f"handbook-{MARK}.md failed",
        [{"source": {"id": "source_0"}, "why": ["failed"]}],
    ],
)
def test_message_is_assigned_to_its_source(errors: Any) -> None:
    found = SourceErrors(knowledge_base(source("a", "1"), source("b", "1"), error_messages=errors))
    assert "failed" in found.of_mark(MARK)
    assert found.of_mark(str(document("b", "1").mark)) == ""
    assert found.unassigned() == []


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("a", "Failed to fetch a page"),
        ("page", "Failed to fetch a page"),
        ("handbook", "handbook-2 failed"),
        ("handbook.md", "old-handbook.md failed"),
        ("handbook.md", "handbook.md.gz failed"),
        ("https://example.com/a", "https://example.com/a/b failed"),
    ],
)
def test_message_is_not_assigned_to_a_source_whose_name_it_only_contains(name: str, error: str) -> None:
    there = knowledge_base({"title": name}, source("b", "1"), error_messages=[error])
    found = SourceErrors(there)
    assert found.of_source(there.sources[0]) == ""
    assert found.unassigned() == [error]


def test_message_is_not_assigned_to_a_source_whose_id_it_only_contains() -> None:
    there = knowledge_base(
        source("a", "1"), source("b", "1"), error_messages=["source_10 failed", "my-source_1 failed"]
    )
    assert [SourceErrors(there).of_source(item) for item in there.sources] == ["", ""]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("Refund policy", "Refund policy: failed"),
        ("Refund policy", "failed: Refund policy"),
        ("Refund policy", "failed to index 'Refund policy'"),
        ("Refund policy", {"name": "Refund policy", "message": "failed"}),
        ("page", {"page": "failed"}),
        ("page", "failed (page)"),
        ("handbook.md", "handbook.md failed."),
        ("handbook.md", "Retell failed to read handbook.md."),
        ("https://example.com/a", "failed: https://example.com/a"),
    ],
)
def test_message_is_assigned_to_a_source_without_a_mark_by_its_name(name: str, error: Any) -> None:
    there = knowledge_base({"title": name}, source("b", "1"), error_messages=[error])
    found = SourceErrors(there)
    assert "failed" in found.of_source(there.sources[0])
    assert found.of_source(there.sources[1]) == ""
    assert found.unassigned() == []


@pytest.mark.parametrize("errors", [None, [], {}, ""])
def test_knowledge_base_without_messages_has_no_errors(errors: Any) -> None:
    found = SourceErrors(knowledge_base(source("a", "1"), error_messages=errors))
    assert (found.of_mark(MARK), found.unassigned()) == ("", [])


def test_message_about_a_source_that_is_not_listed_is_assigned_by_its_mark() -> None:
    found = SourceErrors(knowledge_base(error_messages=[f"a [{MARK}]: failed"]))
    assert found.of_mark(MARK)
    assert found.unassigned() == []


@pytest.mark.parametrize(
    ("errors", "listed", "failed", "deleted"),
    [
        ([], "ab", "", ""),
        ([], "a", "b", ""),
        ([{"source_id": "source_1", "message": "x"}], "ab", "b", "b"),
        (["x"], "ab", "ab", ""),
        (["x"], "a", "b", ""),
        (["x", "y"], "a", "ab", ""),
        (["x"], "", "ab", ""),
    ],
)
def test_failed_sources_are_found(errors: Any, listed: str, failed: str, deleted: str) -> None:
    there = knowledge_base(*(source(title, "1") for title in listed), error_messages=errors)
    marks = {title: str(document(title, "1").mark) for title in "ab"}
    found = failures(there, Progress(pending=list(marks.values())))
    assert found.keys() == {marks[title] for title in failed}
    assert {item.name for item in rejected(there, found, [])} == {
        source(title, "1")["title"] for title in deleted
    }


def test_source_without_a_message_of_its_own_is_deleted_if_an_old_version_is_left() -> None:
    there = knowledge_base(source("a", "old"), source("a", "1"), source("b", "1"), error_messages=["x"])
    marks = [str(document(title, "1").mark) for title in "ab"]
    found = failures(there, Progress(pending=marks))
    assert [item.source_id for item in rejected(there, found, [])] == ["source_1"]


@pytest.mark.parametrize("adopt", [False, True])
def test_source_that_replaces_one_under_another_name_is_deleted_if_it_failed(adopt: bool) -> None:
    old = {"title": "a"} if adopt else source("former title of a", "1")
    there = knowledge_base(old, source("a", "1"), error_messages=["x"])
    replacing = compare([document("a", "1")], there, adopt=adopt).replacing
    assert replacing == [MARK]
    found = failures(there, Progress(pending=replacing))
    assert [item.source_id for item in rejected(there, found, replacing)] == ["source_1"]


def test_all_new_sources_of_a_broken_knowledge_base_failed() -> None:
    there = knowledge_base(source("a", "1"), source("b", "1"), status="error")
    found = failures(there, Progress(pending=[MARK]))
    assert found == {MARK: "Retell could not index the knowledge base"}
    assert [item.source_id for item in rejected(there, found, [])] == ["source_0"]


def test_messages_from_before_the_request_do_not_count() -> None:
    there = knowledge_base(source("a", "1"), error_messages=["x"])
    assert failures(there, Progress(pending=[MARK], messages=[digest("x")])) == {}


def test_source_that_may_not_have_been_sent_has_not_failed() -> None:
    assert failures(knowledge_base(), Progress(pending=[MARK], uncertain=True)) == {}


def test_reason_has_only_plain_words() -> None:
    there = knowledge_base(error_messages=[f"{MARK}: Failed to parse 'Zanzibar payroll' in page 12"])
    assert failures(there, Progress(pending=[MARK]))[MARK] == (
        "Retell reports: ***: Failed to parse '***' in page 12"
    )


def test_repr_of_a_knowledge_base_shows_ids_and_the_status_only() -> None:
    there = knowledge_base({"title": "private", "content_url": "https://private"}, error_messages=["private"])
    assert "private" not in repr(there)
    assert "private" not in str(there.sources)
    assert "complete" in repr(there)
