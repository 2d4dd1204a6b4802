"""Every heading of the troubleshooting page that quotes a message is in the source as it is spelled there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from difflib import SequenceMatcher

import pytest
from pages import ROOT, headings

QUOTED = [heading[1:-1] for heading in headings(ROOT / "docs/troubleshooting.md") if heading.startswith("`")]


def messages() -> Iterator[str]:
    """Yield the string literals of the package, with "…" in place of everything that is formatted into them."""
    for file in (ROOT / "airflow_provider_retell").rglob("*.py"):
        if "emulator" in file.parts:
            continue
        nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
        parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        for node in nodes:
            if isinstance(node, ast.JoinedStr):  # adjacent literals are one node
                yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
            elif isinstance(node, ast.Constant) and id(node) not in parts | docstrings:
                yield re.sub(r"%[\d.]*[a-z]", "…", str(node.value))


MESSAGES = sorted(set(messages()))


def similarity(heading: str, message: str) -> float:
    """Return the share of *heading* that *message* has in the same order, in runs of several characters."""
    blocks = SequenceMatcher(None, heading, message, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks if block.size > 3) / len(heading)


@pytest.mark.parametrize("heading", QUOTED)
def test_the_message_is_in_the_source(heading: str) -> None:
    pattern = ".*".join(map(re.escape, heading.split("…")))
    if not any(re.search(pattern, message) for message in MESSAGES):
        closest = max(MESSAGES, key=lambda message: similarity(heading, message))
        pytest.fail(f"\nnot in the source: {heading}\nclosest message:   {closest}", pytrace=False)


def test_no_message_is_explained_twice() -> None:
    assert len(QUOTED) == len(set(QUOTED)) >= 30
