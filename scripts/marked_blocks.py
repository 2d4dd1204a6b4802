"""Blocks of the Markdown pages that scripts write.

Two lines mark a block::

    <!-- begin KIND: WORDS -->
    <!-- end KIND -->
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

Content = Callable[[list[str]], str]
"""Returns the content of a block from the words of its marker; raises :class:`LookupError` if they are wrong."""


def updated(text: str, kind: str, content: Content) -> str:
    """Return a page with the current content of its blocks.

    :raises LookupError: if a marker is wrong or has no end.
    """
    begin = f"<!-- begin {kind}:"
    marked = re.compile(
        rf"^(?P<first>{begin} (?P<words>\S[^>\n]*) -->\n)(?:(?!{begin}).*\n)*?(?P<last><!-- end {kind} -->)$",
        re.MULTILINE,
    )
    if len(re.findall(f"^{begin}", text, re.MULTILINE)) != len(marked.findall(text)):
        raise LookupError(f"a line '{begin} ... -->' has no line '<!-- end {kind} -->'")
    return marked.sub(lambda found: found["first"] + content(found["words"].split()) + found["last"], text)


def write(root: Path, pages: Iterable[Path], kind: str, content: Content, arguments: list[str] | None) -> int:
    """Update the blocks in *pages*, or check them with ``--check``; return the exit code."""
    parser = argparse.ArgumentParser(description=f"Write the {kind} into the Markdown pages.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a page is not current")
    check = parser.parse_args(arguments).check
    stale = False
    for page in pages:
        name = page.relative_to(root)
        text = page.read_text(encoding="utf-8")
        try:
            new = updated(text, kind, content)
        except (LookupError, OSError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 2
        if new == text:
            continue
        stale = True
        print(f"{name}: {'not current; run make docs-code' if check else 'updated'}")
        if not check:
            page.write_text(new, encoding="utf-8")
    return int(stale and check)
