"""Masking: no planted secret survives in a server's message, and ordinary words stay readable."""

from __future__ import annotations

import html
import json
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_retell.api.redact import safe_text

# fmt: off
ORDINARY = [
    "The", "value", "of", "field", "metadata", "must", "be", "valid,", "but", "it", "was", "rejected:", "see", "(the)",
    "API", "docs.",
]
# fmt: on

# Words that are no part of an ordinary word, and contain none.
secrets = st.text("bdghjkqxyzBDGHJKQXYZ\u00e4\u00f6\u00e9", min_size=3, max_size=12).filter(
    lambda word: not any(word.casefold() in other.casefold() for other in ORDINARY)
)
_glue = st.sampled_from(
    [" ", "\n", "\t", '"', "'", ", ", "\\", " <b>", "&", "/", ".", "\r\n", "\u2028", " \u200b"]
)
values = st.lists(st.tuples(secrets, _glue), min_size=1, max_size=4).map(
    lambda parts: "".join(word + glue for word, glue in parts)
)

QUOTING: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": lambda value: json.dumps(value, ensure_ascii=False),
    "ASCII JSON": json.dumps,
    "JSON in JSON": lambda value: json.dumps(json.dumps(value)),
    "HTML": html.escape,
    "URL": urllib.parse.quote,
    "repr": repr,
    "upper case": str.upper,
    "lower case": str.lower,
}
quotings = st.sampled_from(sorted(QUOTING))
_between = st.sampled_from([" ", ": ", " (", "'", '"', " = ", "\n", "<br>", "[", ","])


def words_of(text: str) -> set[str]:
    """Return the letters-only words of *text*, in lower case."""
    return set("".join(c if c.isalpha() else " " for c in text.casefold()).split())


@given(
    st.lists(values, min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), quotings, _between, st.sampled_from(ORDINARY)), max_size=4),
)
@example(["Grace\nHopper"], [(0, "JSON", " ", "field")])
@example(["caf\u00e9"], [(0, "ASCII JSON", " ", "field")])
@example(["a\\new"], [(0, "plain", " ", "field")])
def test_no_word_of_a_sent_value_survives(private: list[str], quotes: list[Any]) -> None:
    sent = json.dumps({"metadata": {f"key_{n}": [value] for n, value in enumerate(private)}}).encode()
    message = "".join(
        f"{word}{between}{QUOTING[quoting](private[index % len(private)])}{between}"
        for index, quoting, between, word in quotes
    )
    masked = safe_text(message, sent=sent)
    secret = {word for value in private for word in words_of(value) if len(word) > 2}
    assert not secret & words_of(masked)
    assert masked.isprintable()


@given(st.lists(st.sampled_from(ORDINARY), max_size=12), st.lists(values, max_size=4))
def test_ordinary_words_stay_readable(words: list[str], private: list[str]) -> None:
    sent = json.dumps({"metadata": {"a": private}}).encode()
    assert safe_text(" ".join(words), sent=sent) == " ".join(words)


@given(st.sampled_from(ORDINARY), st.sampled_from(ORDINARY), _between)
@pytest.mark.parametrize(
    "secret",
    [
        "https://files.example/recording.wav?signature=pr1vate",
        "WSS://live.example/pr1vate",
        "s3://bucket/pr1vate",
        "key_pr1vate0123456789",
        "Bearer pr1vate.token",
        "eyJhbGciOi.eyJzdWIi.pr1vate",
        "pr1vate.name+tag@mail.example.org",
        "+14155550123",
        "+1 (415) 555-0123",
        "00 49 30 1234567",
    ],
)
def test_private_data_that_was_not_sent_is_masked(secret: str, before: str, after: str, between: str) -> None:
    masked = safe_text(f"{before}{between}{secret} {after}")
    assert "pr1vate" not in masked
    assert sum(character.isdigit() for character in masked) < 7
    assert masked.startswith(before)
    assert masked.endswith(after)


@given(st.text(), st.binary(max_size=0) | st.text().map(lambda text: json.dumps([text]).encode()))
def test_every_text_becomes_one_short_printable_line(text: str, sent: bytes) -> None:
    masked = safe_text(text, sent=sent or None)
    assert len(masked) <= 300
    assert masked.isprintable()
    masked.encode()


@pytest.mark.parametrize(
    "unit", ["a", "a.", "1", "1 ", "1(", "a@", "a@b.", "key_", "\\u0041", "&amp;", "%25", "eyJ", "<"]
)
def test_long_message_takes_little_time(unit: str) -> None:
    sent = json.dumps([f"value {n}" for n in range(5000)]).encode()
    start = time.process_time()
    safe_text(unit * 1_000_000, sent=sent)
    assert time.process_time() - start < 2
