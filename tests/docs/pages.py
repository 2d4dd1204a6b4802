"""The parts of the Markdown pages, for the tests beside it."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / ".github").rglob("*.md"),
        ROOT / "benchmarks/README.md",
    ]
)

_FENCE = re.compile(r"^( *)(`{3,})(.*)$")
_BEGIN_CODE = "<!-- begin code:"


@dataclass(frozen=True)
class Block:
    """A fenced block.

    :ivar kind: the text behind the opening fence, such as ``python``.
    :ivar generated: True if scripts/docs_code.py wrote the block: other tests run that code.
    """

    page: Path
    line: int
    kind: str
    code: str
    generated: bool = False

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    opened: tuple[int, str, str, bool] | None = None
    lines: list[str] = []
    before = ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        fence = _FENCE.match(line)
        if opened is None:
            if fence:
                opened = (number, fence[2], fence[3].strip(), before.startswith(_BEGIN_CODE))
                lines = []
        elif fence and fence[2] == opened[1] and not fence[3].strip():
            yield Block(page, opened[0], opened[2], "\n".join(lines) + "\n", opened[3])
            opened = None
        else:
            lines.append(line)
        before = line
    assert opened is None, f"{page}: the block of line {opened[0]} has no end"


def commands(block: Block) -> list[list[str]]:
    """Return the words of each command of a console block, which must contain only commands."""
    text = block.code.replace("\\\n", "")
    assert all(line.startswith("$ ") for line in text.splitlines()), f"{block}: a line is not a command"
    return [shlex.split(line.removeprefix("$ "), comments=True) for line in text.splitlines()]


def prose(page: Path) -> str:
    """Return a page without its fenced blocks and comments."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"^( *`{3,}).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)


def headings(page: Path) -> list[str]:
    """Return the headings of a page, of all levels."""
    return re.findall(r"^#+ +(.*?)(?: +#+)?$", prose(page), flags=re.MULTILINE)


def slugs(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings; those of the site are the same."""
    found: set[str] = set()
    times: Counter[str] = Counter()
    for heading in headings(page):
        text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        found.add(f"{slug}-{times[slug]}" if times[slug] else slug)
        times[slug] += 1
    return found


def links(page: Path) -> list[str]:
    """Return the targets of a page's links and pictures."""
    text = re.sub(r"(`+).*?\1", "", prose(page), flags=re.DOTALL)
    return [
        *re.findall(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)", text),
        *re.findall(r"^\[[^\]]+\]: +(\S+)", text, flags=re.MULTILINE),
        *re.findall(r"\b(?:href|src|srcset)=\"([^\"]+)\"", text),
    ]
