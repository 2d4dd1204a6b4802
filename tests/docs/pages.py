"""What the documentation's Markdown holds, for the tests beside it."""

from __future__ import annotations

import re
import shlex
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


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, what it says it is, and what is in it."""

    page: Path
    line: int
    kind: str
    code: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page; an indented one counts as no block."""
    opened: tuple[int, str, str] | None = None
    lines: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        fence = _FENCE.match(line)
        if opened is None:
            if fence:
                opened, lines = (number, fence[2], fence[3].strip()), []
        elif fence and fence[2] == opened[1] and not fence[3].strip():
            yield Block(page, opened[0], opened[2], "\n".join(lines) + "\n")
            opened = None
        else:
            lines.append(line)
    assert opened is None, f"{page}: the block of line {opened[0]} has no end"


def commands(block: Block) -> list[list[str]]:
    """Return the words of each command of a console block, which holds nothing else."""
    text = block.code.replace("\\\n", "")
    assert all(line.startswith("$ ") for line in text.splitlines()), f"{block}: a line is no command"
    return [shlex.split(line.removeprefix("$ "), comments=True) for line in text.splitlines()]


def prose(page: Path) -> str:
    """Return a page without its blocks."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)


def headings(page: Path) -> list[str]:
    """Return the headings of a page, of all levels."""
    return re.findall(r"^#+ (.*)$", prose(page), flags=re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings, as GitHub and MyST make them."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings(page)}
