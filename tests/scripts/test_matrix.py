"""The matrix evaluates its cells correctly and leaves no process behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from lock import LINES, MANAGED, ROOT
from matrix import ABSENT, AGAIN, FAILED, OK, Cell, failures, find_python, table
from running import Running

if TYPE_CHECKING:
    from pathlib import Path

ALL_PASSED = {"setup": OK, "tests": OK, "examples": OK, "wheel": OK}


def cell(line: str = "3.0", **results: str) -> Cell:
    return Cell(line, (LINES | MANAGED)[line], "3.12", {**ALL_PASSED, **results})


@pytest.mark.parametrize(
    ("given", "fails"),
    [
        (cell(), False),
        (cell(tests=AGAIN), False),
        (cell(tests=FAILED), True),
        (cell(wheel=FAILED), True),
        (cell("3.4", tests=FAILED), False),  # a beta
        (cell("2.11.0", wheel=FAILED), True),
        (Cell("3.0", LINES["3.0"], "3.12"), True),  # no step ran
    ],
)
def test_a_cell_fails_if_one_of_its_steps_does(given: Cell, fails: bool) -> None:
    for installed_only in (True, False):
        assert failures([cell("3.1"), given], installed_only=installed_only) == [given.name] * fails


def test_a_missing_python_fails_its_cell_unless_installed_only_is_set() -> None:
    absent = Cell("3.0", LINES["3.0"], "3.12", {"setup": ABSENT})
    assert failures([absent], installed_only=False) == ["3.0-py3.12"]
    assert failures([absent], installed_only=True) == []
    assert "not installed" in table([absent])


def test_the_table_marks_a_beta() -> None:
    (line,) = table([cell("3.4", tests=FAILED)]).splitlines()[1:]
    assert line.split() == ["3.4-py3.12", "3.4.0b2", "ok", "FAILED", "ok", "ok", "0", "s", "may", "fail"]


def test_a_python_is_found_by_its_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PATH", "HOME", "PYENV_ROOT"):
        monkeypatch.setenv(name, str(tmp_path))
    version = "{}.{}".format(*sys.version_info)
    assert find_python(version) == sys.executable
    assert find_python("3.99") is None
    # In pyenv's layout, but with another version than the folder says.
    mislabeled = tmp_path / "versions/3.99.1/bin/python"
    mislabeled.parent.mkdir(parents=True)
    mislabeled.symlink_to(sys.executable)
    assert find_python("3.99") is None


# A child that starts another process, prints its pid, and waits.
FAMILY = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
child.wait()
"""


def pid_in(log: Path) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        lines = log.read_text().splitlines() if log.exists() else []
        if lines and lines[-1].isdigit():
            return int(lines[-1])
        time.sleep(0.02)
    raise AssertionError("the child printed no pid")


def is_alive(pid: int) -> bool:
    """Return whether a process runs. A zombie does not."""
    try:
        return open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] != "Z"  # noqa: PTH123
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs Linux")  # noqa: PTH110
def test_stop_kills_all_processes_and_starts_no_more(tmp_path: Path) -> None:
    running, log, results = Running(tmp_path), tmp_path / "log", []

    def go() -> None:
        results.append(running.run([sys.executable, "-c", FAMILY], log, 600))
        results.append(running.run([sys.executable, "-c", "open('ran', 'w')"], log, 600))

    thread = threading.Thread(target=go)
    thread.start()
    grandchild = pid_in(log)
    assert is_alive(grandchild)
    running.stop()
    thread.join(60)
    assert results == [False, False]
    assert not (tmp_path / "ran").exists()
    wait_until_dead(grandchild)


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs Linux")  # noqa: PTH110
def test_a_command_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    running, log = Running(tmp_path), tmp_path / "log"
    assert not running.run([sys.executable, "-c", FAMILY], log, 3)
    assert "Not done after 3 s." in log.read_text()
    started = [int(line) for line in log.read_text().splitlines() if line.isdigit()]
    for grandchild in started:
        wait_until_dead(grandchild)


def wait_until_dead(pid: int) -> None:
    deadline = time.monotonic() + 30
    while is_alive(pid):
        assert time.monotonic() < deadline, f"{pid} still runs"
        time.sleep(0.02)


def test_a_command_gets_only_the_airflow_settings_passed_to_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", "/somewhere")
    print_them = "import json, os; print(json.dumps({k: v for k, v in os.environ.items() if k.startswith('AIRFLOW_')}))"
    log = tmp_path / "log"
    assert Running(tmp_path).run([sys.executable, "-c", print_them], log, 60, AIRFLOW_HOME="/here")
    settings: dict[str, Any] = json.loads(log.read_text().splitlines()[-1])
    assert settings == {"AIRFLOW_HOME": "/here"}


def test_list_prints_the_cells_as_json_for_workflows() -> None:
    command = [sys.executable, "scripts/matrix.py", "--list", "2.11-*", "3.0.6-py3.12"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [
        {"cell": "2.11-py3.10", "python": "3.10"},
        {"cell": "2.11-py3.11", "python": "3.11"},
        {"cell": "2.11-py3.12", "python": "3.12"},
        {"cell": "3.0.6-py3.12", "python": "3.12"},
    ]


def test_an_unknown_cell_is_rejected() -> None:
    command = [sys.executable, "scripts/matrix.py", "3.0-py3.13"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "there is no cell '3.0-py3.13'; the cells are 2.11-py3.10, " in done.stderr
