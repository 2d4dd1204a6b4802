"""Values that several project files repeat are the same in all of them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lock import LINES, MANAGED, ROOT, file_of
from matrix import QUICK, every_cell

yaml = pytest.importorskip("yaml")

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text()
PYPROJECT = (ROOT / "pyproject.toml").read_text()


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_to_a_commit_with_its_version(path: Any) -> None:
    uses = re.findall(r"uses: (.+)", path.read_text())
    assert uses
    for line in uses:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_all_workflows_use_the_same_version_of_an_action() -> None:
    pins = {line for path in WORKFLOWS for line in re.findall(r"uses: (.+)", path.read_text())}
    assert len(pins) == len({line.partition("@")[0] for line in pins}), sorted(pins)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_use_existing_make_targets_and_scripts(path: Any) -> None:
    commands = [step["run"] for step in steps(yaml.safe_load(path.read_text())) if "run" in step]
    for target in re.findall(r"\bmake ([a-z0-9-]+)", "\n".join(commands)):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target
    for script in re.findall(r"\bscripts/[\w.-]+", "\n".join(commands)):
        assert (ROOT / script).exists()


def test_the_property_tests_run_nightly_with_new_examples() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/nightly.yml").read_text())
    run = workflow["jobs"]["properties"]["steps"][-1]
    assert run == {"run": "make test ARGS=tests/properties", "env": {"HYPOTHESIS_PROFILE": "nightly"}}
    assert 'register_profile("nightly"' in (ROOT / "tests/properties/conftest.py").read_text()


def test_tasks_are_killed_more_often_every_night() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/nightly.yml").read_text())
    run = workflow["jobs"]["kills"]["steps"][-1]
    assert run["env"] == {"RETELL_KILLS": "50"}
    assert 'environ.get("RETELL_KILLS", "10")' in (ROOT / "tests/support/kills.py").read_text()
    tests = (ROOT / "tests").rglob("test_*.py")
    users = {path for path in tests if re.search("^from kills import", path.read_text(), re.MULTILINE)}
    assert users == {ROOT / name for name in re.findall(r"tests/\S+\.py", run["run"])}


def test_the_system_tests_run_nightly_on_every_line_and_may_fail_on_a_beta() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/nightly.yml").read_text())
    job = workflow["jobs"]["system"]
    assert job["strategy"]["matrix"]["airflow"] == list(LINES)
    (beta,) = [name for name, line in LINES.items() if not line.is_final]
    assert job["continue-on-error"] == f"${{{{ matrix.airflow == '{beta}' }}}}"


def test_only_release_and_docs_jobs_may_write_and_every_job_sets_its_permissions() -> None:
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text())
        assert workflow["permissions"] == {}
        for name, job in workflow["jobs"].items():
            writes = {scope for scope, level in job["permissions"].items() if level == "write"}
            expected = {"pypi": {"id-token"}, "github": {"contents"}, "publish": {"id-token", "pages"}}
            assert writes == (expected.get(name, set()) if path.stem in ("release", "docs") else set())


def test_the_pre_commit_hooks_have_the_locked_versions() -> None:
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    pins = [pin for hook in local["hooks"] for pin in hook["additional_dependencies"]]
    locked = [line.partition(" ;")[0] for line in file_of("3.3").read_text().splitlines()]
    assert len(pins) >= 3
    assert set(pins) <= set(locked)


def test_the_quick_cells_cover_every_line_and_every_python() -> None:
    quick = {cell.line: cell.python for cell in every_cell() if cell.name in QUICK}
    assert len(quick) == len(QUICK)
    assert set(quick) == {*LINES, *MANAGED}
    assert set(quick.values()) == set(re.findall(r"Python :: (3\.\d+)", PYPROJECT))


def test_every_line_has_its_constraints() -> None:
    for name, line in (LINES | MANAGED).items():
        pins = file_of(name).read_text().splitlines()
        assert f"apache-airflow=={line.airflow}" in pins
        assert set(line.also) <= set(pins)
    files = {path.name for path in (ROOT / "constraints").iterdir()}
    assert files == {file_of(name).name for name in LINES | MANAGED}
