"""The results of a run, for the terminal and as JSON for an issue. Neither contains private data."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from importlib import metadata
from typing import Any
from urllib.parse import urlsplit

from airflow_provider_retell import __version__
from airflow_provider_retell.api.calls.models import ENDED_STATUSES
from airflow_provider_retell.contract.flags import Flag
from airflow_provider_retell.contract.runner import Result
from airflow_provider_retell.hooks.connection import RETELL_URL

SCHEMA_VERSION = 1


def verdict(result: Result) -> str:
    """Return the verdict in words: ``differs (handled)`` if the package is correct all the same."""
    finding = result.finding
    return f"{finding.verdict} (handled)" if finding.handled else finding.verdict


def line(result: Result, width: int) -> str:
    """Return a line of the table.

    :param width: the width of the column with the names.
    """
    return f"{result.check.name:{width}}  {verdict(result):17}  {result.finding.seen}"


def breaks(result: Result) -> bool:
    """Return True if the package relies on an assumption that is wrong."""
    return result.finding.verdict == "differs" and not result.finding.handled


def summary(results: Sequence[Result]) -> str:
    """Return the differences with their consequences, and the counts."""
    lines = []
    for result in results:
        if result.finding.verdict == "differs":
            lines += [
                "",
                f"{result.check.name}: {verdict(result)}",
                f"  assumed:  {result.check.assumption}",
                f"  seen:     {result.finding.seen}",
                f"  affects:  {result.check.matters}",
                f"  instead:  {result.check.otherwise}",
            ]
    counts = {
        name: sum(result.finding.verdict == name for result in results)
        for name in ("holds", "differs", "cannot tell", "skipped")
    }
    lines += ["", ", ".join(f"{count} {name}" for name, count in counts.items())]
    if any(map(breaks, results)):
        lines.append(
            "The package relies on an assumption that is wrong. Please open an issue and attach the report (--json)."
        )
    return "\n".join(lines)


def emulator_options(results: Iterable[Result]) -> dict[str, Any]:
    """Return the options that make the emulator behave as Retell does."""
    options: dict[str, Any] = {}
    statuses: dict[str, bool] = {}
    for result in results:
        options.update(result.finding.options)
        # Several checks find parts of this option.
        statuses.update(result.finding.options.get("ended_statuses", {}))
    if statuses:
        ended = {*ENDED_STATUSES, *statuses} - {name for name, accepted in statuses.items() if not accepted}
        options["ended_statuses"] = sorted(ended)
    return options


def report(results: Sequence[Result], base_url: str, flags: Iterable[Flag], date: str) -> dict[str, Any]:
    """Return the results as JSON values.

    :param base_url: the address of the server. The report says only whether it is Retell's.
    :param flags: the flags that were given. Their values are left out.
    :param date: the date of the run.
    """
    try:
        airflow = metadata.version("apache-airflow")
    except metadata.PackageNotFoundError:
        airflow = "unknown"
    return {
        "schema_version": SCHEMA_VERSION,
        "date": date,
        "package": __version__,
        "airflow": airflow,
        "python": platform.python_version(),
        "server": "Retell"
        if urlsplit(base_url).hostname == urlsplit(RETELL_URL).hostname
        else "another server",
        "flags": sorted(flag.option for flag in flags),
        "checks": [
            {
                "name": result.check.name,
                "verdict": result.finding.verdict,
                "handled": result.finding.handled,
                "seen": result.finding.seen,
            }
            for result in results
        ],
        "emulator": emulator_options(results),
    }
