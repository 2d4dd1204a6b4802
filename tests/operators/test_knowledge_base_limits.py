"""SyncKnowledgeBaseOperator at the limits of a knowledge base: rounds that add, wait and delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from knowledge_base_runs import KB, History, contents, listed, prepared, refresh, texts, writes
from tasks import json_lines

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import DocumentsFailedError
from airflow_provider_retell.documents import FileDocuments
from airflow_provider_retell.emulator import Clock, Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("no_sleep")

ADD, DELETE = "add-knowledge-base-sources", "delete-knowledge-base-source"
LIMITS = {"max_texts": 6, "max_files": 3}
SIX = dict.fromkeys("abcdef", "old")


@pytest.fixture
def emulator(connect: Any) -> Iterator[Emulator]:
    """An emulator with an empty knowledge base that can have 6 texts and 3 files."""
    with Emulator(clock=Clock(frozen=True), quotas=None) as emulator:
        emulator.options.knowledge_bases.limits = {"text": 6, "document": 3}
        emulator.add_knowledge_base(knowledge_base_id=KB)
        connect(emulator)
        yield emulator


def at_limit(documents: dict[str, str], **arguments: Any) -> dict[str, Any]:
    return refresh(texts(documents), **LIMITS, **arguments)


def test_replacements_are_done_in_rounds_of_the_free_places(emulator: Emulator) -> None:
    four = dict.fromkeys("abcd", "old")
    history = prepared(emulator, four, **LIMITS)
    new = dict.fromkeys(four, "new")
    result = at_limit(new)
    assert contents(emulator) == new
    assert result["replaced"] == 4
    assert writes(emulator) == [ADD, DELETE, DELETE, ADD, DELETE, DELETE]
    assert history.missing(four) == set()


def test_new_documents_come_after_replacements(emulator: Emulator) -> None:
    four = dict.fromkeys("abcd", "old")
    history = prepared(emulator, four, **LIMITS)
    new = dict.fromkeys("abcdef", "new")
    result = at_limit(new)
    assert contents(emulator) == new
    assert (result["added"], result["replaced"]) == (2, 4)
    assert history.missing(four) == set()


def test_sources_whose_document_is_gone_make_room_first(emulator: Emulator) -> None:
    history = prepared(emulator, SIX, **LIMITS)
    new = dict.fromkeys("abcdg", "new")
    result = at_limit(new)
    assert contents(emulator) == new
    assert (result["added"], result["replaced"], result["deleted"]) == (1, 4, 2)
    assert writes(emulator)[:3] == [DELETE, DELETE, ADD]
    assert history.missing("abcd") == set()


def test_only_one_document_is_missing_if_the_knowledge_base_is_full(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    history = prepared(emulator, SIX, **LIMITS)
    new = dict.fromkeys(SIX, "new")
    result = at_limit(new)
    assert contents(emulator) == new
    assert (result["replaced"], result["deleted"]) == (6, 0)
    assert history.largest_gap(SIX) == 1
    assert history.missing(SIX) == {"f"}
    assert "'f' is deleted before its new version is added" in caplog.text


def test_failed_document_whose_old_version_made_room_is_named_as_missing(
    emulator: Emulator, tmp_path: Path
) -> None:
    prepared(emulator, SIX, **LIMITS)
    emulator.options.knowledge_bases.failures["f ["] = "Failed"
    path = tmp_path / "r.jsonl"
    with pytest.raises(DocumentsFailedError, match="could not index 1 of 6 documents: 'f'") as caught:
        at_limit(SIX | {"f": "new"}, report_path=str(path))
    assert contents(emulator) == dict.fromkeys("abcde", "old")
    assert "limit of sources, so the old versions of 'f' were deleted first and are missing" in str(
        caught.value
    )
    assert "stay" not in str(caught.value)
    lines = json_lines(path)
    assert [(line["title"], "Its old version was deleted first" in line["reason"]) for line in lines] == [
        (letter, letter == "f") for letter in "abcdef"
    ]
    with pytest.raises(DocumentsFailedError) as caught:
        at_limit(SIX | {"f": "new"})
    assert "old version" not in str(caught.value).lower()


def test_old_versions_that_stay_and_that_are_missing_are_told_apart(emulator: Emulator) -> None:
    prepared(emulator, SIX, **LIMITS)
    emulator.options.knowledge_bases.failures |= {"f [": "Failed", "a [": "Failed"}
    with pytest.raises(DocumentsFailedError, match="could not index 2 of 6") as caught:
        at_limit(SIX | {"a": "new", "f": "new"})
    assert contents(emulator) == dict.fromkeys("abcde", "old")
    assert "Old versions of 1 of them stay" in str(caught.value)
    assert "the old versions of 'f' were deleted first" in str(caught.value)


def test_content_of_a_renamed_document_that_made_room_is_named_as_missing(emulator: Emulator) -> None:
    letters = {letter: letter for letter in "abcdef"}
    prepared(emulator, letters, **LIMITS)
    emulator.options.knowledge_bases.failures["F ["] = "Failed"
    with pytest.raises(DocumentsFailedError, match="the old versions of 'F' were deleted first"):
        at_limit({"F" if letter == "f" else letter: text for letter, text in letters.items()})
    assert set(contents(emulator)) == set("abcde")


def test_unchanged_documents_stay_if_the_knowledge_base_is_full(emulator: Emulator) -> None:
    history = prepared(emulator, SIX, **LIMITS)
    result = at_limit(SIX | {"c": "new"})
    assert contents(emulator) == SIX | {"c": "new"}
    assert (result["replaced"], result["unchanged"]) == (1, 5)
    assert history.missing(SIX) == {"c"}


def test_renamed_document_is_missing_only_if_there_is_no_other_room(emulator: Emulator) -> None:
    five = {letter: letter for letter in "abcde"}
    history = prepared(emulator, five, **LIMITS)
    at_limit({"A": "a", "b": "new", "c": "new", "d": "d", "e": "e"})
    assert writes(emulator).count(ADD) == 3
    assert all({"a", "A"} & state for state in history.states)
    full = {letter: letter for letter in "bcdefg"}
    at_limit(full, max_deleted_ratio=1)
    at_limit({"B" if letter == "b" else letter: text for letter, text in full.items()})
    assert contents(emulator) == {"B": "b"} | {letter: letter for letter in "cdefg"}


def test_document_that_fails_in_one_round_does_not_stop_the_others(emulator: Emulator) -> None:
    four = dict.fromkeys("abcd", "old")
    history = prepared(emulator, four, **LIMITS)
    emulator.options.knowledge_bases.failures["a ["] = "Failed"
    with pytest.raises(DocumentsFailedError, match="1 of 4 documents: 'a'"):
        at_limit(dict.fromkeys(four, "new"))
    assert contents(emulator) == dict.fromkeys("bcd", "new") | {"a": "old"}
    assert history.missing(four) == set()


def test_files_and_texts_have_limits_of_their_own(emulator: Emulator, tmp_path: Path) -> None:
    def write(text: str) -> FileDocuments:
        for name in ("a.pdf", "b.pdf", "c.md"):
            (tmp_path / name).write_text(text)
        return FileDocuments(str(tmp_path))

    refresh(write("old"), **LIMITS)
    history = History(emulator)
    result = refresh(write("new"), **LIMITS)
    assert result["replaced"] == 3
    assert history.missing({"a.pdf", "b.pdf", "c.md"}) == set()
    assert len(listed(emulator)) == 3


def test_one_source_is_left_at_any_time(emulator: Emulator) -> None:
    emulator.options.knowledge_bases.limits = {"text": 1}
    refresh(texts({"a": "old"}), max_texts=1)
    with pytest.raises(
        AirflowFailException, match="at its limit of sources, and nothing can be deleted to make room"
    ):
        refresh(texts({"a": "new"}), max_texts=1)
    assert contents(emulator) == {"a": "old"}
    emulator.edit_knowledge_base(KB, knowledge_base_sources=[*listed(emulator), {"type": "url"}])
    refresh(texts({"a": "new"}), max_texts=1)
    assert contents(emulator) == {"a": "new"}


def test_places_that_foreign_sources_take_are_not_free(emulator: Emulator) -> None:
    emulator.edit_knowledge_base(KB, knowledge_base_sources=[{"title": "one"}, {"title": "two"}])
    three = dict.fromkeys("abc", "old")
    history = prepared(emulator, three, **LIMITS)
    at_limit(dict.fromkeys(three, "new"))
    assert writes(emulator) == [ADD, DELETE] * 3
    assert history.missing([*three, "one", "two"]) == set()


def test_limits_of_retell_can_differ_from_the_reported_ones(emulator: Emulator) -> None:
    emulator.options.knowledge_bases.limits = {"text": 80}
    documents = {str(number): "x" for number in range(60)}
    assert refresh(texts(documents), max_texts=80)["added"] == 60
    emulator.options.knowledge_bases.limits = {"text": 10}
    with pytest.raises(AirflowFailException, match="Retell answered 400"):
        refresh(texts(dict.fromkeys(documents, "new")), max_texts=80)


def test_new_knowledge_base_is_filled_in_rounds(emulator: Emulator, tmp_path: Path) -> None:
    emulator.options.knowledge_bases.limits = {"document": 100}
    for number in range(30):
        (tmp_path / f"{number}.pdf").write_bytes(b"%PDF")
    result = refresh(FileDocuments(str(tmp_path)), knowledge_base_name="New", max_files=100)
    assert writes(emulator) == ["create-knowledge-base", ADD]
    assert (result["added"], len(listed(emulator, result["knowledge_base_id"]))) == (30, 30)
