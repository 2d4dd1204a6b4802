"""Patterns mean the same on every storage."""

from __future__ import annotations

import pytest

from airflow_provider_retell.common.patterns import compile_pattern, may_contain

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


@pytest.mark.parametrize(
    "pattern", ["**/*", "*.md", "x/*/a.md", "x/**/a.md", "**/y/*", "x/.hidden/*", "**/.hidden/*.md"]
)
@pytest.mark.parametrize("dot_names", [False, True])
def test_all_folders_of_a_matching_path_may_contain_it(pattern: str, dot_names: bool) -> None:
    for path in PATHS:
        if compile_pattern(pattern, dot_names=dot_names).fullmatch(path):
            names = path.split("/")[:-1]
            folders = ["/".join(names[: number + 1]) for number in range(len(names))]
            assert all(may_contain(pattern, folder, dot_names=dot_names) for folder in folders)


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [
        ("*.md", "x"),
        ("x/*", "y"),
        ("x/*", "x/y"),
        ("**/*", ".git"),
        ("x/**/*", "x/y/.git"),
        ("x/**", "y"),
        ("*/a", ".x"),
    ],
)
def test_folder_may_not_contain_a_path_that_cannot_match(pattern: str, folder: str) -> None:
    assert not may_contain(pattern, folder)


def test_names_with_a_dot_match_on_request() -> None:
    assert compile_pattern("*/*.md", dot_names=True).fullmatch(".x/.a.md")
    assert may_contain("*/a", ".x", dot_names=True)
    assert may_contain("**/a", "x/.x", dot_names=True)
