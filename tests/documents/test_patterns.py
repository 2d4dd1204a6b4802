"""Patterns mean the same on every storage."""

from __future__ import annotations

import pytest

from airflow_provider_retell.documents.patterns import compile_pattern

PATHS = [
    "a.md",
    "b.txt",
    "Ä 1.md",
    "x/a.md",
    "x/y/a.md",
    "x/y/b.md",
    "x/.hidden/a.md",
    ".a.md",
    "x/[1].md",
    "x/a^b.md",
]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("**/*", ["a.md", "b.txt", "Ä 1.md", "x/a.md", "x/y/a.md", "x/y/b.md", "x/[1].md", "x/a^b.md"]),
        ("**", ["a.md", "b.txt", "Ä 1.md", "x/a.md", "x/y/a.md", "x/y/b.md", "x/[1].md", "x/a^b.md"]),
        ("**/*.md", ["a.md", "Ä 1.md", "x/a.md", "x/y/a.md", "x/y/b.md", "x/[1].md", "x/a^b.md"]),
        ("*.md", ["a.md", "Ä 1.md"]),
        ("*", ["a.md", "b.txt", "Ä 1.md"]),
        ("?.md", ["a.md"]),
        ("x/*/a.md", ["x/y/a.md"]),
        ("x/**/a.md", ["x/a.md", "x/y/a.md"]),
        ("x/**", ["x/a.md", "x/y/a.md", "x/y/b.md", "x/[1].md", "x/a^b.md"]),
        ("**/y/*", ["x/y/a.md", "x/y/b.md"]),
        ("/*.md", ["a.md", "Ä 1.md"]),
        ("[ab].*", ["a.md", "b.txt"]),
        ("[!a].*", ["b.txt"]),
        ("[a-b].md", ["a.md"]),
        (".*.md", [".a.md"]),
        ("x/.hidden/*", ["x/.hidden/a.md"]),
        ("**/.hidden/*.md", ["x/.hidden/a.md"]),
        ("x/[[]1].md", ["x/[1].md"]),
        ("x/a[\\^]b.md", ["x/a^b.md"]),
        ("a?md", ["a.md"]),
        ("a.m", []),
        ("[a", []),
        ("A.md", []),
    ],
)
def test_pattern_matches_paths_as_a_shell_does(pattern: str, expected: list[str]) -> None:
    assert [path for path in PATHS if compile_pattern(pattern).fullmatch(path)] == expected


def test_star_does_not_match_a_slash() -> None:
    assert not compile_pattern("*.md").fullmatch("x/a.md")
    assert not compile_pattern("a[!b]c").fullmatch("a/c")
