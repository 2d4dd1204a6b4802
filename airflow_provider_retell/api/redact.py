"""Keep private things out of messages that people and log files read."""

from __future__ import annotations

import json
import re

from airflow_provider_retell.api.encode import texts

_MAX_LENGTH = 300
_LINK = re.compile(r"\b(?:https?|wss?|s3)://\S+", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*")
_WORD = re.compile(r"\w{3,}")
_NUMBER = re.compile(r"\+?\d(?:[\s().-]*\d){6,}")
_TOKEN = re.compile(r"\b(?:Bearer\s+\S+|key_\w+|eyJ[\w-]+\.\S+)", re.IGNORECASE)


def safe_text(text: str, *, sent: bytes | None = None) -> str:
    """Return a server's *text* on one line, at most 300 characters, with private things masked.

    Masked are links, tokens and API keys, e-mail addresses, numbers of seven digits or more (phone numbers), and every
    value that stands in the request body *sent*, whole or any word of it from three letters: a server may quote what
    it refuses.
    """
    # The longest first, so that a value inside another does not leave the rest of it standing.
    private = {value for value in texts(json.loads(sent)) if len(value) > 1} if sent else set()
    for value in sorted(private, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "***", text)
    for pattern in (_LINK, _TOKEN, _EMAIL, _NUMBER):
        text = pattern.sub("***", text)
    words = {word.casefold() for value in private for word in _WORD.findall(value)}
    text = _WORD.sub(lambda word: "***" if word[0].casefold() in words else word[0], text)
    text = " ".join(text.split())
    return text if len(text) <= _MAX_LENGTH else text[: _MAX_LENGTH - 1] + "…"
