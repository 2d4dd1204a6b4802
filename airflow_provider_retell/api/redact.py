"""Mask private data in messages, which end up in logs."""

from __future__ import annotations

import json
import re

from airflow_provider_retell.api.encode import texts
from airflow_provider_retell.api.error_words import ERROR_WORDS
from airflow_provider_retell.api.multipart import Multipart

_MAX_LENGTH = 300
_LINK = re.compile(r"\b(?:https?|wss?|s3)://\S+", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*")
_WORD = re.compile(r"\w{3,}")
_NUMBER = re.compile(r"\+?\d(?:[\s().-]*\d){6,}")
_TERM = re.compile(r"\d+(?:[.,]\d+)+|\w+(?:-\w+)*")
_ERROR_CLASS = re.compile(r"[A-Z][A-Za-z]{2,40}(?:Error|Exception|Disconnected)")
_TOKEN = re.compile(r"\b(?:Bearer\s+\S+|key_\w+|eyJ[\w-]+\.\S+)", re.IGNORECASE)


def safe_text(text: str, *, sent: bytes | Multipart | None = None) -> str:
    """Return *text* from a server with private data masked, as one line of at most 300 characters.

    This masks links, tokens, API keys, e-mail addresses, and numbers of seven digits or more (phone numbers).

    :param sent: the body of the request. A server may quote a value that it rejects, so this masks every value in the
        body, and every word of three letters or more in these values. A form with files is not read again: only words
        of :func:`plain_words` are left then.
    """
    if isinstance(sent, Multipart):
        return plain_words(text)
    # Longest first: if a value contains another one, masking the shorter one first would leave the rest visible.
    private = {value for value in texts(json.loads(sent)) if len(value) > 1} if sent else set()
    for value in sorted(private, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "***", text)
    for pattern in (_LINK, _TOKEN, _EMAIL, _NUMBER):
        text = pattern.sub("***", text)
    words = {word.casefold() for value in private for word in _WORD.findall(value)}
    text = _WORD.sub(lambda word: "***" if word[0].casefold() in words else word[0], text)
    return _shortened(text)


def plain_words(text: str) -> str:
    """Return a message about documents, whose contents it may quote, as one line of at most 300 characters.

    Only words that are usual in error messages are left, class names of errors, and numbers of up to three digits.
    """
    text = _LINK.sub("***", " ".join(text.split()))
    text = _TERM.sub(lambda term: term[0] if _is_plain(term[0]) else "***", text)
    return _shortened(re.sub(r"\*\*\*(?: +\*\*\*)+", "***", text))


def _is_plain(term: str) -> bool:
    if term.isdecimal():
        return len(term) <= 3
    words = re.split("[_-]", term.casefold())
    return bool(_ERROR_CLASS.fullmatch(term)) or all(word in ERROR_WORDS for word in words)


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MAX_LENGTH else text[: _MAX_LENGTH - 1] + "…"
