"""Links, anchors and generated code: a page must read the same on GitHub and on the site."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pages import PAGES, ROOT, blocks, links, prose, slugs

import docs_code
import docs_tables

EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@EVERY_PAGE
def test_relative_links_and_anchors_exist(page: Path) -> None:
    dead = []
    for target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in slugs(file)):
            dead.append(target)
    assert not dead


@EVERY_PAGE
def test_no_directive_shows_as_text_on_github(page: Path) -> None:
    text = re.sub(r"(`+)(?!\{).*?\1", "", prose(page))
    directives = [str(block) for block in blocks(page) if block.kind.startswith("{")]
    directives += re.findall(r"^:::.*|^\([\w-]+\)=$|\{[a-z:-]+\}`.*?`", text, flags=re.MULTILINE)
    assert not directives, "write rst for the site into a comment that begins with '<!-- sphinx'"


def test_pages_have_the_current_code_of_the_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert docs_code.main(["--check"]) == 0, capsys.readouterr()


def test_pages_have_the_current_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert docs_tables.main(["--check"]) == 0, capsys.readouterr()


@pytest.mark.parametrize(
    "example", sorted((ROOT / "example_dags").glob("*.py")), ids=lambda example: example.name
)
def test_the_page_of_examples_shows_every_example(example: Path) -> None:
    marker = f"<!-- begin code: {example.relative_to(ROOT)} -->"
    assert marker in (ROOT / "docs/examples.md").read_text(encoding="utf-8")
