"""Check that Airflow finds all parts of the installed package.

Run it in an empty directory, with the Python of an environment that has the wheel but not the checkout::

    cd EMPTY && VENV/bin/python -I scripts/wheel_check.py [AIRFLOW_VERSION]

It uses the standard library only. If a check fails, it prints the reason and exits with 1.
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

# The names that `airflow providers <command>` must show, in any column.
EXPECTED = {
    "list": [PACKAGE],
    "hooks": [PACKAGE, "retell", f"{MODULE}.hooks.retell.RetellHook"],
    "links": [f"{MODULE}.links.retell.RetellCallLink", f"{MODULE}.links.report.RetellReportLink"],
    "notifications": [f"{MODULE}.notifications.phone_call.PhoneCallNotifier"],
    "triggers": [PACKAGE, f"{MODULE}.triggers.call"],
}


def check(passed: object, reason: str) -> None:
    """Exit with *reason* unless the check passed."""
    if not passed:
        sys.exit(f"FAILED: {reason}")


def airflow(*command: str) -> Any:
    """Return the JSON output of an `airflow` command."""
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *command, "--output", "json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    check(done.returncode == 0, f"airflow {' '.join(command)}:\n{done.stdout}{done.stderr}")
    logged, start, rest = done.stdout.partition("[{")  # log lines may come first
    for line in (logged + done.stderr).splitlines():
        check(MODULE not in line or not re.search("WARN|ERROR", line, re.IGNORECASE), line)
    return json.loads(start + rest)


def words(value: Any) -> set[str]:
    """Return all words in a JSON value."""
    if isinstance(value, dict):
        return {text for item in value.values() for text in words(item)}
    if isinstance(value, list):
        return {text for item in value for text in words(item)}
    return {part.strip(" '\"[]") for part in str(value).split(",")}


def check_installation() -> None:
    """Check that Python imports the installed package, and that all modules can be imported."""
    module = importlib.import_module(MODULE)
    site = Path(str(metadata.distribution(PACKAGE).locate_file("")))
    check(Path(str(module.__file__)).is_relative_to(site), f"{MODULE} is imported from {module.__file__}")
    check(
        Path.cwd() not in map(Path, sys.path),
        "Python searches the current directory for modules: run it with -I",
    )
    check(
        module.__version__ == metadata.version(PACKAGE),
        "__version__ differs from the version of the distribution",
    )
    info = importlib.import_module(f"{MODULE}.get_provider_info").get_provider_info()
    page = importlib.import_module(f"{MODULE}.report_page.app").ReportPage
    check("report.js" in page()._files, "the files of the report page are missing")
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
    """Run all checks."""
    version = metadata.version("apache-airflow")
    check(sys.argv[1:] in ([], [version]), f"this is Airflow {version}, not {' '.join(sys.argv[1:])}")
    check_installation()
    for command, wanted in EXPECTED.items():
        seen = words(airflow("providers", command))
        missing = [word for word in wanted if word not in seen]
        check(not missing, f"airflow providers {command} does not show {', '.join(missing)}")
        print(f"airflow providers {command}: {', '.join(wanted)}")
    print(f"OK: Airflow {version}, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
