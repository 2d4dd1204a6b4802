"""Marks in the names of sources."""

from __future__ import annotations

import hashlib

import pytest

from airflow_provider_retell.api.knowledge_bases.document import Document, Mark, without_mark
from airflow_provider_retell.api.multipart import Content

DIGEST = hashlib.sha256(b"content").hexdigest()


def document(title: str, kind: str = "text") -> Document:
    return Document(title, kind, Mark.of(title, DIGEST), Content.of(b"content"))  # type: ignore[arg-type]


def test_mark_has_8_digits_of_the_title_and_12_of_the_content() -> None:
    mark = Mark.of("refunds.md", DIGEST)
    assert str(mark) == f"airflow-{hashlib.sha256(b'refunds.md').hexdigest()[:8]}{DIGEST[:12]}"
    assert Mark.find(document("refunds.md").source_name) == mark


@pytest.mark.parametrize(
    ("title", "kind", "shown"),
    [
        ("billing/refunds.md", "text", "billing/refunds.md"),
        ('Say "hi" ż', "text", 'Say "hi" ż'),
        ("two\nlines", "text", "two\nlines"),
        ("prices.pdf", "file", "prices.pdf"),
        ("billing/Prices (1).PDF", "file", "billing-Prices-1.PDF"),
        ("Kündigung.pdf", "file", "Kundigung.pdf"),
        ("日本.pdf", "file", "document.pdf"),
        ("..pdf", "file", "document.pdf"),
        ("README", "file", "README"),
        ("archive.tar.gz", "file", "archive.tar.gz"),
        (f"{'x' * 300}.pdf", "file", f"{'x' * 100}.pdf"),
    ],
)
def test_name_of_a_source_can_be_read_back(title: str, kind: str, shown: str) -> None:
    name = document(title, kind).source_name
    assert Mark.find(name) == Mark.of(title, DIGEST)
    assert without_mark(name) == shown
    if kind == "file":
        assert name.isascii()
        assert name.rpartition(".")[2] == title.rpartition(".")[2] or "." not in title
        assert len(name) < 160


@pytest.mark.parametrize(
    "changed",
    [
        lambda name: name.upper(),
        lambda name: name.replace("-", "_"),
        lambda name: name.replace(".", "_", 1),
    ],
)
def test_mark_survives_a_server_that_changes_names(changed: object) -> None:
    name = document("prices 2026.pdf", "file").source_name
    assert Mark.find(changed(name)) == Mark.of("prices 2026.pdf", DIGEST)  # type: ignore[operator]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "prices.pdf",
        "airflow-guide.md",
        "airflow-0123456789abcdef012",
        "airflow-0123456789abcdef0123 and more",
        "x [airflow-0123456789abcdefXYZ0]",
    ],
)
def test_name_without_a_mark_is_foreign(name: str) -> None:
    assert Mark.find(name) is None
    assert without_mark(name) == name


def test_titles_with_the_same_file_name_have_different_marks() -> None:
    one, other = document("a/b.pdf", "file"), document("a b.pdf", "file")
    assert without_mark(one.source_name) == without_mark(other.source_name)
    assert one.mark.title != other.mark.title


def test_title_that_looks_like_a_mark_is_no_problem() -> None:
    title = "x [airflow-0123456789abcdef0123]"
    name = document(title).source_name
    assert Mark.find(name) == Mark.of(title, DIGEST)
    assert without_mark(name) == title
