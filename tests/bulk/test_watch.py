"""Wait for the tasks of a run, and keep its log and report up to date meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from airflow_provider_retell.api.quota import Usage
from airflow_provider_retell.bulk.bookkeeping import Progress
from airflow_provider_retell.bulk.report import Report
from airflow_provider_retell.bulk.watch import watch


async def test_the_first_error_of_a_task_is_raised_while_others_run() -> None:
    async def fail() -> None:
        raise OSError("broken")

    running = [asyncio.create_task(work) for work in (asyncio.sleep(60), fail())]
    try:
        with pytest.raises(OSError, match="broken"):
            await asyncio.wait_for(watch(running, Progress(Report(None), Usage())), 10)
        assert not running[0].done()
    finally:
        running[0].cancel()
