"""Test the package on every Airflow line with every Python (`make matrix`).

    make matrix                                    all cells, one after the other
    make matrix CELLS="3.0-py3.12 2.11-*"          the cells with these names
    make matrix CELLS=quick                        one cell per line
    make matrix ARGS="--installed-only -j 2"       the cells whose Python is installed, two at a time

A cell is one Airflow line with one Python. It has two environments with the line's constraints: one with this checkout,
for the unit tests and the example DAGs, and one with the wheel only, to check the installed package (wheel_check.py). A
cell for a managed service has only the second environment. Logs: .cache/matrix/<cell>/.

Failed tests run a second time, because some measure time and the machine may be busy. The table marks such cells. The
exit code is 1 if a cell fails or its Python is not installed. Pre-releases of Airflow may fail.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from lock import LINES, MANAGED, ROOT, Line
from running import Running

CACHE = ROOT / ".cache/matrix"
STEPS = ("setup", "tests", "examples", "wheel")
SECONDS = {"setup": 1200, "tests": 1800, "examples": 2400, "wheel": 1200}
QUICK = (
    "2.11-py3.10",
    "3.0-py3.12",
    "3.1-py3.11",
    "3.2-py3.13",
    "3.3-py3.14",
    "3.4-py3.13",
    "2.11.0-py3.11",
    "3.0.6-py3.12",
)
OK, AGAIN, FAILED, ABSENT = "ok", "ok (2nd)", "FAILED", "not installed"
HAS_VENV = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"


@dataclass
class Cell:
    """One Airflow with one Python, and the results of its steps."""

    line: str
    spec: Line
    python: str
    results: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """The cell's name for CELLS."""
        return f"{self.line}-py{self.python}"

    @property
    def folder(self) -> Path:
        """The folder of its environments and logs."""
        return CACHE / self.name

    @property
    def is_managed(self) -> bool:
        """True if the cell tests only the wheel."""
        return self.line in MANAGED

    @property
    def passed(self) -> bool:
        """True if all steps ran and passed."""
        return bool(self.results) and all(result in (OK, AGAIN) for result in self.results.values())

    @property
    def row(self) -> tuple[str, ...]:
        """The cell's row of the table."""
        remark = "may fail" * (not self.spec.is_final) or "managed services" * self.is_managed
        steps = (self.results.get(step, "-") for step in STEPS)
        return self.name, self.spec.airflow, *steps, f"{self.seconds:.0f} s", remark


HEAD = ("cell", "airflow", *STEPS, "time", "")


def every_cell() -> Iterator[Cell]:
    """Yield all cells in the order in which they run."""
    for line, spec in (LINES | MANAGED).items():
        for python in spec.pythons:
            yield Cell(line, spec, python)


def find_python(version: str) -> str | None:
    """Return a Python of this version that has the venv module, from PATH, pyenv or uv, or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [shutil.which(f"python{version}"), sys.executable]
    candidates += map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True))
    if uv := shutil.which("uv"):
        found = subprocess.run(
            [uv, "python", "find", "--no-project", "--no-python-downloads", version],
            capture_output=True,
            text=True,
            check=False,
        )
        candidates.append(found.stdout.strip())
    for candidate in filter(None, candidates):
        done = subprocess.run([candidate, "-c", HAS_VENV], capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip() == version:
            return candidate
    return None


RUNNING = Running(ROOT)
run = RUNNING.run


def setup(python: str, venv: Path, line: str, what: str, log: Path) -> bool:
    """Create an environment of this line with *what*: this checkout with a dependency group, or a wheel."""
    return run(["scripts/setup.sh", python, str(venv), line, what], log, SECONDS["setup"])


def run_cell(cell: Cell, python: str, wheel: Path) -> Cell:
    """Run all steps of a cell, even if one of them fails."""
    started = time.monotonic()
    shutil.rmtree(cell.folder / "home", ignore_errors=True)
    shutil.rmtree(cell.folder / "wheel", ignore_errors=True)
    (cell.folder / "home").mkdir(parents=True)
    logs = {step: cell.folder / f"{step}.log" for step in STEPS}
    for log in logs.values():
        log.unlink(missing_ok=True)

    if not cell.is_managed:
        venv = cell.folder / "venv"
        # Only the tests' dependencies, also on the newest line: the linters and servers are not needed.
        ready = setup(python, venv, cell.line, "test", logs["setup"])
        cell.results["setup"] = OK if ready else FAILED
        if ready:
            env = {"AIRFLOW_HOME": str(cell.folder / "home"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
            for step, options in (
                ("tests", ("-m", "not slow and not system and not soak", "-n", "auto")),
                ("examples", ("-m", "example")),
            ):
                command = [str(venv / "bin/python"), "-m", "pytest", "--durations=10", *options]
                command += ["-o", f"cache_dir={cell.folder / step}"]
                again = [*command, "--last-failed", "--last-failed-no-failures=none"]
                cell.results[step] = (
                    (run(command, logs[step], SECONDS[step], **env) and OK)
                    or (run(again, logs[step], SECONDS[step], **env) and AGAIN)
                    or FAILED
                )
    clean = cell.folder / "wheel/venv"
    empty = cell.folder / "wheel/empty"
    empty.mkdir(parents=True)
    passed = setup(python, clean, cell.line, str(wheel), logs["wheel"]) and run(
        [str(clean / "bin/python"), "-I", str(ROOT / "scripts/wheel_check.py"), cell.spec.airflow],
        logs["wheel"],
        SECONDS["wheel"],
        cwd=empty,
        AIRFLOW_HOME=str(cell.folder / "wheel/home"),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
    )
    cell.results["wheel"] = OK if passed else FAILED
    cell.seconds = time.monotonic() - started
    return cell


def build_wheel(python: str) -> Path:
    """Build the wheel of this checkout."""
    shutil.rmtree(CACHE / "build", ignore_errors=True)
    dist = CACHE / "build/dist"
    dist.mkdir(parents=True)
    log = CACHE / "build.log"
    log.unlink(missing_ok=True)
    venv = CACHE / "build/venv"
    pip = [str(venv / "bin/python"), "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(dist), "."]
    if not (run([python, "-m", "venv", str(venv)], log, 300) and run(pip, log, 600)):
        sys.exit(f"error: building the wheel failed:\n{log.read_text(encoding='utf-8')}")
    (wheel,) = dist.glob("*.whl")
    return wheel


def table(cells: list[Cell]) -> str:
    """Return the results of all cells."""
    rows = [HEAD, *(cell.row for cell in cells)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def failures(cells: list[Cell], *, installed_only: bool) -> list[str]:
    """Return the names of the cells that must pass and did not."""
    return [
        cell.name
        for cell in cells
        if cell.spec.is_final and not cell.passed and not (installed_only and ABSENT in cell.results.values())
    ]


def tails(cells: list[Cell]) -> Iterator[str]:
    """Yield the ends of the logs of the failed steps."""
    for cell in cells:
        for step, result in cell.results.items():
            log = cell.folder / f"{step}.log"
            if result == FAILED and log.exists():
                end = log.read_text(encoding="utf-8", errors="replace").splitlines()[-25:]
                yield "\n".join([f"\n--- {cell.name}: {step} ({log.relative_to(ROOT)})", *end])


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Run the tests on every Airflow line with every Python.")
    parser.add_argument(
        "cells", nargs="*", default=["*"], help="names or patterns such as 3.0-py3.12, 2.11-*, *-py3.10"
    )
    parser.add_argument(
        "--installed-only", action="store_true", help="skip cells whose Python is not installed"
    )
    parser.add_argument("-j", "--jobs", type=int, default=1, help="number of parallel cells (default: 1)")
    parser.add_argument(
        "--list", action="store_true", help="print the cells as JSON, for workflows, and exit"
    )
    return parser.parse_args()


def main() -> None:
    """Run the cells and print the table."""
    asked = arguments()
    names = [name for given in asked.cells for name in (QUICK if given == "quick" else (given,))]
    cells = [cell for cell in every_cell() if any(fnmatch(cell.name, name) for name in names)]
    for name in names:
        if not any(fnmatch(cell.name, name) for cell in cells):
            sys.exit(
                f"error: there is no cell {name!r}; the cells are {', '.join(cell.name for cell in every_cell())}."
            )
    if asked.list:
        print(json.dumps([{"cell": cell.name, "python": cell.python} for cell in cells]))
        return
    pythons = {version: find_python(version) for version in sorted({cell.python for cell in cells})}
    for cell in cells:
        if not pythons[cell.python]:
            cell.results["setup"] = ABSENT
    started = time.monotonic()
    if not (builder := next(filter(None, pythons.values()), None)):
        sys.exit(f"error: none of these Pythons is installed: {', '.join(pythons)}.")
    wheel = build_wheel(builder)
    with ThreadPoolExecutor(asked.jobs) as pool:
        running = [
            pool.submit(run_cell, cell, python, wheel) for cell in cells if (python := pythons[cell.python])
        ]
        try:
            for done in as_completed(running):
                print("  ".join(done.result().row).rstrip(), flush=True)
        except BaseException:
            RUNNING.stop()
            pool.shutdown(cancel_futures=True)
            raise
    print(*tails(cells), f"\n{table(cells)}\n", sep="\n")
    for version, python in pythons.items():
        if not python:
            print(f"Python {version} is not installed: PATH, pyenv and uv do not have it.")
    failed = failures(cells, installed_only=asked.installed_only)
    if failed:
        sys.exit(f"FAILED: {', '.join(failed)}. Logs: {CACHE.relative_to(ROOT)}/<cell>/")
    print(
        f"OK: {sum(cell.passed for cell in cells)} of {len(cells)} cells, {time.monotonic() - started:.0f} s."
    )


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # background jobs of a shell ignore SIGINT by default
        signal.signal(number, signal.default_int_handler)
    main()
