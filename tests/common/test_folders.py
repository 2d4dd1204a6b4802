"""Files below a folder: each one is found, or the folder that cannot be read is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_retell._compat.services import storage_path
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.bulk.files.parts import files_of
from airflow_provider_retell.common.folders import find, matches
from airflow_provider_retell.documents import FileDocuments
from airflow_provider_retell.params.test_cases import as_test_cases

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILES = ["a.csv", "x/b.csv", "x/y/c.csv", "x/.z/d.csv", "[x]/e.csv"]


@pytest.fixture(params=["local", "memory"])
def root(request: pytest.FixtureRequest, tmp_path: Path, memory: MemoryFileSystem) -> str:
    """A folder with files, on the disk and on a storage with URLs."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("call_id\n")
        memory.pipe(f"/bucket/{name}", b"call_id\n")
    return str(tmp_path) if request.param == "local" else "memory://bucket"


@pytest.fixture
def unreadable(mocker: Any) -> Callable[[str], None]:
    """Make a folder unreadable, also for root, who can read all."""

    def make(folder: str, error: Exception | None = None) -> None:
        for storage in (LocalFileSystem, MemoryFileSystem):
            mocker.patch.object(
                storage, "ls", _failing(storage.ls, folder, error or PermissionError(13, "No"))
            )

    return make


def _failing(ls: Any, folder: str, error: Exception) -> Any:
    def fail(storage: Any, path: str, *arguments: Any, **options: Any) -> Any:
        if str(path).rstrip("/").endswith(folder):
            raise error
        return ls(storage, path, *arguments, **options)

    return fail


def found(root: str, pattern: str, **options: Any) -> list[str]:
    path = storage_path(root)
    return list(find(path.fs, str(path.path), pattern, **options))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("**/*.csv", ["[x]/e.csv", "a.csv", "x/b.csv", "x/y/c.csv"]),
        ("*", ["[x]", "a.csv", "x"]),
        ("x/*", ["x/b.csv", "x/y"]),
        ("x/**", ["x/b.csv", "x/y", "x/y/c.csv"]),
        ("*/y/*.csv", ["x/y/c.csv"]),
        ("**/.z/*", ["x/.z/d.csv"]),
        ("none/*", []),
    ],
)
def test_files_and_folders_that_match_are_found(root: str, pattern: str, expected: list[str]) -> None:
    assert found(root, pattern) == expected


def test_names_with_a_dot_are_found_on_request(root: str) -> None:
    assert found(root, "x/**/*.csv", dot_names=True) == ["x/.z/d.csv", "x/b.csv", "x/y/c.csv"]
    assert found(root, "x/*/d.csv", dot_names=True) == ["x/.z/d.csv"]


def test_nothing_is_found_in_a_file_or_a_folder_that_does_not_exist(root: str) -> None:
    assert found(f"{root}/none", "**/*") == found(f"{root}/a.csv", "**/*") == []


def test_only_stars_have_a_meaning_in_a_path(root: str) -> None:
    assert [path.name for path in matches(f"{root}/[x]/*.csv", None)] == ["e.csv"]
    assert [path.name for path in matches(f"{root}/*/[x]*", None)] == []
    assert [str(path).rpartition("bucket/")[2] for path in matches("memory://bucket/[x]*/e.csv", None)] == [
        "[x]/e.csv"
    ]


@pytest.mark.parametrize("error", [PermissionError(13, "No"), OSError(5, "Input/output error")])
@pytest.mark.parametrize("folder", ["x", "x/y"])
def test_folder_that_cannot_be_read_is_an_error(
    root: str, unreadable: Callable[..., None], folder: str, error: Exception
) -> None:
    unreadable(folder, error)
    with pytest.raises(
        RetellError, match=rf"The folder .*{folder} cannot be read \({type(error).__name__}\)"
    ):
        found(root, "**/*")


def test_folder_that_was_listed_and_is_gone_then_is_an_error(
    root: str, unreadable: Callable[..., None]
) -> None:
    unreadable("x/y", FileNotFoundError())
    with pytest.raises(RetellError, match=r"x/y cannot be read \(FileNotFoundError\)"):
        found(root, "**/*")


def test_root_that_cannot_be_read_is_an_error(
    root: str, tmp_path: Path, unreadable: Callable[..., None]
) -> None:
    unreadable("bucket")
    unreadable(tmp_path.name)
    with pytest.raises(RetellError, match=r"cannot be read \(PermissionError\)"):
        found(root, "**/*")


def test_folders_in_which_nothing_can_match_are_not_read(root: str, unreadable: Callable[..., None]) -> None:
    unreadable("x/.z")
    assert found(root, "**/*.csv") == ["[x]/e.csv", "a.csv", "x/b.csv", "x/y/c.csv"]
    unreadable("x")
    assert found(root, "*.csv") == ["a.csv"]
    assert found(root, "[[]x]/**") == ["[x]/e.csv"]


@pytest.mark.parametrize(
    "read",
    [
        lambda root: list(FileDocuments(root).read()),
        lambda root: files_of(f"{root}/*/*.csv", None),
        lambda root: files_of(f"{root}/**/*.csv", None),
        lambda root: as_test_cases(f"{root}/*/*.json", "test_cases"),
    ],
    ids=["documents", "rows", "rows of all folders", "test cases"],
)
def test_documents_rows_and_test_cases_fail_if_a_folder_cannot_be_read(
    root: str, unreadable: Callable[..., None], read: Callable[[str], object]
) -> None:
    unreadable("x")
    with pytest.raises(RetellError, match=r"The folder .*/x cannot be read \(PermissionError\)"):
        read(root)


def test_matched_folder_of_rows_that_cannot_be_read_is_an_error(
    root: str, unreadable: Callable[..., None]
) -> None:
    unreadable("/y")
    with pytest.raises(PermissionError):
        files_of(f"{root}/x/y*/", None)
