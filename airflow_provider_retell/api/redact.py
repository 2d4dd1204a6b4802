"""Mask private data in messages, which end up in logs."""

from __future__ import annotations

import html
import json
import re
import urllib.parse

from airflow_provider_retell.api.encode import texts
from airflow_provider_retell.api.multipart import Multipart

_MAX_LENGTH = 300
# Some patterns need time that grows with the square of the length.
_MAX_INPUT = 4000
# A value may be quoted as JSON in a text that is JSON itself.
_MAX_ESCAPES = 3
_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|([bfnrt"\\/]))')
_LINK = re.compile(r"\b(?:https?|wss?|s3)://\S+", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*")
_WORD = re.compile(r"\w{3,}")
_NUMBER = re.compile(r"\+?\d(?:[\s().-]*\d){6,}")
# Words of Retell's messages, which stay readable even if a value of the request has them.
_WORDS_OF_MESSAGES = """
a account after agent agents already an and another any api are array as asset at authorization balance batch be
because been before body boolean but by call calls can cannot characters chat concurrency conflict contact contacts
could credit custom data did digits do does dynamic e164 empty ended error exceeded exhausted exist exists expected
expired failed field fields for forbidden format found from greater had has have header http id in integer internal
invalid is it item items json key length less limit list llm longer marked max maximum message metadata method min
minimum missing more must no not null number object of on one ongoing only or organization override page parameter
payment permission permitted phone please plan property provided query quota range rate reached received request
requests required resource retell retry sent server set should shorter sms status string than that the their them
there this time timed times timestamp to too trial try type unauthorized under undefined unexpected unknown
unsupported update url use valid value values variable variables version was were when which while with you your
"""
_ORDINARY = frozenset(_WORDS_OF_MESSAGES.split())
# Words that are usual in error messages about requests and files. They reveal nothing about a document.
_WORDS_OF_ERRORS = """
a about above accept accepted access additional after again all allowed already an and any are argument array as at
attempt attempts bad base bases be because been before below between body boolean broken but by bytes can cannot
characters chunk chunks connect connection content could create created credentials data decode decoding decrypt delete
deleted denied did document documents does duplicate during empty encoding encrypted end error errors exceed exceeded
exceeds exist exists expected expired extension extract extracted extraction fail failed failing fails failure fetch
field fields file filename files for forbidden form format found from had has have html http https id ids if image in
index indexed indexing input integer internal into invalid is it items its json key knowledge large larger least length
less limit limited limits list long lost many max maximum maybe mb memory message messages min minimum missing more most
multipart must name names new no not number object of on one only open or other out page pages parse parsed parser
parsing part parts password payload pdf peer permission pipe please processed processing property protected provided
read received refused reject rejected remote removed request requests required reset response retell retry same scanned
schema server service should size smaller some source sources status still store stored string supported take text
texts than that the there this time timed timeout title titles to too try twice txt type types unable unexpected unicode
unknown unreadable unsupported until up upload uploaded uploading url urls use used utf valid value values version was
were when while with without would write written xml you your zero
"""
_ERROR_WORDS = frozenset(_WORDS_OF_ERRORS.split())
_TOKEN = re.compile(r"\b(?:Bearer\s+\S+|key_\w+|eyJ[\w-]+\.\S+)", re.IGNORECASE)
_TERM = re.compile(r"\d+(?:[.,]\d+)+|\w+(?:-\w+)*")
_ERROR_CLASS = re.compile(r"[A-Z][A-Za-z]{2,40}(?:Error|Exception|Disconnected)")


def safe_text(text: str, *, sent: bytes | Multipart | None = None, known: bytes | None = None) -> str:
    """Return *text* from a server with private data masked, as one printable line of at most 300 characters.

    This masks links, tokens, API keys, e-mail addresses, and numbers of seven digits or more (phone numbers).

    :param sent: the body of the request. A server may quote a value that it rejects, so this masks every value in the
        body, and every word of three letters or more in these values, except words that Retell's own messages use. A
        form with files is not read again: only words of :func:`plain_words` are left then.
    :param known: JSON with more values to mask, see :class:`~airflow_provider_retell.api.request.Request`.
    """
    if len(text) > _MAX_INPUT:
        # Without its last word, which may be a part of a private one.
        text = text[:_MAX_INPUT].rpartition(" ")[0] + " …"
    text = _plain(text)
    if isinstance(sent, Multipart):
        return plain_words(text)
    bodies = [json.loads(body) for body in (sent, known) if body]
    values = {value for value in texts(bodies) if len(value) > 1}
    values |= {_plain(value) for value in values}
    # Longest first: if a value contains another one, masking the shorter one first would leave the rest visible.
    private = {value for value in values if not _is_ordinary(value)}
    for value in sorted(private, key=len, reverse=True):
        if value and value in text:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "***", text)
    for pattern in (_LINK, _TOKEN, _EMAIL, _NUMBER):
        text = pattern.sub("***", text)
    words = {word.casefold() for value in private for word in _WORD.findall(value)} - _ORDINARY
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
    return bool(_ERROR_CLASS.fullmatch(term)) or all(word in _ERROR_WORDS for word in words)


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MAX_LENGTH else text[: _MAX_LENGTH - 1] + "…"


def _is_ordinary(value: str) -> bool:
    words = value.casefold().split()
    return bool(words) and all(word in _ORDINARY for word in words)


def _plain(text: str) -> str:
    """Return *text* as one line, without the escapes in which a server may quote a value."""
    for _ in range(_MAX_ESCAPES):
        before = text
        text = urllib.parse.unquote(html.unescape(_ESCAPE.sub(_character, text)))
        if text == before:
            break
    # Join halves of surrogate pairs, and replace the others.
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _character(escape: re.Match[str]) -> str:
    if escape[1]:
        return chr(int(escape[1], 16))
    return escape[2] if escape[2] in '"\\/' else " "
