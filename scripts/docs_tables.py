"""Write the tables of the contract and of the commands into the Markdown pages (`make docs-code`).

A page marks the place, and everything between the two lines is replaced::

    <!-- begin table: questions -->
    <!-- end table -->

:data:`TABLES` has the names of the tables.

    python scripts/docs_tables.py           write the pages
    python scripts/docs_tables.py --check   change nothing; exit code 1 if a page is not current
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
# Importing Airflow writes its configuration there.
os.environ.setdefault("AIRFLOW_HOME", str(ROOT / ".cache/docs-airflow"))

from airflow_provider_retell.contract.resources import CHECKS, flags  # noqa: E402

PAGES = ("docs/contract.md", "docs/safety.md", "docs/reference/commands.md")

MARKED = re.compile(
    r"^<!-- begin table: (?P<table>\w+) -->\n(?:(?!<!-- begin table:).*\n)*?<!-- end table -->$",
    re.MULTILINE,
)
BEGIN = re.compile(r"^<!-- begin table:", re.MULTILINE)


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [f"| {' | '.join(row)} |\n" for row in (header, *rows)]
    return "".join([lines[0], f"|{'---|' * len(header)}\n", *lines[1:]])


def questions() -> str:
    """Return the open questions, with the assumption of the package and the name of the check."""
    rows = [
        [check.question, check.assumption, check.otherwise, f"`{check.name}`"]
        for check in CHECKS
        if check.question
    ]
    return table(["open question", "the package assumes", "if that is wrong", "check"], rows)


def flag_table() -> str:
    """Return the flags that allow checks to do more than read."""
    rows = [
        [
            f"`{' '.join(filter(None, (flag.option, flag.metavar)))}`",
            re.sub(r"(--[a-z-]+)", r"`\1`", flag.help),
        ]
        for flag in flags()
    ]
    return table(["flag", "meaning"], rows)


def contract_options() -> str:
    """Return the options of the command that checks the contract, except the flags of its checks."""
    from airflow_provider_retell.contract.cli import parser

    return options(parser(), {flag.option for flag in flags()})


def emulator_options() -> str:
    """Return the options of the emulator's command."""
    from airflow_provider_retell.emulator.cli import parser

    return options(parser())


def webhook_options() -> str:
    """Return the options of the command that sends a webhook."""
    from airflow_provider_retell.webhook.sender import parser

    (commands,) = [action for action in parser()._actions if isinstance(action.choices, dict)]
    return options(dict(commands.choices or {})["send"])


def options(parser: argparse.ArgumentParser, without: set[str] = frozenset()) -> str:  # type: ignore[assignment]
    """Return the options of a command.

    :param without: options to leave out.
    """
    rows = []
    for action in parser._actions:
        if action.option_strings and action.dest != "help" and action.option_strings[0] not in without:
            choices = "|".join(map(str, action.choices or ()))
            value = "" if action.nargs == 0 else f" {action.metavar or choices or action.dest.upper()}"
            rows.append([f"`{action.option_strings[0]}{value}`".replace("|", "\\|"), str(action.help)])
    return table(["option", "meaning"], rows)


TABLES: dict[str, Callable[[], str]] = {
    "questions": questions,
    "flags": flag_table,
    "contract_options": contract_options,
    "emulator_options": emulator_options,
    "webhook_options": webhook_options,
}


def updated(text: str) -> str:
    """Return a page with the current tables between its markers.

    :raises LookupError: if a page names a table that does not exist, or a marker has no end.
    """
    if len(BEGIN.findall(text)) != len(MARKED.findall(text)):
        raise LookupError("a line '<!-- begin table: ... -->' has no line '<!-- end table -->'")

    def replace(match: re.Match[str]) -> str:
        if match["table"] not in TABLES:
            raise LookupError(f"there is no table {match['table']!r}: {', '.join(TABLES)}")
        return f"<!-- begin table: {match['table']} -->\n{TABLES[match['table']]()}<!-- end table -->"

    return MARKED.sub(replace, text)


def main(arguments: list[str] | None = None) -> int:
    """Update the pages, or check them; return the exit code."""
    parser = argparse.ArgumentParser(description="Write tables into the Markdown pages.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a page is not current")
    check = parser.parse_args(arguments).check
    stale = False
    for name in PAGES:
        page = ROOT / name
        text = page.read_text(encoding="utf-8")
        try:
            new = updated(text)
        except LookupError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 2
        if new == text:
            continue
        stale = True
        print(f"{name}: {'not current; run make docs-code' if check else 'updated'}")
        if not check:
            page.write_text(new, encoding="utf-8")
    return int(stale and check)


if __name__ == "__main__":
    sys.exit(main())
