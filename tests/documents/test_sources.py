"""Sources of documents: files on several storages, queries, lists and functions."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from memory_storage import memory

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.documents import FileDocuments, SqlDocuments
from airflow_provider_retell.documents.documents import (
    CallableDocuments,
    Documents,
    FileEntry,
    GivenDocuments,
    TextEntry,
    as_documents,
)

if TYPE_CHECKING:
    from fsspec.implementations.memory import MemoryFileSystem

__all__ = ["memory"]

FILES = {"a.md": b"a", "billing/refunds.TXT": b"bb", "billing/prices.pdf": b"%PDF", ".git/x.md": b"x"}


@pytest.fixture(params=["local", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, memory: MemoryFileSystem) -> str:
    """A folder with files, on the disk and on a storage with URLs."""
    for name, data in FILES.items():
        path = tmp_path / "hand book" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        memory.pipe(f"/hand book/{name}", data)
    return str(tmp_path / "hand book") if request.param == "local" else "memory://hand book"


def files(documents: FileDocuments) -> list[tuple[str, bool, int]]:
    return [(entry.title, entry.is_text, entry.size) for entry in documents.read()]


def test_title_of_a_file_is_its_path_below_the_folder(folder: str) -> None:
    assert files(FileDocuments(folder)) == [
        ("a.md", True, 1),
        ("billing/prices.pdf", False, 4),
        ("billing/refunds.TXT", True, 2),
    ]
    assert files(FileDocuments(f"{folder}/")) == files(FileDocuments(folder))
    assert files(FileDocuments(f"{folder}/billing", "*.pdf")) == [("prices.pdf", False, 4)]


def test_files_are_opened_where_they_were_found(folder: str) -> None:
    contents = {}
    for entry in FileDocuments(folder).read():
        with entry.open() as file:
            contents[entry.title] = file.read()
    assert contents == {name: data for name, data in FILES.items() if not name.startswith(".")}


def test_path_can_be_one_file(folder: str) -> None:
    assert files(FileDocuments(f"{folder}/billing/prices.pdf", "*.md")) == [("prices.pdf", False, 4)]


def test_folder_or_pattern_without_files_has_no_documents(folder: str) -> None:
    assert files(FileDocuments(folder, "*.docx")) == []
    assert files(FileDocuments(f"{folder}/none")) == []
    assert files(FileDocuments(folder[:-1])) == []


def test_files_know_which_paths_they_read(folder: str) -> None:
    documents = FileDocuments(folder, "**/*.md")
    assert documents.reads(f"{folder}/new/report.md")
    assert not documents.reads(f"{folder}/report.jsonl")
    assert not documents.reads("s3://bucket/report.md")
    assert FileDocuments(f"{folder}/a.md").reads(f"{folder}/a.md")
    assert GivenDocuments([{"title": "a", "text": "b"}, documents]).reads(f"{folder}/report.md")
    assert not GivenDocuments([]).reads(f"{folder}/report.md")


def test_connection_of_the_storage_is_passed_on(mocker: Any) -> None:
    storage_path = mocker.patch("airflow_provider_retell._compat.services.storage_path")
    storage_path.return_value.fs.ls.return_value = []
    storage_path.return_value.fs.isfile.return_value = False
    assert list(FileDocuments("s3://bucket/handbook", conn_id="aws").read()) == []
    storage_path.assert_called_once_with("s3://bucket/handbook", "aws")


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    pytest.importorskip("airflow.providers.sqlite")
    path = tmp_path / "faq.db"
    with sqlite3.connect(path) as database:
        database.execute("create table faq (id, question, answer)")
        database.execute("insert into faq values (1, 'How?', 'So.'), (2, 'Why?', null)")
    monkeypatch.setenv("AIRFLOW_CONN_FAQ", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return "faq"


def test_rows_of_a_query_are_texts(database: str) -> None:
    documents = SqlDocuments(database, "select question as title, answer as text, id from faq order by id")
    assert list(documents.read()) == [TextEntry("How?", "So."), TextEntry("Why?", None)]


def test_columns_can_have_other_names(database: str) -> None:
    documents = SqlDocuments(database, "select * from faq where id = ?", "id", "answer", parameters=[1])
    assert list(documents.read()) == [TextEntry("1", "So.")]


def test_missing_column_is_an_error_that_names_the_others(database: str) -> None:
    with pytest.raises(RetellInputError, match="no column 'title'; it has id, question, answer"):
        list(SqlDocuments(database, "select * from faq").read())


def test_list_has_dicts_and_other_sources(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("a")
    documents = as_documents([{"title": "One", "text": "1", "more": 2}, FileDocuments(str(tmp_path))])
    first, second = documents.read()
    assert first == TextEntry("One", "1")
    assert isinstance(second, FileEntry)
    assert second.title == "a.md"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"title": "a"}, "entry 2 lacks 'title' or 'text'"),
        ("pr1vate", "entry 2 is a str"),
        (None, "is a NoneType"),
    ],
)
def test_entry_that_is_no_document_is_an_error(entry: Any, message: str) -> None:
    with pytest.raises(RetellInputError, match=message) as caught:
        list(as_documents([{"title": "a", "text": "b"}, entry]).read())
    assert "pr1vate" not in str(caught.value)


@pytest.mark.parametrize(
    "function", [lambda: [{"title": "a", "text": "b"}], lambda: iter([{"title": "a", "text": "b"}])]
)
def test_function_returns_or_yields_documents(function: Any) -> None:
    documents = CallableDocuments(function)
    assert list(documents.read()) == list(documents.read()) == [TextEntry("a", "b")]


@pytest.mark.parametrize("wrong", ["text", b"bytes", {"title": "a", "text": "b"}, 3, None])
def test_other_values_are_no_documents(wrong: Any) -> None:
    with pytest.raises(RetellInputError, match="documents must be FileDocuments, SqlDocuments, a list"):
        as_documents(wrong)
    with pytest.raises(RetellInputError, match="documents must be"):
        list(CallableDocuments(lambda: wrong).read())


def test_iterator_is_refused_because_a_retry_finds_it_empty() -> None:
    with pytest.raises(RetellInputError, match="must not be an iterator"):
        as_documents(iter([{"title": "a", "text": "b"}]))


def test_rendered_templates_show_no_contents() -> None:
    def pages() -> list[Any]:
        return []

    shown: dict[str, Documents] = {
        "FileDocuments(path='s3://b/x', pattern='**/*', conn_id=None)": FileDocuments("s3://b/x"),
        "SqlDocuments(conn_id='db', sql='select 1')": SqlDocuments("db", "select 1", parameters=["pr1vate"]),
        "a list of 1": GivenDocuments([{"title": "a", "text": "pr1vate"}]),
        "documents of pages()": CallableDocuments(pages),
    }
    for text, documents in shown.items():
        assert text == str(documents) == repr(documents) == documents.serialize()
