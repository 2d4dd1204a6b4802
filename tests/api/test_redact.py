"""Private data in a server's message is masked."""

from __future__ import annotations

import json
from typing import Any

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
    "values",
    [
        {"consent": "not"},
        {"note": "Ada is not at home, call again"},
        {"reason": "do not call"},
        {"a": "marked", "b": "contact", "c": "Do"},
    ],
)
def test_ordinary_words_stay_readable_even_if_the_request_has_them(values: dict[str, str]) -> None:
    text = "The contact is marked as do not call"
    assert safe_text(text, sent=json.dumps(values).encode()) == text


def test_other_words_of_a_value_with_ordinary_words_are_masked() -> None:
    sent = json.dumps({"note": "Do not call Ada Lovelace", "plan": "gold"}).encode()
    assert safe_text("body: Do not call Ada Lovelace", sent=sent) == "body: ***"
    assert safe_text("the contact lovelace has no gold plan", sent=sent) == "the contact *** has no *** plan"


@pytest.mark.parametrize(
    ("value", "text", "masked"),
    [
        # A server that quotes JSON shows the line break as "\\n", and "nHopper" is another word than "Hopper".
        ("Grace\nHopper", 'got "Grace\\nHopper"', 'got "***"'),
        ("Grace\nHopper", 'near "\\nHopper"', 'near " ***"'),
        ("Zo\u00eb", 'got "Zo\\u00eb"', 'got "***"'),
        ("a \U0001f600 b", 'got "a \\ud83d\\ude00 b"', 'got "***"'),
        ("Tom & Jerry", "got Tom &amp; Jerry", "got ***"),
        ("Tom & Jerry", "got Tom%20%26%20Jerry", "got ***"),
        ('say "hello"', 'got "say \\\\\\"hello\\\\\\""', 'got "***"'),
        ("C:\\new", "got C:\\new", "got ***"),
        ("either/or/neither", 'got "either\\/or\\/neither"', 'got "***"'),
        ("C:\\new", 'got "C:\\\\new"', 'got "***"'),
    ],
)
def test_quoted_value_is_masked(value: str, text: str, masked: str) -> None:
    assert safe_text(text, sent=json.dumps([value]).encode()) == masked


def test_control_characters_do_not_reach_the_log() -> None:
    assert safe_text("a\x1b[31mb\x00c\u202ed\u200be") == "a [31mb c d e"


def test_time_for_a_long_text_does_not_grow_with_its_square() -> None:
    assert safe_text("a" * 10_000_000) == "…"
    text = safe_text("word " * 2_000_000, sent=json.dumps(["word", "other"] * 10_000).encode())
    assert text == ("*** " * 75)[:299] + "…"


def test_text_of_exactly_4000_characters_is_not_cut() -> None:
    long = "x" * 3998
    assert safe_text(f"{long} b", sent=json.dumps([long]).encode()) == "*** b"
    assert safe_text(f"{long} bc", sent=json.dumps([long]).encode()) == "*** …"


@pytest.mark.parametrize(
    ("values", "text", "masked"),
    [
        # The short value is a part of the long one, whose other word is too short to be masked alone.
        (["Al Zed", "Zed"], "name Al Zed is bad", "name *** is bad"),
        (["Zed Al", "Zed"], "name Zed Al is bad", "name *** is bad"),
        # A letter or a digit would make the message unreadable.
        (["x", 7], "x is 7 now", "x is 7 now"),
        ([" \n "], "no text", "no text"),
        ([], "half \ud83d of a pair", "half \ufffd of a pair"),
    ],
)
def test_values_are_masked_as_a_whole_and_single_characters_are_not(
    values: list[Any], text: str, masked: str
) -> None:
    assert safe_text(text, sent=json.dumps(values).encode()) == masked


def test_word_that_is_cut_off_in_the_middle_is_not_shown() -> None:
    long = "x" * 3990
    sent = json.dumps([long, "secretive"]).encode()
    assert safe_text(f"see {long} or secretive", sent=sent) == "see *** or …"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Failed to parse the file", "Failed to parse the file"),
        ("knowledge_base_texts must be an array", "knowledge_base_texts must be an array"),
        ("knowledge_base_salaries must be an array", "*** must be an array"),
        ("title 'Ada Lovelace earns 4,711' is too long", "title '***' is too long"),
        ("Ada Lovelace earns 815 or 47110815", "*** 815 or ***"),
        ("page 4711 of 999", "page *** of 999"),
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


def test_known_values_that_were_not_sent_are_masked() -> None:
    known = json.dumps({"name": "Ada Lovelace", "age": 36, "flag": True}).encode()
    assert (
        safe_text("Ada, aged 36, has no gold plan", sent=b'"gold"', known=known)
        == "***, aged ***, has no *** plan"
    )
    assert safe_text("Ada has no plan", known=known) == "*** has no plan"
