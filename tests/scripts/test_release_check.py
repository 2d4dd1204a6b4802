"""Whatever would spoil a release is seen before it, and by its name."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from release_check import (
    ENTRY_POINTS,
    OF_THE_SDIST,
    ROOT,
    changelog_entry,
    of_sdist,
    of_version,
    of_wheel,
    package_version,
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


def test_the_entry_of_a_version_is_found() -> None:
    assert changelog_entry(CHANGELOG, "0.2.0") == ("[0.2.0] - 2026-12-01", "### Added\n\n- This.")
    assert changelog_entry(CHANGELOG, "0.1.0") == ("[0.1.0] - 2026-11-01", "")
    assert changelog_entry(CHANGELOG, "0.2") == ("", "")


def test_a_version_that_can_be_released() -> None:
    assert list(of_version("0.2.0", CHANGELOG, [], rehearsal=False)) == []
    assert list(of_version("0.2.0", CHANGELOG, ["v0.2.0"], rehearsal=False)) == []


@pytest.mark.parametrize(
    ("version", "changelog", "tags", "rehearsal", "reason"),
    [
        ("0.3.0", CHANGELOG, [], False, "no entry for 0.3.0"),
        ("0.1.0", CHANGELOG, [], False, "no entry for 0.1.0"),
        ("0.2.0", CHANGELOG.replace(" - 2026-12-01", ""), [], False, "should read"),
        ("0.2.0", CHANGELOG.replace("-12-01", "-13-01"), [], False, "should read"),
        ("0.2.0", CHANGELOG, ["v0.1.9"], False, "the commit's tag is v0.1.9"),
        ("0.2", CHANGELOG.replace("0.2.0", "0.2"), [], False, "not of the form"),
        ("0.2.0.dev1", CHANGELOG.replace("0.2.0", "0.2.0.dev1"), [], False, "not of the form"),
        ("0.2.0", CHANGELOG, [], True, "no entry for Unreleased"),
    ],
)
def test_a_version_that_cannot(
    version: str, changelog: str, tags: list[str], rehearsal: bool, reason: str
) -> None:
    (found,) = of_version(version, changelog, tags, rehearsal=rehearsal)
    assert reason in found


def wheel(folder: Path, **changed: str | None) -> Path:
    """A wheel without fault, but for the files that are given other contents, or None to leave them out."""
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


def test_a_wheel_without_fault(tmp_path: Path) -> None:
    assert list(of_wheel(wheel(tmp_path), "0.2.0", TRACKED)) == []


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
def test_a_wheel_with_a_fault(tmp_path: Path, changed: dict[str, str | None], reason: str) -> None:
    found = list(of_wheel(wheel(tmp_path, **changed), "0.2.0", TRACKED))
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
def test_an_sdist(tmp_path: Path, lacking: str | None, also: str | None, reason: str | None) -> None:
    path = tmp_path / "package.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in (*OF_THE_SDIST, also):
            if name not in (None, lacking):
                archive.addfile(tarfile.TarInfo(f"airflow_provider_retell-0.2.0/{name}"), io.BytesIO())
    found = list(of_sdist(path, "0.2.0"))
    assert [reason in complaint for complaint in found if reason] == [True] * bool(reason), found


def test_this_checkout_could_be_released_after_its_entry_is_dated() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    version = package_version(ROOT)
    if changelog_entry(changelog, version)[1]:
        assert list(of_version(version, changelog, [], rehearsal=False)) == []
    else:
        assert list(of_version(version, changelog, [], rehearsal=True)) == []
