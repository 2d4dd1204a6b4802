"""Find out whether a SQL statement only reads."""

from __future__ import annotations

import re

# Comments, text, quoted names and PostgreSQL's dollar quotes, which may contain any words.
_SKIPPED = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\$(\w*)\$.*?\$\1\$", re.DOTALL
)
_TOKEN = re.compile(r"[A-Za-z_][\w$]*|[^\s\w]")
_READS = frozenset({"select", "with", "values", "table"})
_WRITES = frozenset(
    {"insert", "update", "delete", "merge", "upsert", "replace", "truncate", "drop", "create", "alter"}
)
_AFTER = frozenset({"", ";", "(", ")"})
# Words after which a statement of _WRITES changes no data that others can see.
_HARMLESS = frozenset({"temp", "temporary", "session"})


def written_by(sql: str) -> str | None:
    """Return the keyword of the part of *sql* that changes data or tables, or None.

    It finds such a keyword at the start of a statement, in a ``with`` clause and after one, and ``select … into``.
    A function that writes cannot be found in this way.
    """
    words = ["", *_tokens(sql), "", "", ""]
    for position, word in enumerate(words):
        if word == "into":
            return word
        if word not in _WRITES or words[position - 1] not in _AFTER:
            continue
        following = words[position + 1]
        # A function, for example replace(name, 'a', 'b').
        is_function = following == "(" and word in ("insert", "replace", "truncate")
        if not is_function and _HARMLESS.isdisjoint(words[position + 1 : position + 4]):
            return word
    return None


def is_plain_select(sql: str) -> bool:
    """Return True if *sql* is one statement that only reads, so that PostgreSQL can declare a cursor for it."""
    words = _tokens(sql)
    while words and words[-1] == ";":
        words.pop()
    start = next((word for word in words if word != "("), "")
    return start in _READS and ";" not in words and written_by(sql) is None


def _tokens(sql: str) -> list[str]:
    code = _SKIPPED.sub(lambda skipped: " " if skipped[0][:2] in ("--", "/*") else " _ ", sql)
    return [token.lower() for token in _TOKEN.findall(code)]
