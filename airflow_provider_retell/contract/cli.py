"""The command line: ``python -m airflow_provider_retell.contract``."""

from __future__ import annotations

import argparse
import fnmatch
import json
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from airflow_provider_retell.contract.account import RESTRICTED_KEY
from airflow_provider_retell.contract.backup import Backup, try_out
from airflow_provider_retell.contract.calls.common import CALL_ID
from airflow_provider_retell.contract.chats.common import CHAT_ID
from airflow_provider_retell.contract.check import Check
from airflow_provider_retell.contract.clients import Clients
from airflow_provider_retell.contract.flags import Flag
from airflow_provider_retell.contract.resources import CHECKS, flags
from airflow_provider_retell.contract.results import breaks, line, report, summary
from airflow_provider_retell.contract.runner import Result, restore, run_checks
from airflow_provider_retell.contract.target import Target
from airflow_provider_retell.hooks.command_line import (
    UsageError,
    add_connection_arguments,
    environment_variable,
    settings_from,
)
from airflow_provider_retell.hooks.connection import Settings

_EPILOG = """\
Without further flags, the checks only read. Each flag below that names a call or a number allows the checks to do
what its help says, and nothing else. Changed metadata is restored, and created objects are deleted, also after Ctrl-C.

Exit code: 0 if nothing that the package relies on differs, 1 if something does, 2 if the checks could not be run or
something could not be restored or deleted, 130 if it was interrupted and left nothing behind.
"""


def parser() -> argparse.ArgumentParser:
    """Return the argument parser."""
    result = argparse.ArgumentParser(
        prog="python -m airflow_provider_retell.contract",
        description="Check the package's assumptions about Retell's API against your account.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add_connection_arguments(result)
    add("--base-url", metavar="URL", help="another server than the connection's, such as an emulator")
    add("--json", type=Path, metavar="FILE", help="write a report without private data, for an issue")
    add(
        "--only",
        action="append",
        metavar="NAME",
        help="run only these checks, such as 'calls.*'; may be repeated",
    )
    add(
        "--list",
        action="store_true",
        help="print each check with its assumption, effects and source, and run none",
    )
    add(
        "--backup",
        type=Path,
        metavar="FILE",
        default=Path("retell-contract-backup.json"),
        help="file for metadata that is changed, until it is restored (default: retell-contract-backup.json)",
    )
    add(
        "--restore",
        action="store_true",
        help="restore the metadata in the --backup file of a run that was killed",
    )
    allowed = result.add_argument_group("what the checks may do besides reading")
    for flag in flags():
        if not flag.metavar:
            allowed.add_argument(flag.option, action="store_true", help=flag.help)
        elif flag.many:
            allowed.add_argument(flag.option, metavar=flag.metavar, action="append", help=flag.help)
        else:
            allowed.add_argument(flag.option, metavar=flag.metavar, help=flag.help)
    return result


def _given(args: argparse.Namespace) -> dict[Flag, tuple[str, ...]]:
    """Return the values of the flags that were given."""
    given: dict[Flag, tuple[str, ...]] = {}
    for flag in flags():
        value = getattr(args, flag.option.lstrip("-").replace("-", "_"))
        if isinstance(value, list):
            given[flag] = tuple(value)
        elif value:
            given[flag] = (value if isinstance(value, str) else "",)
    return given


def _selected(patterns: Sequence[str] | None) -> list[Check]:
    if not patterns:
        return list(CHECKS)
    selected = [
        check for check in CHECKS if any(fnmatch.fnmatchcase(check.name, pattern) for pattern in patterns)
    ]
    if not selected:
        raise UsageError("--only selects no check: --list prints their names")
    return selected


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    args = parser().parse_args(arguments)
    write = sys.stdout.write
    try:
        checks = _selected(args.only)
        if args.list:
            for check in checks:
                needs = " ".join(flag.option for flag in check.flags) or "reads only"
                write(
                    f"{check.name} ({needs})\n"
                    f"  assumed:  {check.assumption}\n"
                    f"  affects:  {check.matters}\n"
                    f"  instead:  {check.otherwise}\n"
                    f"  source:   {check.source}\n"
                )
            return 0
        settings = settings_from(args, host=args.base_url)
        given = _given(args)
        backup = Backup(args.backup)
        if args.restore:
            return _restore(settings, backup)
        if backup.path.exists():
            raise UsageError(
                f"{backup.path} exists: an earlier run could not restore everything. Run with --restore, or delete it"
            )
        return _run(checks, settings, given, backup, args.json)
    except (UsageError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130


def _run(
    checks: Sequence[Check],
    settings: Settings,
    given: dict[Flag, tuple[str, ...]],
    backup: Backup,
    path: Path | None,
) -> int:
    restricted = environment_variable(given[RESTRICTED_KEY][0]) if RESTRICTED_KEY in given else None
    if CALL_ID in given or CHAT_ID in given:
        _try_out("--backup", backup.try_out)
    if path is not None:
        _try_out("--json", partial(try_out, path))
    target = Target(given, backup.save)
    width = max(len(check.name) for check in checks)
    before = signal.signal(signal.SIGTERM, _interrupt)
    # Lines about retries would interrupt the table.
    log = logging.getLogger("airflow_provider_retell")
    level = log.level
    log.setLevel(logging.ERROR)
    interrupted = False
    results: list[Result] = []
    try:
        with Clients(settings, restricted) as clients:
            results = run_checks(
                checks,
                target,
                clients.run,
                lambda result: print(line(result, width), flush=True),  # noqa: T201
            )
    except KeyboardInterrupt:
        interrupted = True
    finally:
        signal.signal(signal.SIGTERM, before)
        log.setLevel(level)
        for failure in target.failures:
            sys.stderr.write(f"{failure}\n")
        if target.changes:
            sys.stderr.write(f"The original is in {backup.path}: run with --restore\n")
    if interrupted:
        sys.stderr.write("interrupted\n")
        return 2 if target.failures or target.changes else 130
    sys.stdout.write(summary(results) + "\n")
    if path is not None:
        date = datetime.now(timezone.utc).date().isoformat()
        text = json.dumps(report(results, settings.base_url, given, date), indent=2)
        path.write_text(text + "\n", encoding="utf-8")
    if not any(result.finding.verdict in ("holds", "differs") for result in results):
        raise UsageError("no check could be decided: check the connection")
    return 2 if target.failures else int(any(map(breaks, results)))


def _try_out(option: str, try_file: Callable[[], object]) -> None:
    """Raise :class:`UsageError` if the file of an option cannot be written."""
    try:
        try_file()
    except OSError as error:
        raise UsageError(
            f"{option}: {error.filename} cannot be written ({error.strerror}). Nothing was sent: name another file"
        ) from None


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _restore(settings: Settings, backup: Backup) -> int:
    try:
        changes = backup.load()
    except ValueError as error:
        raise UsageError(str(error)) from None
    target = Target(on_change=backup.save)
    target.changes.update(changes)
    with Clients(settings) as clients:
        restore(target, clients.run)
    if target.changes:
        raise UsageError(f"metadata could not be restored. The original is still in {backup.path}")
    sys.stdout.write("restored\n")
    return 0
