"""Ask an Airflow what it sees of the installed package: run it with the Python of an environment without the checkout.

    cd EMPTY && VENV/bin/python -I scripts/wheel_check.py [AIRFLOW_VERSION]

Standard library only. Exit code 1, and the reason, if anything is not as it should be.
"""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGE = "airflow-provider-retell"
MODULE = "airflow_provider_retell"

# What `airflow providers <command>` has to show, wherever it shows it.
SEEN = {
    "list": [PACKAGE],
    "hooks": [PACKAGE, "retell", f"{MODULE}.hooks.retell.RetellHook"],
    "links": [f"{MODULE}.links.retell.RetellCallLink"],
    "notifications": [f"{MODULE}.notifications.phone_call.PhoneCallNotifier"],
    "triggers": [PACKAGE, f"{MODULE}.triggers.call"],
}


def check(well: object, reason: str) -> None:
    """Stop if this is not so."""
    if not well:
        sys.exit(f"FAILED: {reason}")


def airflow(*command: str) -> Any:
    """Return what an `airflow` command prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *command, "--output", "json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    check(done.returncode == 0, f"airflow {' '.join(command)}:\n{done.stdout}{done.stderr}")
    logged, start, rest = done.stdout.partition("[{")  # what is logged while Airflow starts may come first
    for line in (logged + done.stderr).splitlines():
        check(MODULE not in line or not re.search("WARN|ERROR", line, re.IGNORECASE), line)
    return json.loads(start + rest)


def words(value: Any) -> set[str]:
    """Return all texts in a JSON value."""
    if isinstance(value, dict):
        return {text for item in value.values() for text in words(item)}
    if isinstance(value, list):
        return {text for item in value for text in words(item)}
    return {part.strip(" '\"[]") for part in str(value).split(",")}


def check_installation() -> None:
    """See that it is the installed package that is imported, and that all of it can be."""
    module = importlib.import_module(MODULE)
    site = Path(str(metadata.distribution(PACKAGE).locate_file("")))
    check(Path(str(module.__file__)).is_relative_to(site), f"{MODULE} is imported from {module.__file__}")
    check(Path.cwd() not in map(Path, sys.path), "the current directory is importable: run with -I")
    check(module.__version__ == metadata.version(PACKAGE), "the version is not the distribution's")
    info = importlib.import_module(f"{MODULE}.get_provider_info").get_provider_info()
    kinds = ("hooks", "operators", "sensors", "triggers")
    modules = [name for kind in kinds for entry in info[kind] for name in entry["python-modules"]]
    modules += ["airflow_provider_retell.bulk", "airflow_provider_retell.emulator"]
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError as error:
            check("needs Airflow 3" in str(error), f"{name} cannot be imported: {error}")
    print(f"{PACKAGE} {module.__version__} in {site.name}: {len(modules)} modules imported")


def main() -> None:
    """Check."""
    version = metadata.version("apache-airflow")
    check(sys.argv[1:] in ([], [version]), f"this is Airflow {version}, not {' '.join(sys.argv[1:])}")
    check_installation()
    for command, wanted in SEEN.items():
        seen = words(airflow("providers", command))
        missing = [word for word in wanted if word not in seen]
        check(not missing, f"airflow providers {command} does not show {', '.join(missing)}")
        print(f"airflow providers {command}: {', '.join(wanted)}")
    print(f"OK: Airflow {version}, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
