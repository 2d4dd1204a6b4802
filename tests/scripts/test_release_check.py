"""The release check finds every problem and names it."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from release_check import (
    ENTRY_POINTS,
    ROOT,
    SDIST_FILES,
    changelog_entry,
    package_version,
    sdist_problems,
    version_problems,
    wheel_problems,
)

if TYPE_CHECKING:
    from pathlib import Path

CHANGELOG = """# Changelog

## [Unreleased]

## [0.2.0] - 2026-12-01

### Added

- This.

## [0.1.0] - 2026-11-01
"""

TRACKED = ["airflow_provider_retell/__init__.py", "airflow_provider_retell/py.typed"]
INFO = "airflow_provider_retell-0.2.0.dist-info"
METADATA = """Metadata-Version: 2.4
Name: airflow-provider-retell
Version: 0.2.0
License-Expression: Apache-2.0
Requires-Dist: aiohttp>=3.11
"""


def test_changelog_entry_returns_heading_and_text_of_a_version() -> None:
    assert changelog_entry(CHANGELOG, "0.2.0") == ("[0.2.0] - 2026-12-01", "### Added\n\n- This.")
    assert changelog_entry(CHANGELOG, "0.1.0") == ("[0.1.0] - 2026-11-01", "")
    assert changelog_entry(CHANGELOG, "0.2") == ("", "")


def test_a_correct_version_has_no_problems() -> None:
    assert list(version_problems("0.2.0", CHANGELOG, [], rehearsal=False)) == []
    assert list(version_problems("0.2.0", CHANGELOG, ["v0.2.0"], rehearsal=False)) == []


@pytest.mark.parametrize(
    ("version", "changelog", "tags", "rehearsal", "reason"),
    [
        ("0.3.0", CHANGELOG, [], False, "no entry for 0.3.0"),
        ("0.1.0", CHANGELOG, [], False, "no entry for 0.1.0"),
        ("0.2.0", CHANGELOG.replace(" - 2026-12-01", ""), [], False, "must be"),
        ("0.2.0", CHANGELOG.replace("-12-01", "-13-01"), [], False, "must be"),
        ("0.2.0", CHANGELOG, ["v0.1.9"], False, "the commit's tag is v0.1.9"),
        ("0.2", CHANGELOG.replace("0.2.0", "0.2"), [], False, "must have the form"),
        ("0.2.0.dev1", CHANGELOG.replace("0.2.0", "0.2.0.dev1"), [], False, "must have the form"),
        ("0.2.0", CHANGELOG, [], True, "no entry for Unreleased"),
    ],
)
def test_a_wrong_version_is_reported_with_the_reason(
    version: str, changelog: str, tags: list[str], rehearsal: bool, reason: str
) -> None:
    (found,) = version_problems(version, changelog, tags, rehearsal=rehearsal)
    assert reason in found


def wheel(folder: Path, **changed: str | None) -> Path:
    """Create a correct wheel, except for the *changed* files: other contents, or None to leave a file out."""
    files: dict[str, str | None] = {
        **dict.fromkeys(TRACKED, ""),
        f"{INFO}/METADATA": METADATA,
        f"{INFO}/entry_points.txt": "\n".join(ENTRY_POINTS),
        f"{INFO}/licenses/LICENSE": "Apache",
    }
    path = folder / "package.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (files | changed).items():
            if content is not None:
                archive.writestr(name, content)
    return path


def test_a_correct_wheel_has_no_problems(tmp_path: Path) -> None:
    assert list(wheel_problems(wheel(tmp_path), "0.2.0", TRACKED)) == []


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"tests/test_it.py": ""}, "not the package's: tests/test_it.py"),
        ({"airflow/__init__.py": ""}, "not the package's: airflow/__init__.py"),
        ({"airflow_provider_retell/notes.txt": ""}, "not the package's: airflow_provider_retell/notes.txt"),
        ({TRACKED[0]: None}, f"lacks {TRACKED[0]}"),
        ({TRACKED[1]: None}, "lacks py.typed"),
        ({f"{INFO}/licenses/LICENSE": None}, "lacks the license"),
        ({f"{INFO}/entry_points.txt": ENTRY_POINTS[0]}, "no entry point"),
        ({f"{INFO}/entry_points.txt": None}, "no entry point"),
        ({f"{INFO}/METADATA": METADATA.replace("0.2.0", "0.1.0")}, "not airflow-provider-retell 0.2.0"),
        ({f"{INFO}/METADATA": METADATA.replace("Apache-2.0", "MIT")}, "license is MIT"),
        ({f"{INFO}/METADATA": METADATA + "Requires-Dist: pydantic<3\n"}, "caps a dependency"),
        ({f"{INFO}/METADATA": METADATA + "Requires-Dist: pydantic~=2.1\n"}, "caps a dependency"),
        ({f"{INFO}/METADATA": METADATA + "Requires-Dist: pydantic==2.1\n"}, "caps a dependency"),
    ],
)
def test_a_wrong_wheel_is_reported_with_the_reason(
    tmp_path: Path, changed: dict[str, str | None], reason: str
) -> None:
    found = list(wheel_problems(wheel(tmp_path, **changed), "0.2.0", TRACKED))
    assert any(reason in complaint for complaint in found), found


@pytest.mark.parametrize(
    ("lacking", "also", "reason"),
    [
        (None, None, None),
        ("LICENSE", None, "lacks LICENSE"),
        (None, ".cache/secret.txt", "do not belong there"),
        (None, "airflow_provider_retell/__pycache__/hook.pyc", "do not belong there"),
    ],
)
def test_a_wrong_sdist_is_reported_with_the_reason(
    tmp_path: Path, lacking: str | None, also: str | None, reason: str | None
) -> None:
    path = tmp_path / "package.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in (*SDIST_FILES, also):
            if name not in (None, lacking):
                archive.addfile(tarfile.TarInfo(f"airflow_provider_retell-0.2.0/{name}"), io.BytesIO())
    found = list(sdist_problems(path, "0.2.0"))
    assert [reason in complaint for complaint in found if reason] == [True] * bool(reason), found


def test_this_checkout_can_be_released_once_its_changelog_entry_has_a_date() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    version = package_version(ROOT)
    if changelog_entry(changelog, version)[1]:
        assert list(version_problems(version, changelog, [], rehearsal=False)) == []
    else:
        assert list(version_problems(version, changelog, [], rehearsal=True)) == []
