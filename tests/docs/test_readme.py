"""The figures in the README are those of the last run of the benchmarks."""

from __future__ import annotations

import re

from pages import ROOT


def test_the_readme_repeats_published_figures() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("[Measured]")[2].partition("|---|")[2].partition("\n\n")[0]
    published = (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")
    figures = re.findall(r"(?<![\w.])\d[\d,.]*(?: %| MB| ms)?", table)
    assert len(figures) >= 10
    assert [figure for figure in figures if figure not in published] == []
