"""The configuration of the mutation tests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

if sys.version_info < (3, 11):
    pytest.skip("the script needs Python 3.11", allow_module_level=True)

import mutants

ROOT = Path(__file__).resolve().parents[2]
GROUPS: dict[str, Any] = mutants.CONFIG["groups"]
ACCEPTED: dict[str, list[dict[str, str]]] = mutants.CONFIG.get("accepted", {})


def test_every_module_is_in_one_group() -> None:
    wanted = mutants.modules_of(
        ["api/*", "api/*/*", "bulk/*", "bulk/*/*", "export/*", "webhook/*", "webhook/*/*"]
    )
    found = [module for group in GROUPS.values() for module in mutants.modules_of(group["modules"])]
    assert sorted(found) == wanted


@pytest.mark.parametrize("group", GROUPS)
def test_every_pattern_matches_a_file(group: str) -> None:
    for pattern in GROUPS[group]["modules"]:
        assert mutants.modules_of([pattern]), pattern
    for pattern in GROUPS[group]["tests"]:
        assert list(ROOT.glob(pattern)), pattern


def test_each_group_is_in_one_job_of_the_nightly_workflow() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/nightly.yml").read_text(encoding="utf-8"))
    jobs = workflow["jobs"]["mutants"]["strategy"]["matrix"]["groups"]
    assert sorted(" ".join(jobs).split()) == sorted(GROUPS)


@pytest.mark.parametrize("module", ACCEPTED)
def test_accepted_mutants_have_a_reason_and_their_lines_still_exist(module: str) -> None:
    source = " ".join((ROOT / mutants.PACKAGE / f"{module}.py").read_text(encoding="utf-8").split())
    for entry in ACCEPTED[module]:
        assert entry["reason"]
        assert " ".join(entry["before"].split()) in source, entry["before"]


def test_accepted_mutant_is_recognized_by_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [{"before": "x < 1", "after": "x <= 1", "reason": "x is never 1"}]
    monkeypatch.setitem(mutants.CONFIG, "accepted", {"api/a": entries})
    result = {"module": "api/a", "before": "if x < 1:", "after": "if x <= 1:"}
    assert mutants.accepted(result)
    assert not mutants.accepted(result | {"after": "if x < 2:"})
    assert not mutants.accepted(result | {"module": "api/b"})


def test_module_below_its_target_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(mutants.CONFIG, "accepted", {})
    monkeypatch.setitem(mutants.CONFIG, "target", {"score": 50, "modules": ["api/*"]})
    killed = {"module": "api/a", "name": "killed", "status": "killed"}
    survived = {"module": "api/a", "name": "lives", "status": "survived", "before": "old", "after": "new"}
    assert mutants.report([killed, survived])
    assert "lives (survived)\n  - old\n  + new\n" in capsys.readouterr().out
    assert not mutants.report([killed, survived, survived])
    assert "33.3%  below the target" in capsys.readouterr().out
    other = {"module": "export/a"}
    assert mutants.report([killed, survived | other, survived | other])
