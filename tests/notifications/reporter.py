"""Report failures from several processes at once, each with many threads."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

# Processes are forked, so all imports come first.
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


def run(connection: str, numbers: list[list[int]], runs: int, arguments: dict[str, Any]) -> None:
    """Report *numbers* of tasks, each list from a process of its own."""
    os.environ["AIRFLOW_CONN_RETELL_DEFAULT"] = connection
    processes = [fork(each, runs, arguments) for each in numbers]
    assert [os.waitpid(process, 0)[1] for process in processes] == [0] * len(numbers)
