"""Requests, deletions, results and reports of SyncKnowledgeBaseOperator."""

from __future__ import annotations

import json
import logging
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from knowledge_base_runs import (
    KB,
    History,
    contents,
    listed,
    name_of,
    names,
    outcomes,
    prepared,
    refresh,
    source,
    task,
    texts,
    writes,
)
from tasks import Ti, json_lines, rendered_fields, run_task, run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import DocumentsFailedError, RetellError, ServerError
from airflow_provider_retell.documents import FileDocuments, SqlDocuments
from airflow_provider_retell.emulator import Clock, Emulator, Fault
from airflow_provider_retell.emulator.knowledge_bases.backend import new_source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("no_sleep")

DELETE = "delete-knowledge-base-source"
SECRET = "Zanzibar payroll 4711"
FORTY = {f"page {number}": f"text {number}" for number in range(40)}


@pytest.fixture
def emulator(connect: Any) -> Iterator[Emulator]:
    """An emulator whose clock the test advances, without quotas, which are in real time."""
    with Emulator(clock=Clock(frozen=True), quotas=None) as emulator:
        connect(emulator)
        yield emulator


@pytest.fixture
def kb(emulator: Emulator) -> Emulator:
    """An emulator with the knowledge base ``kb_1``, which has a source of another owner."""
    emulator.add_knowledge_base(
        knowledge_base_id=KB, knowledge_base_name="Handbook", knowledge_base_sources=[{"title": "By hand"}]
    )
    return emulator


# -- requests


def test_first_run_adds_all_documents_with_one_request(kb: Emulator) -> None:
    result = refresh(texts(FORTY))
    assert contents(kb) == FORTY
    assert "By hand" in names(kb)
    assert writes(kb) == ["add-knowledge-base-sources"]
    assert result.pop("seconds") >= 20
    assert result.pop("requests") == len(kb.requests)
    assert result == {
        "schema_version": 1,
        "knowledge_base_id": KB,
        "status": "complete",
        "documents": 40,
        "added": 40,
        "replaced": 0,
        "unchanged": 0,
        "failed": 0,
        "deleted": 0,
        "dry_run": False,
        "report": None,
    }


def test_second_run_with_the_same_documents_only_reads(kb: Emulator) -> None:
    prepared(kb, FORTY)
    result = refresh(texts(FORTY))
    assert [request.route for request in kb.requests] == ["get-knowledge-base"]
    assert (result["unchanged"], result["requests"]) == (40, 1)


def test_three_changed_documents_are_one_request_and_three_deletions(kb: Emulator) -> None:
    history = prepared(kb, FORTY)
    changed = FORTY | {f"page {number}": "new" for number in (3, 7, 39)}
    result = refresh(texts(changed))
    assert writes(kb) == ["add-knowledge-base-sources"] + ["delete-knowledge-base-source"] * 3
    (sent,) = [json.loads(r.body["knowledge_base_texts"][0]) for r in kb.requests if r.method == "POST"]
    assert [text["text"] for text in sent] == ["new"] * 3
    assert contents(kb) == changed
    assert (result["replaced"], result["unchanged"], result["deleted"]) == (3, 37, 0)
    assert history.missing(FORTY) == set()


@pytest.mark.parametrize("text", ["1", "3"], ids=["renamed", "gone"])
def test_sources_are_deleted_after_new_ones_are_indexed(kb: Emulator, text: str) -> None:
    prepared(kb, {"a": "1", "b": "2"})
    refresh(texts({"b": "2", "c": text}))
    routes = [request.route for request in kb.requests]
    assert routes.index("add-knowledge-base-sources") < routes.index("delete-knowledge-base-source")
    assert set(routes[routes.index("add-knowledge-base-sources") + 1 :][:5]) == {"get-knowledge-base"}


def test_files_and_texts_go_into_one_request(kb: Emulator, tmp_path: Path) -> None:
    for name, data in {"a.md": b"a", "prices/2026 \xc3\xa4.pdf".encode("latin-1").decode(): b"%PDF"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    refresh(FileDocuments(str(tmp_path)))
    (request,) = [request for request in kb.requests if request.method == "POST"]
    (file,) = request.body["knowledge_base_files"]
    assert file["filename"].isascii()
    assert (file["content_type"], file["size"]) == ("application/pdf", 4)
    kb.clear_requests()
    assert refresh(FileDocuments(str(tmp_path)))["unchanged"] == 2
    assert writes(kb) == []


@pytest.mark.parametrize("changed", [False, True])
def test_marks_survive_a_server_that_changes_file_names(kb: Emulator, tmp_path: Path, changed: bool) -> None:
    kb.options.knowledge_bases.sanitizes_file_names = True
    (tmp_path / "Preise (1) ż.pdf").write_bytes(b"%PDF")
    (tmp_path / "Preise (1) z.pdf").write_bytes(b"%PDF")
    refresh(FileDocuments(str(tmp_path)))
    if changed:
        (tmp_path / "Preise (1) z.pdf").write_bytes(b"%PDF 2")
    result = refresh(FileDocuments(str(tmp_path)))
    assert (result["replaced"], result["unchanged"]) == (int(changed), 2 - changed)
    assert len(listed(kb)) == 3


def test_more_than_25_files_need_two_requests(kb: Emulator, tmp_path: Path) -> None:
    kb.options.knowledge_bases.limits = {"document": 100}
    for number in range(26):
        (tmp_path / f"{number}.pdf").write_bytes(b"%PDF")
    refresh(FileDocuments(str(tmp_path)), max_files=100)
    assert writes(kb) == ["add-knowledge-base-sources"] * 2
    assert len(listed(kb)) == 27


def test_rows_of_a_query_are_documents(kb: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("airflow.providers.sqlite")
    with sqlite3.connect(tmp_path / "faq.db") as database:
        database.execute("create table faq (question, answer)")
        database.execute("insert into faq values ('How?', 'So {{ ds }}.'), ('Why?', 'Because.')")
    connection = {"conn_type": "sqlite", "host": str(tmp_path / "faq.db")}
    monkeypatch.setenv("AIRFLOW_CONN_FAQ", json.dumps(connection))
    documents = SqlDocuments("faq", "select question as title, answer as text from {{ table }}")
    run_try(task(documents), table="faq")
    assert contents(kb) == {"How?": "So {{ ds }}.", "Why?": "Because."}
    assert documents.sql.endswith("{{ table }}"), "Airflow must render a copy"


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("template", ["{{ pages }}", "{{ pages | tojson }}"])
def test_documents_can_come_from_a_template(kb: Emulator, template: str, native: bool) -> None:
    run_try(task(template), native=native, pages=texts({"a": "1", "b": "it's {{ not_a_template }}"}))
    assert contents(kb) == {"a": "1", "b": "it's {{ not_a_template }}"}


def test_list_has_literal_texts_and_other_sources(kb: Emulator, tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("2")
    documents = [{"title": "a", "text": "{{ not_a_template }}"}, FileDocuments("{{ folder }}", "*.md")]
    run_try(task(documents), folder=str(tmp_path))
    assert contents(kb) == {"a": "{{ not_a_template }}", "b.md": "2"}


def test_documents_can_come_from_a_function(kb: Emulator) -> None:
    refresh(lambda: iter(texts({"a": "1"})))
    assert contents(kb) == {"a": "1"}


def test_text_of_any_kind_arrives_unchanged(kb: Emulator, tmp_path: Path) -> None:
    text = 'quotes " \\ \n\t zażółć 🎉 \u2028 {{ x }}' * 5000
    (tmp_path / "a.md").write_text(text)
    refresh([{"title": 'title "1" ż', "text": text}, FileDocuments(str(tmp_path))])
    assert contents(kb) == {'title "1" ż': text, "a.md": text}


# -- the knowledge base


def test_knowledge_base_of_a_name_is_created_once(emulator: Emulator) -> None:
    first = refresh(texts(FORTY), knowledge_base_name="Handbook", min_chunk_size=100, max_chunk_size=900)
    (created,) = emulator.knowledge_bases.values()
    assert created["knowledge_base_name"] == "Handbook"
    assert (created["min_chunk_size"], created["max_chunk_size"]) == (100, 900)
    assert contents(emulator, created["knowledge_base_id"]) == FORTY
    assert (first["knowledge_base_id"], first["added"]) == (created["knowledge_base_id"], 40)
    emulator.clear_requests()
    second = refresh(texts(FORTY), knowledge_base_name="{{ 'Handbook' }}")
    assert [request.route for request in emulator.requests] == ["list-knowledge-bases", "get-knowledge-base"]
    assert second["knowledge_base_id"] == first["knowledge_base_id"]


def test_two_knowledge_bases_of_a_name_are_an_error(emulator: Emulator) -> None:
    for number in (1, 2):
        emulator.add_knowledge_base(knowledge_base_id=f"kb_{number}", knowledge_base_name="Handbook")
    with pytest.raises(AirflowFailException, match="2 knowledge bases have the name 'Handbook': kb_1, kb_2"):
        refresh(texts(FORTY), knowledge_base_name="Handbook")
    assert writes(emulator) == []


@pytest.mark.parametrize("status", [404, 422])
def test_unknown_knowledge_base_is_an_error(emulator: Emulator, status: int) -> None:
    emulator.options.knowledge_bases.missing_status = status
    with pytest.raises(
        AirflowFailException, match=f"knowledge base kb_1: Retell answered {status}.*Check the id"
    ):
        refresh(texts(FORTY))
    assert writes(emulator) == []


def test_chunk_sizes_of_an_existing_knowledge_base_cannot_change(kb: Emulator) -> None:
    with pytest.raises(
        AirflowFailException, match="max_chunk_size is 900, but knowledge base kb_1 was created with 2000"
    ):
        refresh(texts(FORTY), max_chunk_size=900)
    assert writes(kb) == []
    assert refresh(texts(FORTY), max_chunk_size=2000)["added"] == 40


def test_refresh_in_progress_is_awaited_before_anything_is_sent(kb: Emulator) -> None:
    backend = kb.organization.knowledge_base_backend
    backend.index(kb.knowledge_bases[KB], [])
    refresh(texts({"a": "1"}))
    states = [request.route for request in kb.requests]
    assert states[:4] == ["get-knowledge-base"] * 4
    assert contents(kb) == {"a": "1"}


# -- foreign sources


def test_foreign_sources_are_never_touched(kb: Emulator) -> None:
    kb.edit_knowledge_base(
        KB,
        knowledge_base_sources=[
            {"title": "a"},
            {"type": "document", "filename": "a"},
            {"type": "url", "url": "https://example.com"},
        ],
    )
    before = [item["source_id"] for item in listed(kb)]
    refresh(texts({"a": "1"}))
    refresh(texts({"b": "2"}), max_deleted_ratio=1)
    assert [item["source_id"] for item in listed(kb)][:3] == before
    assert names(kb) == ["a", "a", "b", "https://example.com"]


def test_adopt_replaces_foreign_sources_with_the_title_of_a_document(kb: Emulator) -> None:
    kb.edit_knowledge_base(
        KB,
        knowledge_base_sources=[
            {"title": "a"},
            {"type": "document", "filename": "b"},
            {"title": "other"},
            {"type": "url", "url": "https://example.com"},
        ],
    )
    result = refresh(texts({"a": "1", "b": "2", "c": "3"}), adopt=True)
    assert contents(kb) == {"a": "1", "b": "2", "c": "3"}
    assert names(kb) == ["a", "b", "c", "https://example.com", "other"]
    assert (result["added"], result["replaced"], result["deleted"]) == (1, 2, 0)
    assert refresh(texts({"a": "1", "b": "2", "c": "3"}), adopt=True)["unchanged"] == 3


# -- guards


def test_empty_source_is_an_error(kb: Emulator, tmp_path: Path) -> None:
    prepared(kb, {"a": "1"})
    for documents in ([], "{{ [] }}", FileDocuments(str(tmp_path), "*.md")):
        with pytest.raises(
            AirflowFailException, match="has no documents, and min_documents is 1.*Nothing was sent"
        ):
            refresh(documents)
    assert kb.requests == []


def test_deleting_too_many_sources_is_an_error(kb: Emulator) -> None:
    prepared(kb, {"a": "1", "b": "2", "c": "3", "d": "4"})
    message = r"3 of the 4 sources that this task owns \(75%\) would be deleted.*max_deleted_ratio is 0.5"
    with pytest.raises(AirflowFailException, match=message):
        refresh(texts({"a": "new", "e": "5", "f": "6", "g": "7"}))
    assert writes(kb) == []
    assert refresh(texts({"a": "new", "b": "2"}))["deleted"] == 2
    assert refresh(texts({"x": "1"}), max_deleted_ratio=1)["deleted"] == 2


def test_replaced_sources_do_not_count_as_deleted(kb: Emulator) -> None:
    refresh(texts({"a": "1", "b": "2"}))
    assert refresh(texts({"a": "new", "b": "new"}), max_deleted_ratio=0)["replaced"] == 2


def test_all_documents_can_go_if_another_source_stays(kb: Emulator) -> None:
    refresh(texts({"a": "1", "b": "2"}))
    result = refresh([], min_documents=0, max_deleted_ratio=1)
    assert (result["documents"], result["deleted"]) == (0, 2)
    assert names(kb) == ["By hand"]


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([{"title": "a", "text": " "}], "'a' is empty"),
        ([{"title": "a", "text": SECRET}] * 2, "two documents have the title 'a'"),
        ([SECRET], "entry 1 is a str"),
        ("{{ none }}", "documents rendered to an empty value"),
        ("{{ 'Zanzibar' }}", "documents rendered to text that is not a JSON list"),
        (lambda: SECRET, "documents must be FileDocuments"),
        (
            texts({str(number): "x" for number in range(51)}),
            "would have 51 texts of this task and 1 that",
        ),
    ],
)
def test_bad_documents_are_an_error_before_anything_is_sent(
    kb: Emulator, documents: Any, message: str
) -> None:
    with pytest.raises(AirflowFailException, match=message) as caught:
        refresh(documents)
    assert writes(kb) == []
    assert "Zanzibar" not in str(caught.value)
    assert "Nothing was sent" in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"knowledge_base_id": None}, "knowledge_base_id or knowledge_base_name must be set"),
        ({"knowledge_base_id": "kb", "knowledge_base_name": "x"}, "must not both be set"),
        ({"knowledge_base_name": "x" * 40}, "must have at most 39 characters"),
        ({"adopt": "yes"}, "adopt must be True or False"),
        ({"min_documents": -1}, "min_documents must be a whole number of at least 0"),
        ({"max_deleted_ratio": 1.5}, "max_deleted_ratio must be a number from 0 to 1"),
        ({"min_chunk_size": 0}, "min_chunk_size must be a whole number of at least 1"),
        ({"max_texts": -1}, "max_texts must be a whole number of at least 0"),
        ({"report_path": "report.csv"}, "report_path must end in .jsonl"),
        ({"documents": iter([])}, "documents must not be an iterator"),
    ],
)
def test_wrong_parameters_fail_when_the_dag_is_read(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        task(**{"documents": [], **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"knowledge_base_id": "{{ none }}"}, "knowledge_base_id rendered to an empty value"),
        ({"knowledge_base_name": "{{ none }}"}, "knowledge_base_name rendered to an empty value"),
        ({"knowledge_base_name": "{{ 'x' * 40 }}"}, "must have at most 39 characters"),
        ({"report_path": "{{ none }}"}, "report_path rendered to an empty value"),
        ({"report_path": "{{ 'x.csv' }}"}, "report_path must end in .jsonl"),
        ({"dry_run": "{{ 'maybe' }}"}, "dry_run must be True or False"),
        (
            {"min_chunk_size": 2000},
            r"min_chunk_size \(2000\) must be more than 0 and less than max_chunk_size",
        ),
    ],
)
def test_wrong_rendered_parameters_are_an_error_before_anything_is_sent(
    kb: Emulator, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(AirflowFailException, match=message):
        refresh(texts({"a": "1"}), **arguments)
    assert kb.requests == []


# -- sources of an earlier try, which was killed or timed out after it had added them


def interrupted(kb: Emulator, before: dict[str, str], **fields: Any) -> None:
    """Fill the knowledge base, add a new version of ``a`` as a try that is killed then, and edit the rest."""
    refresh(texts(before))
    listed(kb).append(new_source(source("a", "new")))
    kb.edit_knowledge_base(KB, **fields)
    kb.clear_requests()


FAILURES = [{"status": "error"}, {"error_messages": ["Not supported"]}]


@pytest.mark.parametrize("fields", FAILURES)
def test_new_version_of_an_earlier_try_that_failed_is_sent_again_before_the_old_one_is_deleted(
    kb: Emulator, fields: dict[str, Any]
) -> None:
    interrupted(kb, {"a": "old", "b": "1"}, **fields)
    history = History(kb)
    assert refresh(texts({"a": "new", "b": "1"}))["replaced"] == 1
    assert contents(kb) == {"a": "new", "b": "1"}
    assert writes(kb) == [DELETE, "add-knowledge-base-sources", DELETE]
    assert history.missing("ab") == set()


@pytest.mark.parametrize(
    ("before", "fields"),
    [
        ({"a": "old", "b": "1"}, FAILURES[0]),
        ({"a": "old", "b": "1"}, FAILURES[1]),
        ({"former title": "new", "b": "1"}, FAILURES[0]),
    ],
)
def test_old_version_or_title_stays_if_the_new_one_fails_again_in_the_next_try(
    kb: Emulator, before: dict[str, str], fields: dict[str, Any]
) -> None:
    interrupted(kb, before, **fields)
    kb.options.knowledge_bases.failures["a ["] = "Failed"
    with pytest.raises(DocumentsFailedError, match="1 of 2 documents: 'a' .*Old versions of these documents"):
        refresh(texts({"a": "new", "b": "1"}))
    assert contents(kb) == before


def test_adopted_source_stays_if_the_new_one_fails_again(kb: Emulator) -> None:
    kb.edit_knowledge_base(KB, knowledge_base_sources=[{"title": "a"}])
    interrupted(kb, {"b": "1"}, error_messages=["Not supported"])
    kb.options.knowledge_bases.failures["a ["] = "Failed"
    with pytest.raises(DocumentsFailedError, match="1 of 2 documents: 'a' .*Old versions of these documents"):
        refresh(texts({"a": "new", "b": "1"}), adopt=True)
    assert names(kb) == ["a", "b"]
    assert "a" in map(name_of, listed(kb))


def test_new_version_of_an_earlier_try_replaces_the_old_one_if_it_was_indexed(kb: Emulator) -> None:
    interrupted(kb, {"a": "old", "b": "1"})
    assert refresh(texts({"a": "new", "b": "1"}))["replaced"] == 1
    assert contents(kb) == {"a": "new", "b": "1"}
    assert writes(kb) == [DELETE]


# -- dry run and report


@pytest.mark.parametrize("dry_run", [True, "{{ true }}"])
def test_dry_run_returns_and_logs_the_plan_and_sends_nothing(
    kb: Emulator, dry_run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    prepared(kb, {"a": "1", "b": "2", "c": "3"})
    with caplog.at_level(logging.INFO):
        result = refresh(texts({"b": "2", "c": SECRET, "d": SECRET}), dry_run=dry_run)
    assert writes(kb) == []
    assert result["plan"] == {"add": ["d"], "replace": ["c"], "delete": ["a"]}
    assert outcomes(result) == (1, 1, 1, 0, 1)
    assert result["dry_run"] is True
    for line in (
        "Would add 'd'",
        "Would replace 'c'",
        "Would delete 'a'",
        "Dry run for knowledge base kb_1: documents: 3 (1 added, 1 replaced",
    ):
        assert line in caplog.text
    assert "Zanzibar" not in caplog.text + str(result)


def test_dry_run_creates_no_knowledge_base(emulator: Emulator) -> None:
    result = refresh(texts({"a": "1"}), knowledge_base_name="New", dry_run=True)
    assert emulator.knowledge_bases == {}
    assert (result["knowledge_base_id"], result["status"], result["plan"]["add"]) == (None, None, ["a"])


def test_dry_run_respects_the_guards(kb: Emulator) -> None:
    refresh(texts({"a": "1"}))
    with pytest.raises(AirflowFailException, match="max_deleted_ratio is 0.5"):
        refresh(texts({"b": "1"}), dry_run=True)


def test_report_has_a_line_for_each_document_and_deleted_source(kb: Emulator, tmp_path: Path) -> None:
    refresh(texts({"a": "1", "b": "2", "c": "3"}))
    kb.options.knowledge_bases.failures["broken"] = "Failed to parse the file"
    path = tmp_path / "reports" / "r.jsonl"
    with pytest.raises(DocumentsFailedError, match=f"The report is {path}"):
        refresh(texts({"b": "2", "c": SECRET, "d": SECRET, "broken": SECRET}), report_path=str(path))
    assert json_lines(path) == [
        {"title": "b", "outcome": "unchanged", "reason": ""},
        {"title": "c", "outcome": "replaced", "reason": ""},
        {"title": "d", "outcome": "added", "reason": ""},
        {
            "title": "broken",
            "outcome": "failed",
            "reason": "Retell does not list it after indexing. It reports: Failed to parse the file",
        },
        {"title": "a", "outcome": "deleted", "reason": ""},
    ]
    assert "Zanzibar" not in path.read_text()


def test_result_has_the_path_of_the_report_without_its_query(kb: Emulator, memory: Any) -> None:
    result = refresh(texts({"a": "1"}), report_path="memory://bucket/r.jsonl?signature=s3cret")
    assert result["report"] == "memory://bucket/r.jsonl?***"


def test_mapped_tasks_must_not_share_a_report(kb: Emulator, tmp_path: Path) -> None:
    for path in (f"{tmp_path}/r.jsonl", f"{tmp_path}/{{{{ ds }}}}.jsonl"):
        with pytest.raises(AirflowFailException, match="report_path must differ between mapped tasks"):
            run_try(task(texts({"a": "1"}), report_path=path), map_index=0, ds="2026-11-29")
    assert kb.requests == []
    path = f"{tmp_path}/{{{{ ti.map_index }}}}.jsonl"
    assert run_try(task(texts({"a": "1"}), report_path=path), map_index=3)["report"] == f"{tmp_path}/3.jsonl"
    run_try(task(texts({"a": "1"})), map_index=0)


def test_report_must_not_become_a_document(kb: Emulator, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("1")
    with pytest.raises(AirflowFailException, match="report_path must not be one of the documents"):
        refresh(FileDocuments(str(tmp_path)), report_path=str(tmp_path / "report.jsonl"))
    assert (
        refresh(FileDocuments(str(tmp_path), "*.md"), report_path=str(tmp_path / "report.jsonl"))["added"]
        == 1
    )


# -- failed documents


@pytest.mark.parametrize("form", ["source_id", "name", "none"])
@pytest.mark.parametrize("lists", [False, True])
def test_document_that_fails_keeps_its_old_version(kb: Emulator, form: Any, lists: bool) -> None:
    options = kb.options.knowledge_bases
    refresh(texts({"a": "1", "b": "2", "c": "3"}))
    options.failures["b ["], options.error_form, options.lists_failed_sources = (
        "Failed to process",
        form,
        lists,
    )
    history, ti = History(kb), Ti()
    changed = {"a": "1", "b": "new", "c": "new", "d": "4"}
    with pytest.raises(
        DocumentsFailedError, match="Retell could not index .* of 4 documents: .*'b' "
    ) as caught:
        run_task(task(texts(changed)), ti=ti)
    result = ti.xcom["return_value"]
    assert "b" in caught.value.titles
    assert not caught.value.permanent
    assert sum(outcomes(result)[:4]) == result["documents"] == 4
    assert contents(kb)["b"] == "2"
    assert history.missing("abc") == set()
    if form != "none" or not lists:
        assert caught.value.titles == ("b",)
        assert contents(kb) == changed | {"b": "2"}
        assert (result["added"], result["replaced"], result["unchanged"]) == (1, 1, 1)
    options.failures.clear()
    refresh(texts(changed))
    assert contents(kb) == changed


def test_failing_document_leaves_no_copies_behind(kb: Emulator) -> None:
    options = kb.options.knowledge_bases
    options.failures["b ["], options.lists_failed_sources = "Failed", True
    for text in ("1", "1", "2"):
        with pytest.raises(DocumentsFailedError, match="'b'"):
            refresh(texts({"a": "1", "b": text}))
        assert names(kb) == ["By hand", "a"]


def test_new_knowledge_base_without_a_good_document_fails_and_recovers(emulator: Emulator) -> None:
    options = emulator.options.knowledge_bases
    options.failures["a ["] = "Failed"
    with pytest.raises(DocumentsFailedError, match="1 of 1 document"):
        refresh(texts({"a": "1"}), knowledge_base_name="New")
    (knowledge_base,) = emulator.knowledge_bases.values()
    assert knowledge_base["status"] == "error"
    options.failures.clear()
    assert refresh(texts({"a": "1"}), knowledge_base_name="New")["added"] == 1
    assert (knowledge_base["status"], len(emulator.knowledge_bases)) == ("complete", 1)


def test_knowledge_base_with_an_error_does_not_count_as_done(kb: Emulator) -> None:
    refresh(texts({"a": "1"}))
    kb.edit_knowledge_base(KB, status="error")
    with pytest.raises(RetellError, match="kb_1 has the status 'error': Retell could not index it"):
        refresh(texts({"a": "1"}))


def test_source_that_retell_never_lists_counts_as_failed(kb: Emulator) -> None:
    kb.options.knowledge_bases.listing_delay = 10_000
    with pytest.raises(DocumentsFailedError, match=r"'a' \(Retell does not list it after indexing\)"):
        refresh(texts({"a": "1"}))


@pytest.mark.usefixtures("whole_log")
def test_error_messages_of_retell_are_shown_without_words_of_documents(
    kb: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    kb.options.knowledge_bases.failures["a ["] = f"Failed to parse page 3: '{SECRET}' is not supported"
    with pytest.raises(DocumentsFailedError) as caught:
        refresh(texts({"a": SECRET}))
    assert "Failed to parse page 3: '***' is not supported" in str(caught.value)
    assert "Zanzibar" not in str(caught.value) + caplog.text


def test_messages_from_before_the_task_do_not_matter(kb: Emulator) -> None:
    kb.edit_knowledge_base(KB, error_messages=["Failed to fetch a page"])
    assert refresh(texts({"a": "1"}))["added"] == 1


def test_error_in_a_source_object_is_noticed(kb: Emulator, mocker: Any) -> None:
    backend = kb.organization.knowledge_base_backend
    visible = backend.visible

    def with_error(knowledge_base: Any) -> Any:
        shown = visible(knowledge_base)
        for item in shown["knowledge_base_sources"]:
            if name_of(item).startswith("a "):
                item["error_message"] = "Failed"
        return shown

    mocker.patch.object(backend, "visible", with_error)
    with pytest.raises(DocumentsFailedError, match=r"'a' \(Retell reports: Failed\)"):
        refresh(texts({"a": "1", "b": "2"}))
    assert contents(kb) == {"b": "2"}


# -- lost and repeated requests


@pytest.mark.parametrize("fault", [Fault.drop_after(), Fault.truncate(), Fault.drop(), Fault.status(503)])
def test_sources_are_not_added_twice_if_the_response_is_lost(emulator: Emulator, fault: Fault) -> None:
    emulator.add_knowledge_base(knowledge_base_id=KB)
    emulator.faults.add(fault, route="add-knowledge-base-sources")
    result = refresh(texts(FORTY))
    assert contents(emulator) == FORTY
    assert result["added"] == 40


@pytest.mark.parametrize("fault", [Fault.drop_after(), Fault.truncate()])
def test_knowledge_base_is_not_created_twice_if_the_response_is_lost(
    emulator: Emulator, fault: Fault
) -> None:
    emulator.faults.add(fault, route="create-knowledge-base")
    assert refresh(texts(FORTY), knowledge_base_name="Handbook")["added"] == 40
    (knowledge_base,) = emulator.knowledge_bases
    assert contents(emulator, knowledge_base) == FORTY


def test_creation_with_an_unknown_outcome_is_left_to_a_later_try(emulator: Emulator) -> None:
    emulator.faults.add(Fault.status(503), route="create-knowledge-base")
    with pytest.raises(ServerError):
        refresh(texts(FORTY), knowledge_base_name="Handbook")
    assert emulator.count("create-knowledge-base") == 1
    assert refresh(texts(FORTY), knowledge_base_name="Handbook")["added"] == 40


def test_task_gives_up_after_three_lost_requests(kb: Emulator) -> None:
    kb.faults.add(Fault.status(503), route="add-knowledge-base-sources", times=0)
    with pytest.raises(ServerError):
        refresh(texts({"a": "1"}))
    assert kb.count("add-knowledge-base-sources") == 3


def test_duplicates_are_cleaned_up(kb: Emulator) -> None:
    kb.edit_knowledge_base(
        KB,
        knowledge_base_sources=[source("a", "1"), source("a", "1"), source("b", "old"), source("b", "old")],
    )
    result = refresh(texts({"a": "1", "b": "2"}))
    assert contents(kb) == {"a": "1", "b": "2"}
    assert (result["replaced"], result["unchanged"], result["deleted"]) == (1, 1, 0)


def test_old_version_that_is_left_from_a_killed_task_counts_as_replaced(kb: Emulator) -> None:
    kb.edit_knowledge_base(KB, knowledge_base_sources=[source("a", "1"), source("a", "old")])
    result = refresh(texts({"a": "1"}))
    assert contents(kb) == {"a": "1"}
    assert (result["replaced"], result["unchanged"]) == (1, 0)
    assert writes(kb) == ["delete-knowledge-base-source"]


def test_deletion_whose_response_is_lost_is_repeated(kb: Emulator) -> None:
    refresh(texts({"a": "1", "b": "2"}))
    kb.faults.add(Fault.drop_after(), route="delete-knowledge-base-source")
    assert refresh(texts({"a": "new", "b": "2"}))["replaced"] == 1
    assert contents(kb) == {"a": "new", "b": "2"}


def test_deletion_that_does_not_happen_is_an_error(kb: Emulator) -> None:
    refresh(texts({"a": "1", "b": "2"}))
    kb.faults.add(Fault.status(200), route="delete-knowledge-base-source", times=0)
    with pytest.raises(RetellError, match="kb_1 still lists 1 sources that Retell has deleted"):
        refresh(texts({"b": "2"}))


@pytest.mark.parametrize(
    "options",
    [
        {"listing_delay": 30},
        {"refreshes_on_delete": True},
        {"keeps_last_source": False},
        {"missing_status": 422},
        {"indexing_seconds": 0},
        {"indexing_seconds": 300},
    ],
)
def test_points_that_retell_does_not_document_do_not_matter(kb: Emulator, options: dict[str, Any]) -> None:
    for name, value in options.items():
        setattr(kb.options.knowledge_bases, name, value)
    history = prepared(kb, {"a": "1", "b": "2", "c": "3"})
    result = refresh(texts({"a": "new", "b": "2", "d": "4"}))
    kb.clock.advance(60)
    assert contents(kb) == {"a": "new", "b": "2", "d": "4"}
    assert (result["added"], result["replaced"], result["unchanged"], result["deleted"]) == (1, 1, 1, 1)
    assert history.missing("ab") == set()


def test_knowledge_base_keeps_its_last_source_if_all_documents_fail(emulator: Emulator) -> None:
    emulator.add_knowledge_base(knowledge_base_id=KB)
    refresh(texts({"a": "1"}))
    emulator.options.knowledge_bases.failures["b"] = "Failed"
    with pytest.raises(DocumentsFailedError, match="'b'"):
        refresh(texts({"b": "2"}), max_deleted_ratio=1)
    assert contents(emulator) == {"a": "1"}


# -- privacy


def test_nothing_of_a_document_is_logged_shown_or_returned(
    kb: Emulator, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "c.md").write_text(SECRET)
    operator = task([{"title": "a", "text": SECRET}, FileDocuments(str(tmp_path))])
    result = run_try(operator)
    shown = rendered_fields(operator)
    assert "Zanzibar" not in f"{caplog.text} {result} {shown}"
    assert "key_emulator" not in f"{caplog.text} {result} {shown}"
    assert shown["documents"] == "a list of 2"
    assert "Adding 'a'" in caplog.text


def test_rendered_templates_show_where_documents_come_from(kb: Emulator, tmp_path: Path) -> None:
    (tmp_path / "c.md").write_text("1")
    operator = task(FileDocuments("{{ folder }}", "*.md"))
    run_try(operator, folder=str(tmp_path))
    assert (
        rendered_fields(operator)["documents"]
        == f"FileDocuments(path='{tmp_path}', pattern='*.md', conn_id=None)"
    )
    operator = task("{{ pages }}", max_deleted_ratio=1)
    run_try(operator, pages=texts({"a": SECRET}))
    assert "Zanzibar" not in str(rendered_fields(operator))
