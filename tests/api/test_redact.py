"""Private data in a server's message is masked."""

from __future__ import annotations

import json

import pytest

from airflow_provider_retell.api.redact import safe_text

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
