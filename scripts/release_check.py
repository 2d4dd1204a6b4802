"""Check that this commit can be released (`make release-check`).

    make release-check                       the commit to release, or its tag
    make release-check ARGS=--rehearsal      any checkout; uses the changelog's "Unreleased" section

The script builds the sdist, and the wheel from the sdist, in dist/. It checks both, and installs the wheel in an
environment of the newest Airflow line. It writes the version's changelog section to .cache/release/notes.md. If there
are problems, it prints all of them and exits with 1.
"""

from __future__ import annotations

import argparse
import datetime
import email
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
NAME = "airflow-provider-retell"
PACKAGE = "airflow_provider_retell"
NEWEST = "3.3"
ENTRY_POINTS = ("[apache_airflow_provider]", f"provider_info = {PACKAGE}.get_provider_info:get_provider_info")
SDIST_FILES = (
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "pyproject.toml",
    f"{PACKAGE}/py.typed",
    "tests/conftest.py",
)
FOREIGN_FILES = re.compile(
    r"(^|/)(\.cache|\.venv[^/]*|\.git|__pycache__|\.env|airflow\.(cfg|db))(/|$)|\.(pyc|log|sqlite)$"
)


def package_version(root: Path) -> str:
    """Return the package's version."""
    text = (root / PACKAGE / "__init__.py").read_text(encoding="utf-8")
    return re.findall(r'^__version__ = "(.+)"$', text, re.MULTILINE)[0]


def changelog_entry(text: str, version: str) -> tuple[str, str]:
    """Return the heading and the text of a version's changelog section, or two empty texts."""
    match = re.search(rf"^## (\[{re.escape(version)}\].*)\n((?:(?!## ).*\n?)*)", text, re.MULTILINE)
    return (match[1].strip(), match[2].strip()) if match else ("", "")


def version_problems(
    version: str, changelog: str, tags: Collection[str], *, rehearsal: bool
) -> Iterator[str]:
    """Yield the problems of the version, its changelog section and the commit's tags."""
    if not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", version):
        yield f"the version must have the form 1.2.3, 1.2.3b1 or 1.2.3rc1, not {version}"
    heading, entry = changelog_entry(changelog, "Unreleased" if rehearsal else version)
    if not entry:
        yield f"CHANGELOG.md has no entry for {'Unreleased' if rehearsal else version}"
    elif not rehearsal:
        day = re.fullmatch(r"\[.+\] - (\d{4}-\d\d-\d\d)", heading)
        try:
            datetime.date.fromisoformat(day[1] if day else "")
        except ValueError:
            yield f"CHANGELOG.md: '## {heading}' must be '## [{version}] - YYYY-MM-DD'"
    if tags and f"v{version}" not in tags:
        yield f"the package's version is {version}, but the commit's tag is {', '.join(sorted(tags))}"


def wheel_problems(wheel: Path, version: str, tracked: Collection[str]) -> Iterator[str]:
    """Yield the problems of the wheel, which must contain exactly the *tracked* files."""
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    info = f"{PACKAGE}-{version}.dist-info"
    code = {name for name in files if not name.startswith(f"{info}/")}
    if missing := sorted(set(tracked) - code):
        yield f"the wheel lacks {', '.join(missing)}"
    if foreign := sorted(code - set(tracked)):
        yield f"the wheel has files that are not the package's: {', '.join(foreign)}"
    if f"{PACKAGE}/py.typed" not in code:
        yield "the wheel lacks py.typed"
    if not any(PurePosixPath(name).name == "LICENSE" for name in files):
        yield "the wheel lacks the license"
    points = files.get(f"{info}/entry_points.txt", b"").decode().splitlines()
    if not set(ENTRY_POINTS) <= set(points):
        yield "Airflow cannot find the provider: the wheel has no entry point apache_airflow_provider"
    metadata = email.message_from_bytes(files.get(f"{info}/METADATA", b""))
    if (metadata["Name"], metadata["Version"]) != (NAME, version):
        yield f"the wheel is {metadata['Name']} {metadata['Version']}, not {NAME} {version}"
    if metadata["License-Expression"] != "Apache-2.0":
        yield f"the wheel's license is {metadata['License-Expression']}"
    for needed in metadata.get_all("Requires-Dist", []):
        if re.search(r"[<~]|==|@", needed.partition(";")[0]):
            yield f"the wheel caps a dependency, which can conflict with the user's constraint file: {needed}"


def sdist_problems(sdist: Path, version: str) -> Iterator[str]:
    """Yield the problems of the sdist."""
    folder = f"{PACKAGE}-{version}/"
    with tarfile.open(sdist) as archive:
        names = [member.name for member in archive.getmembers() if member.isfile()]
    inside = {name.removeprefix(folder) for name in names if name.startswith(folder)}
    if missing := sorted(set(SDIST_FILES) - inside):
        yield f"the sdist lacks {', '.join(missing)}"
    if foreign := sorted(name for name in names if not name.startswith(folder) or FOREIGN_FILES.search(name)):
        yield f"the sdist has files that do not belong there: {', '.join(foreign)}"


def output_of(*command: str) -> list[str]:
    """Return the output lines of a command."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def run(what: str, *command: str, cwd: Path = ROOT) -> Iterator[str]:
    """Run a command; yield its output if it fails."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    env["AIRFLOW_HOME"] = str(ROOT / ".cache/release/home")
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    print(f"{what}: {'FAILED' if done.returncode else 'ok'}", flush=True)
    if done.returncode:
        yield f"{what} failed:\n{done.stdout}{done.stderr}"


def build(dist: Path, version: str) -> Iterator[str]:
    """Build the distributions and yield their problems."""
    shutil.rmtree(dist, ignore_errors=True)
    wheel, sdist = dist / f"{PACKAGE}-{version}-py3-none-any.whl", dist / f"{PACKAGE}-{version}.tar.gz"
    failed = list(run("build", sys.executable, "-m", "build", "--outdir", str(dist), "."))
    yield from failed
    if failed:
        return
    if set(dist.iterdir()) != {wheel, sdist}:
        yield f"the build made {', '.join(sorted(path.name for path in dist.iterdir()))}"
        return
    yield from run("twine check", sys.executable, "-m", "twine", "check", "--strict", str(wheel), str(sdist))
    yield from wheel_problems(wheel, version, output_of("git", "ls-files", PACKAGE))
    yield from sdist_problems(sdist, version)
    cache = ROOT / ".cache/release"
    shutil.rmtree(cache, ignore_errors=True)
    (cache / "empty").mkdir(parents=True)
    venv, check = cache / "venv", ROOT / "scripts/wheel_check.py"
    failed = list(run("clean install", "scripts/setup.sh", sys.executable, str(venv), NEWEST, str(wheel)))
    yield from failed or run(
        "the installed wheel", str(venv / "bin/python"), "-I", str(check), cwd=cache / "empty"
    )


def main() -> None:
    """Check the release and print all problems."""
    parser = argparse.ArgumentParser(description="Check that this commit can be released.")
    parser.add_argument(
        "--rehearsal", action="store_true", help="check any checkout, not only the commit to release"
    )
    rehearsal = parser.parse_args().rehearsal
    version, dist = package_version(ROOT), ROOT / "dist"
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    tags = (
        [] if rehearsal else [t for t in output_of("git", "tag", "--points-at", "HEAD") if t.startswith("v")]
    )
    problems = list(version_problems(version, changelog, tags, rehearsal=rehearsal))
    if not rehearsal and output_of("git", "status", "--porcelain"):
        problems.append("the checkout has uncommitted changes")
    problems += build(dist, version)
    if problems:
        sys.exit("\n".join(["", *(f"FAILED: {problem}" for problem in problems)]))
    entry = changelog_entry(changelog, "Unreleased" if rehearsal else version)[1]
    (ROOT / ".cache/release/notes.md").write_text(f"{entry}\n", encoding="utf-8")
    print(f"OK: {NAME} {version} in {dist.relative_to(ROOT)}/{' (a rehearsal)' if rehearsal else ''}")


if __name__ == "__main__":
    main()
