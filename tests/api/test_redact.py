"""Private data in a server's message is masked."""

from __future__ import annotations

import json

import pytest

from airflow_provider_retell.api.multipart import Content, Multipart, Part
from airflow_provider_retell.api.redact import plain_words, safe_text

SENT = json.dumps(
    {
        "metadata": {
            "name": "Ada Lovelace",
            "short": "Ada",
            "age": 36,
            "score": 0.75,
            "x": ["deep secret", True, None],
        }
    }
).encode()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("see https://files.example/rec.wav?sig=abc now", "see *** now"),
        ("wss://live.example/x and s3://bucket/key", "*** and ***"),
        ("HTTPS://FILES.EXAMPLE/x", "***"),
        ("key key_abc123 is wrong", "key *** is wrong"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("token eyJhbGciOi.eyJzdWIi.sig!", "token ***"),
        ("call +14155550123 failed", "call *** failed"),
        ("call +1 (415) 555-0123 failed", "call *** failed"),
        ("call 415.555.0123 failed", "call *** failed"),
        ("status 422 on 2026", "status 422 on 2026"),
        ("two\n  lines\tand tabs", "two lines and tabs"),
        ("name Ada Lovelace is bad", "name *** is bad"),
        ("name Ada is bad", "name *** is bad"),
        ("Adam stays", "Adam stays"),
        ("36 and 0.75 and deep secret", "*** and *** and ***"),
        ("'Ada Lovelace'", "'***'"),
        ("Contact Ada, or LOVELACE", "Contact ***, or ***"),
        ("mail ada.l+x@mail.example.org or <a@localhost>.", "mail *** or <***>."),
        ("@ noon", "@ noon"),
    ],
)
def test_private_data_in_a_message_is_masked(text: str, masked: str) -> None:
    assert safe_text(text, sent=SENT) == masked


def test_long_text_is_masked_before_it_is_cut() -> None:
    text = safe_text("x" * 290 + " +14155550123 " + "y" * 100)
    assert len(text) == 300
    assert text.endswith("…")
    assert "415" not in text
    assert safe_text("x" * 300) == "x" * 300


def test_special_characters_in_a_value_are_literal() -> None:
    sent = json.dumps({"a": "(a|b)*", "b": "x.y"}).encode()
    assert safe_text("got (a|b)* not xzy", sent=sent) == "got *** not xzy"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Failed to parse the file", "Failed to parse the file"),
        ("knowledge_base_texts must be an array", "knowledge_base_texts must be an array"),
        ("knowledge_base_salaries must be an array", "*** must be an array"),
        ("title 'Ada Lovelace earns 4,711' is too long", "title '***' is too long"),
        ("Ada Lovelace earns 815 or 47110815", "*** 815 or ***"),
        ("page 12: ConnectionResetError, PayrollLeaked", "page 12: ConnectionResetError, ***"),
        ("https://files.example/payroll?key=1 not found", "*** not found"),
        ("see key_abc123 and Bearer xyz", "*** and ***"),
        ("zażółć 🎉", "*** 🎉"),
        ("two\n lines", "***"),
        ("not-found", "not-found"),
        ("top-secret", "***"),
        ("file " * 100, ("file " * 59 + "file…")),
    ],
)
def test_only_plain_words_are_left_of_a_message_about_documents(text: str, left: str) -> None:
    assert plain_words(text) == left


def test_contents_of_a_form_are_masked_without_reading_them() -> None:
    def read() -> list[bytes]:
        raise AssertionError("the content must not be read")

    form = Multipart((Part("file", Content(3, read), "a.pdf"),))
    assert safe_text("file 'Ada.pdf' is too large", sent=form) == "file '***.pdf' is too large"
