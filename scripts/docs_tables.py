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
from marked_blocks import write  # noqa: E402

PAGES = ("docs/contract.md", "docs/safety.md", "docs/reference/commands.md")


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


def content(words: list[str]) -> str:
    """Return the table with a name, or raise :class:`LookupError`."""
    name = " ".join(words)
    if name not in TABLES:
        raise LookupError(f"there is no table {name!r}: {', '.join(TABLES)}")
    return TABLES[name]()


def main(arguments: list[str] | None = None) -> int:
    """Update the pages, or check them; return the exit code."""
    return write(ROOT, [ROOT / name for name in PAGES], "table", content, arguments)


if __name__ == "__main__":
    sys.exit(main())
