"""The recipe in docs/testing.md: a project whose tests run whole DAGs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import ROOT

pytestmark = pytest.mark.system


@pytest.mark.parametrize(("tier", "passes"), [("gold", True), ("silver", False)])
def test_the_recipe_for_whole_dags_works(tmp_path: Path, tier: str, passes: bool) -> None:
    project = shutil.copytree(Path(__file__).parent / "whole_dags", tmp_path / "project")
    test = project / "test_enrich.py"
    test.write_text(
        test.read_text().replace('run_dag("enrich", tier="gold")', f'run_dag("enrich", tier="{tier}")')
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", "."],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is passes, done.stdout + done.stderr
    assert ("1 passed" if passes else "1 failed") in done.stdout
