"""Renew constraints/: exact versions of everything that is installed, one file per supported Airflow line.

They play the part of Airflow's official constraint files. An old Airflow breaks under the newest versions of its
dependencies, so a line that no longer gets releases is resolved as of a day some two weeks after its last one. A file
is universal: environment markers tell which pin is for which Python.

    python scripts/lock.py             every line
    python scripts/lock.py 3.3 2.11    these lines
"""

from __future__ import annotations

import datetime
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Line(NamedTuple):
    """One supported Airflow line: the release that is tested, and the day whose dependencies it gets."""

    airflow: str
    day: str | None  # None: today
    group: str  # of [dependency-groups]; the linters run on the default line only


LINES = {
    "2.11": Line("2.11.2", "2026-03-25", "test"),
    "3.0": Line("3.0.6", "2025-09-05", "test"),
    "3.1": Line("3.1.8", "2026-03-20", "test"),
    "3.2": Line("3.2.2", "2026-06-10", "test"),
    "3.3": Line("3.3.2", None, "dev"),
}
OLDEST_PYTHON = "3.10"
# The client that the emulator is tested with is the same on every line, whatever the line's day.
TEST_CLIENT = ("retell-sdk", "6.2.13")


def lock(name: str, line: Line) -> None:
    """Resolve one line and write its file."""
    client, client_version = TEST_CLIENT
    command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--universal"]
    command += ["--python-version", OLDEST_PYTHON]
    # Names and versions only. uv's header and annotations hold the command and the paths of this machine.
    command += ["--no-header", "--no-annotate"]
    if line.day:
        command += ["--exclude-newer", line.day, "--exclude-newer-package", f"{client}=false"]
    command += ["--group", f"pyproject.toml:{line.group}", "pyproject.toml", "-"]
    wanted = f"apache-airflow=={line.airflow}\n{client}=={client_version}\n"
    done = subprocess.run(command, cwd=ROOT, input=wanted, text=True, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"Airflow {line.airflow} cannot be resolved:\n{done.stderr}")
    day = line.day or datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    header = f"# Airflow {line.airflow} with what was current on {day}. Written by `make lock`.\n"
    path = ROOT / "constraints" / f"airflow-{name}.txt"
    path.write_text(header + done.stdout, encoding="utf-8")
    print(f"{path.relative_to(ROOT)}: {len(done.stdout.splitlines())} pins")


def main() -> None:
    """Renew the lines named on the command line, or all of them."""
    names = sys.argv[1:] or list(LINES)
    for name in names:
        if name not in LINES:
            sys.exit(f"No Airflow line {name!r}: there are {', '.join(LINES)}.")
        lock(name, LINES[name])


if __name__ == "__main__":
    main()
