"""Report failures from several processes at once, each with many threads.

Reads one JSON command per line, and writes a line when all reports of the command are done. The processes are forks of
this one, so that Airflow is imported once.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from alerts import WAYS, context, notifier, notify

from airflow_provider_retell.hooks import aiohttp_transport, requests_transport, retell  # noqa: F401
from airflow_provider_retell.notifications import alert  # noqa: F401


def report(number: int, runs: int, arguments: dict[str, Any]) -> None:
    failure = context(f"task_{number}", run=f"run_{number % runs}")
    notify(notifier(**arguments), failure, WAYS[number % 2])


def report_all(numbers: list[int], runs: int, arguments: dict[str, Any]) -> None:
    with ThreadPoolExecutor(len(numbers)) as pool:
        reports = [pool.submit(report, number, runs, arguments) for number in numbers]
    for done in reports:
        done.result()


def fork(numbers: list[int], runs: int, arguments: dict[str, Any]) -> int:
    """Report from a new process and return its id."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        report_all(numbers, runs, arguments)
        status = 0
    finally:
        os._exit(status)


def write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    write("ready")
    for line in sys.stdin:
        command = json.loads(line)
        os.environ["AIRFLOW_CONN_RETELL_DEFAULT"] = command["connection"]
        processes = [fork(numbers, command["runs"], command["arguments"]) for numbers in command["numbers"]]
        statuses = [os.waitpid(process, 0)[1] for process in processes]
        write("failed" if any(statuses) else "done")


if __name__ == "__main__":
    main()
