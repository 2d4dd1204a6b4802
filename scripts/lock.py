"""Update constraints/: the exact versions of all installed packages, one file per supported Airflow line.

The files replace Airflow's official constraint files. An old Airflow breaks with the newest versions of its
dependencies. The script therefore resolves a line without further releases as of a day about two weeks after its last
release. Each file covers all Python versions: environment markers select the pins.

    python scripts/lock.py             every line, and the releases of managed services
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
    """One supported Airflow line: the tested release, and the day for which its dependencies are resolved."""

    airflow: str
    day: str | None  # None: today
    group: str | None  # of [dependency-groups]; only the default line has the linters
    pythons: tuple[str, ...]  # that both this Airflow and the package support
    also: tuple[str, ...] = ()  # more requirements: pre-releases are installed only if requested

    @property
    def is_final(self) -> bool:
        """True for a final release. Pre-releases may fail."""
        return self.airflow.replace(".", "").isdigit()


LINES = {
    "2.11": Line("2.11.2", "2026-03-25", "test", ("3.10", "3.11", "3.12")),
    "3.0": Line("3.0.6", "2025-09-05", "test", ("3.10", "3.11", "3.12")),
    "3.1": Line("3.1.8", "2026-03-20", "test", ("3.10", "3.11", "3.12", "3.13")),
    "3.2": Line("3.2.2", "2026-06-10", "test", ("3.10", "3.11", "3.12", "3.13", "3.14")),
    "3.3": Line("3.3.2", None, "dev", ("3.10", "3.11", "3.12", "3.13", "3.14")),
    "3.4": Line(
        *("3.4.0b2", None, "test", ("3.11", "3.12", "3.13", "3.14")),
        also=("apache-airflow-core==3.4.0b2", "apache-airflow-task-sdk==1.4.0b2"),
    ),
}
# Releases of managed services, which install the versions of Airflow's official constraint files. For the dependencies
# of Airflow and of this package, resolving as of a day gives the same versions, except for those that other providers
# hold back. `also` lists these.
MANAGED = {
    "2.11.0": Line(
        *("2.11.0", "2025-05-20", None, ("3.11", "3.12")),
        also=(
            *("click==8.2.0", "fsspec==2025.3.2", "httpx==0.27.2", "importlib-metadata==6.11.0"),
            "jmespath==0.10.0",
        ),
    ),
    "3.0.6": Line(
        *("3.0.6", "2025-08-23", None, ("3.12",)),
        also=(
            *("cryptography==42.0.8", "dill==0.3.1.1", "flask==2.2.5", "grpcio==1.65.5"),
            *("importlib-metadata==8.4.0", "opentelemetry-api==1.27.0", "protobuf==4.25.8", "rich==13.9.4"),
            "werkzeug==2.2.3",
        ),
    ),
}
# All lines test the emulator with the same client, independent of the line's day.
TEST_CLIENT = ("retell-sdk", "6.2.13")
# Airflow itself may be newer than the line's day: its constraints are frozen before its release.
AIRFLOW = ("apache-airflow", "apache-airflow-core", "apache-airflow-task-sdk")


def file_of(name: str) -> Path:
    """Return the constraint file of a line, or of a release in :data:`MANAGED`."""
    return ROOT / "constraints" / f"{'managed' if name in MANAGED else 'airflow'}-{name}.txt"


def lock(name: str, line: Line) -> None:
    """Resolve one line and write its file."""
    client, client_version = TEST_CLIENT
    command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--universal"]
    command += ["--python-version", line.pythons[0]]
    # Only names and versions: uv's header and annotations contain paths of this machine.
    command += ["--no-header", "--no-annotate"]
    if line.day:
        command += ["--exclude-newer", line.day]
        for package in (client, *AIRFLOW):
            command += ["--exclude-newer-package", f"{package}=false"]
    wanted = [f"apache-airflow=={line.airflow}", *line.also]
    if line.group:
        command += ["--group", f"pyproject.toml:{line.group}"]
        wanted.append(f"{client}=={client_version}")
    done = subprocess.run(
        [*command, "pyproject.toml", "-"],
        cwd=ROOT,
        input="\n".join(wanted),
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"Airflow {line.airflow} cannot be resolved:\n{done.stderr}")
    day = line.day or datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    header = f"# Airflow {line.airflow} with the versions of {day}. Written by `make lock`.\n"
    path = file_of(name)
    path.write_text(header + done.stdout, encoding="utf-8")
    print(f"{path.relative_to(ROOT)}: {len(done.stdout.splitlines())} pins")


def main() -> None:
    """Update the lines named on the command line, or all of them."""
    known = LINES | MANAGED
    for name in sys.argv[1:] or known:
        if name not in known:
            sys.exit(f"error: there is no Airflow line {name!r}; the lines are {', '.join(known)}.")
        lock(name, known[name])


if __name__ == "__main__":
    main()
