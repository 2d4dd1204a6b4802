"""Patterns of paths, such as ``**/*.md``. They mean the same on every storage."""

from __future__ import annotations

import re


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return a regular expression for relative paths.

    ``*`` and ``?`` match within a folder, ``**`` any number of folders, ``[...]`` one of some characters. As in a
    shell, they match no name that begins with a dot.
    """
    parts = pattern.strip("/").split("/")
    expression = ""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            # "docs/**" matches all files below "docs".
            expression += r"(?:(?!\.)[^/]+/)*" + (r"(?!\.)[^/]+" if last else "")
        else:
            expression += _part(part) + ("" if last else "/")
    return re.compile(expression)


def _part(part: str) -> str:
    expression = r"(?!\.)" if part[:1] in ("*", "?", "[") else ""
    position = 0
    while position < len(part):
        character = part[position]
        end = part.find("]", position + 2) if character == "[" else -1
        if end > 0:
            inside = part[position + 1 : end]
            negated = inside[:1] in ("!", "^")
            expression += f"[{'^/' if negated else ''}{_in_brackets(inside[negated:])}]"
            position = end + 1
            continue
        expression += {"*": "[^/]*", "?": "[^/]"}.get(character, re.escape(character))
        position += 1
    return expression


def _in_brackets(text: str) -> str:
    return re.sub(r"([\\\]\[^&~|])", r"\\\1", text)
