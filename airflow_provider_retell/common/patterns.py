"""Patterns of paths, such as ``**/*.md``. They mean the same on every storage."""

from __future__ import annotations

import re


def compile_pattern(pattern: str, *, dot_names: bool = False) -> re.Pattern[str]:
    """Return a regular expression for relative paths.

    ``*`` and ``?`` match within a folder, ``**`` any number of folders, ``[...]`` one of some characters. As in a
    shell, they match no name that begins with a dot.

    :param dot_names: True to let them match names that begin with a dot.
    """
    parts = _parts(pattern)
    visible = "" if dot_names else r"(?!\.)"
    expression = ""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            # "docs/**" matches all files below "docs".
            expression += f"(?:{visible}[^/]+/)*" + (f"{visible}[^/]+" if last else "")
        else:
            expression += _part(part, visible) + ("" if last else "/")
    return re.compile(expression)


def may_contain(pattern: str, folder: str, *, dot_names: bool = False) -> bool:
    """Return True if a path below *folder* may match *pattern*.

    :param folder: a path relative to the same folder as the pattern.
    :param dot_names: as for :func:`compile_pattern`.
    """
    parts, names = _parts(pattern), folder.split("/")
    is_deep = "**" in parts
    fixed = parts.index("**") if is_deep else len(parts) - 1
    if not all(
        compile_pattern(part, dot_names=dot_names).fullmatch(name)
        for part, name in zip(parts[:fixed], names, strict=False)
    ):
        return False
    deeper = names[fixed:]
    if not is_deep or dot_names or any(part.startswith(".") for part in parts[fixed:]):
        return is_deep or not deeper
    return not any(name.startswith(".") for name in deeper)


def _parts(pattern: str) -> list[str]:
    return pattern.strip("/").split("/")


def _part(part: str, visible: str) -> str:
    expression = visible if part[:1] in ("*", "?", "[") else ""
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
