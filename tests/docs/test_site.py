"""The documentation as a whole: the strict build, the reference, and figures that must not go stale."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from pages import ROOT
from public_api import public_paths

import lock


def test_the_changelog_follows_keep_a_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert releases[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", release) for release in releases[1:])
    for release in releases:
        name = release.partition(" ")[0]
        assert re.search(rf"^{re.escape(name)}: https://", text, flags=re.MULTILINE), f"{name} has no link"
    kinds = {"Added", "Changed", "Changed behavior", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", text, flags=re.MULTILINE)) <= kinds


@pytest.mark.parametrize(
    ("page", "start", "end", "count"),
    [("docs/scaling.md", "## Measured", "\n# ", 25), ("README.md", "[Measured]", "\n\n", 10)],
)
def test_the_figures_are_those_of_the_last_benchmark_run(page: str, start: str, end: str, count: int) -> None:
    table = (ROOT / page).read_text(encoding="utf-8").partition(start)[2].partition("|---|")[2].split(end)[0]
    published = (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")
    figures = re.findall(r"(?<![\w.])\d[\d,.]*(?: %| MB| ms)?", table)
    assert len(figures) >= count
    assert [figure for figure in figures if figure not in published] == []


def test_the_page_of_versions_lists_the_tested_releases() -> None:
    text = (ROOT / "docs/versions.md").read_text(encoding="utf-8")
    (tested,) = re.findall(r"latest patch release of each line: (.*?)\. They", text, flags=re.DOTALL)
    assert re.findall(r"[\d.]+\d", tested) == [line.airflow for line in lock.LINES.values() if line.is_final]


# The reference shows these because they document parameters of public classes, or because public methods take, return
# or raise them.
SHOWN_TOO = {
    "airflow_provider_retell.api.calls.bodies.CallTarget",
    "airflow_provider_retell.api.calls.bodies.CallTimeWindow",
    "airflow_provider_retell.api.calls.bodies.TimeWindow",
    "airflow_provider_retell.api.choices.MetadataMode",
    "airflow_provider_retell.api.records.update.UpdateResult",
    "airflow_provider_retell.bulk.errors.BulkStoppedError",
    "airflow_provider_retell.bulk.errors.ReportError",
    "airflow_provider_retell.bulk.errors.RowsFailedError",
    "airflow_provider_retell.bulk.errors.SourceError",
    "airflow_provider_retell.bulk.outcome.Outcome",
    "airflow_provider_retell.hooks.calls.CallMethods",
    "airflow_provider_retell.hooks.chats.ChatMethods",
    "airflow_provider_retell.hooks.organization.OrganizationMethods",
    "airflow_provider_retell.operators.at_most_once.AtMostOnceOperator",
    "airflow_provider_retell.operators.base.RetellOperator",
    "airflow_provider_retell.operators.call_base.WaitingOperator",
    "airflow_provider_retell.sensors.base.RetellSensor",
    "airflow_provider_retell.triggers.base.PollTrigger",
}


def test_the_reference_names_every_public_name_in_its_text() -> None:
    pages = [page.read_text(encoding="utf-8") for page in (ROOT / "docs/reference").glob("*.md")]
    text = re.sub(r"<!--.*?-->", "", "\n".join(pages), flags=re.DOTALL)
    named = {word for span in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"\w+", span)}
    assert {path.rpartition(".")[2] for path in public_paths()} - named == set()


@pytest.mark.slow
def test_the_site_builds_without_warnings_and_its_reference_is_complete(tmp_path: Path) -> None:
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
    documented = {
        line.split()[0] for line in lines if re.search(r" py:(class|exception|function|data) ", line)
    }
    # The page of errors shows RetellError where it is defined.
    assert (public_paths() | SHOWN_TOO) - documented == {"airflow_provider_retell.hooks.RetellError"}
    # A class that is exported by its package is also listed by the module that defines it.
    exported = {path.rpartition(".")[2] for path in public_paths() | SHOWN_TOO}
    # The methods of hooks and the types that they return are shown by the module of their resource.
    of_resources = re.compile(
        r"airflow_provider_retell\.(hooks\.\w+\.\w+Methods|api\.\w+\.\w+\.\w+|operators\.base\.\w+)"
    )
    assert {
        path
        for path in documented
        if path.rpartition(".")[2] not in exported and not of_resources.fullmatch(path)
    } == set()
