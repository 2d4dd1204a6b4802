"""The documentation as a whole: the strict build, the reference, and figures that must not go stale."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from pages import ROOT

import lock
from airflow_provider_retell.get_provider_info import CONFIG, get_provider_info


def test_every_option_is_in_the_reference_with_its_default() -> None:
    text = (ROOT / "docs/reference/configuration.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (?:`(.*?)`)? ?\|", text, flags=re.MULTILINE)
    assert dict(rows) == {name: option["default"] for name, option in CONFIG["options"].items()}


def test_the_changelog_has_its_form() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert releases[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", release) for release in releases[1:])
    for release in releases:
        name = release.partition(" ")[0]
        assert re.search(rf"^{re.escape(name)}: https://", text, flags=re.MULTILINE), f"{name} has no link"
    kinds = {"Added", "Changed", "Changed behavior", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", text, flags=re.MULTILINE)) <= kinds


def test_the_figures_are_those_of_the_last_run_of_the_benchmarks() -> None:
    measured = (ROOT / "docs/scaling.md").read_text(encoding="utf-8").partition("## Measured")[2]
    published = (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")
    figures = re.findall(r"(?<![\w.])\d[\d,.]*(?: %| MB| ms)?", measured.partition("|---|")[2])
    assert len(figures) > 25
    words = {"1 million", "10 thousand"}
    assert [figure for figure in figures if figure not in published and not words & {figure}] == []


def test_the_versions_are_those_that_are_tested() -> None:
    text = (ROOT / "docs/versions.md").read_text(encoding="utf-8")
    (tested,) = re.findall(r"latest patch release of each line: ([^:]*)\. They", text)
    assert re.findall(r"[\d.]+\d", tested) == [line.airflow for line in lock.LINES.values() if line.is_final]


def public_names() -> set[str]:
    """Return what the modules export that Airflow is told of, and a few more."""
    info: dict[str, Any] = get_provider_info()
    modules = [
        name
        for kind in ("hooks", "operators", "sensors", "triggers")
        for entry in info[kind]
        for name in entry["python-modules"]
    ]
    names = {
        *info["notifications"],
        *info["extra-links"],
        "airflow_provider_retell.policies.RetellRetryPolicy",
    }
    modules += [f"airflow_provider_retell.{name}" for name in ("api.errors", "bulk", "emulator")]
    for module in map(importlib.import_module, modules):
        classes = [
            name for name in vars(module) if re.search(r"\w(Operator|Sensor|Trigger|Hook|Error)$", name)
        ]
        own = [name for name in classes if getattr(module, name).__module__ == module.__name__]
        names |= {f"{module.__name__}.{name}" for name in getattr(module, "__all__", own)}
    return names


@pytest.mark.slow
def test_it_builds_strictly_and_its_reference_is_complete(tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="the documentation is built with the newest Airflow only")
    pytest.importorskip("myst_parser")
    built = subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            "-q",
            "-E",
            "-W",
            "--keep-going",
            "-n",
            "docs",
            str(tmp_path / "html"),
        ],
        cwd=ROOT,
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path / "airflow"), "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout
    assert "WARNING" not in built.stdout
    with (tmp_path / "html/objects.inv").open("rb") as file:
        lines = zlib.decompress(file.read().split(b"\n", 4)[4]).decode().splitlines()
    documented = {line.split()[0] for line in lines if " py:" in line}
    assert public_names() - documented == set()
