"""Collecting documents: digests, contents that can be sent more than once, and invalid documents."""

from __future__ import annotations

import hashlib
import json
import tempfile
import tracemalloc
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest
from full_disk import full_file

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.multipart import ContentError
from airflow_provider_retell.common.disk import DiskFullError
from airflow_provider_retell.documents import FileDocuments
from airflow_provider_retell.documents.collect import collect
from airflow_provider_retell.documents.documents import GivenDocuments, TextEntry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_provider_retell.api.knowledge_bases.document import Document

TEXT = 'First "line"\nzażółć 🎉\\ ' * 9000


@pytest.fixture
def temporary() -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as file:
        yield file


def text_of(document: Document) -> str:
    return json.loads(b'"' + b"".join(document.content.checked()) + b'"')


def given(*documents: tuple[Any, Any]) -> GivenDocuments:
    return GivenDocuments([{"title": title, "text": text} for title, text in documents])


def test_digest_of_a_document_is_the_sha256_of_its_content(tmp_path: Path, temporary: BinaryIO) -> None:
    (tmp_path / "a.md").write_bytes(TEXT.encode())
    (tmp_path / "b.pdf").write_bytes(b"%PDF" * 50_000)
    row, text, file = collect(
        GivenDocuments([{"title": "Row", "text": TEXT}, FileDocuments(str(tmp_path))]), temporary
    )
    assert row.mark.content == text.mark.content == hashlib.sha256(TEXT.encode()).hexdigest()[:12]
    assert file.mark.content == hashlib.sha256(b"%PDF" * 50_000).hexdigest()[:12]
    assert row.mark.title == hashlib.sha256(b"Row").hexdigest()[:8]
    assert [document.kind for document in (row, text, file)] == ["text", "text", "file"]


def test_a_full_disk_names_the_folder_for_temporary_files() -> None:
    with (
        full_file() as full,
        pytest.raises(DiskFullError, match=f"{tempfile.gettempdir()}: No space left on device"),
    ):
        collect(given(("a", "text")), full)


def test_content_can_be_sent_twice(tmp_path: Path, temporary: BinaryIO) -> None:
    (tmp_path / "a.md").write_bytes(TEXT.encode())
    (tmp_path / "b.pdf").write_bytes(b"%PDF" * 50_000)
    row, other, text, file = collect(
        GivenDocuments(
            [{"title": "Row", "text": TEXT}, {"title": "Other", "text": "ż"}, FileDocuments(str(tmp_path))]
        ),
        temporary,
    )
    for _ in range(2):
        assert text_of(row) == text_of(text) == TEXT
        assert text_of(other) == "ż"
        assert b"".join(file.content.checked()) == b"%PDF" * 50_000


def test_byte_order_mark_is_not_part_of_a_text(tmp_path: Path, temporary: BinaryIO) -> None:
    (tmp_path / "a.txt").write_text("text", encoding="utf-8-sig")
    (document,) = collect(FileDocuments(str(tmp_path)), temporary)
    assert text_of(document) == "text"


@pytest.mark.parametrize("name", ["a.md", "a.pdf"])
def test_file_that_changes_before_it_is_sent_is_an_error(
    tmp_path: Path, temporary: BinaryIO, name: str
) -> None:
    (tmp_path / name).write_text("before")
    (document,) = collect(FileDocuments(str(tmp_path)), temporary)
    (tmp_path / name).write_text("behind")
    with pytest.raises(ContentError, match=f"The file '{name}' was changed while the task ran") as caught:
        list(document.content.checked())
    assert not caught.value.permanent


@pytest.mark.parametrize("name", ["a.md", "a.pdf"])
def test_file_that_vanishes_before_it_is_sent_is_an_error(
    tmp_path: Path, temporary: BinaryIO, name: str
) -> None:
    (tmp_path / name).write_text("before")
    (document,) = collect(FileDocuments(str(tmp_path)), temporary)
    (tmp_path / name).unlink()
    with pytest.raises(ContentError, match=rf"'{name}' could not be read \(FileNotFoundError\)"):
        list(document.content.checked())


def test_memory_does_not_grow_with_the_documents(tmp_path: Path, temporary: BinaryIO) -> None:
    (tmp_path / "a.md").write_bytes(b"0123456789abcde\n" * 1_000_000)
    (tmp_path / "b.pdf").write_bytes(b"0123456789abcde\n" * 1_000_000)
    collect(FileDocuments(str(tmp_path)), temporary)
    tracemalloc.start()
    try:
        for document in collect(FileDocuments(str(tmp_path)), temporary):
            for _ in document.content.checked():
                pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize(
    ("title", "text", "message"),
    [
        ("a", "", "'a' is empty"),
        ("a", " \n\t", "'a' is empty"),
        ("a", None, "'a' has no text"),
        ("a", b"pr1vate", "'a' has a text of the type bytes"),
        ("a", "pr1vate\ud800", "'a' has half of a surrogate pair"),
        ("a", "x" * 50_000_001, r"'a' has more than 50,000,000 bytes \(50 MB\)"),
        ("", "pr1vate", "document 1 has an empty title"),
        (None, "pr1vate", "document 1 has no title"),
        (3, "pr1vate", "document 1 has a title of the type int"),
        ("\ud800", "pr1vate", "document 1 has a title with half of a surrogate pair"),
    ],
)
def test_invalid_document_is_an_error_without_its_content(
    temporary: BinaryIO, title: Any, text: Any, message: str
) -> None:
    with pytest.raises(RetellInputError, match=f"^documents: {message}") as caught:
        collect(given((title, text)), temporary)
    assert "pr1vate" not in str(caught.value)


def test_two_documents_with_one_title_are_an_error(temporary: BinaryIO) -> None:
    with pytest.raises(
        RetellInputError, match="documents: two documents have the title 'a'. Nothing was sent"
    ):
        collect(given(("a", "1"), ("b", "2"), ("a", "1")), temporary)


@pytest.mark.parametrize(("name", "data"), [("a.md", b""), ("a.md", b"\xef\xbb\xbf \n"), ("a.pdf", b"")])
def test_empty_file_is_an_error(tmp_path: Path, temporary: BinaryIO, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(RetellInputError, match=f"'{name}' is empty"):
        collect(FileDocuments(str(tmp_path)), temporary)


def test_text_file_in_another_encoding_is_an_error(tmp_path: Path, temporary: BinaryIO) -> None:
    (tmp_path / "a.md").write_bytes("zażółć".encode("iso-8859-2"))
    with pytest.raises(RetellInputError, match="'a.md' is not text in UTF-8"):
        collect(FileDocuments(str(tmp_path)), temporary)


def test_file_over_50_mb_is_refused_without_reading_it(
    tmp_path: Path, temporary: BinaryIO, mocker: Any
) -> None:
    with (tmp_path / "a.pdf").open("wb") as file:
        file.truncate(50_000_001)
    opened = mocker.spy(FileDocuments(str(tmp_path))._root().fs, "open")
    with pytest.raises(RetellInputError, match="'a.pdf' has more than 50,000,000 bytes"):
        collect(FileDocuments(str(tmp_path)), temporary)
    assert opened.call_count == 0


def test_message_names_five_invalid_documents(temporary: BinaryIO) -> None:
    with pytest.raises(RetellInputError) as caught:
        collect(given(*((str(number), "") for number in range(8))), temporary)
    assert "'0' is empty; '1' is empty; '2' is empty; '3' is empty; '4' is empty; and 3 more" in str(
        caught.value
    )


def test_text_of_a_document_is_not_in_its_repr(temporary: BinaryIO) -> None:
    (document,) = collect(given(("a", "pr1vate")), temporary)
    assert "pr1vate" not in repr(document)
    assert "pr1vate" not in repr(TextEntry("a", "pr1vate"))
