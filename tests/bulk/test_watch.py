"""Wait for the tasks of a run, and keep its log and report up to date meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_retell.api.quota import Usage
from airflow_provider_retell.bulk.bookkeeping import Progress
from airflow_provider_retell.bulk.outcome import Result
from airflow_provider_retell.bulk.report import Report
from airflow_provider_retell.bulk.watch import watch


def test_the_first_error_of_a_task_is_raised_while_others_run() -> None:
    async def fail() -> None:
        raise OSError("broken")

    async def go() -> None:
        running = [asyncio.create_task(work) for work in (asyncio.sleep(60), fail())]
        try:
            with pytest.raises(OSError, match="broken"):
                await asyncio.wait_for(watch(running, Progress(Report(None), Usage())), 10)
            assert not running[0].done()
        finally:
            running[0].cancel()

    asyncio.run(go())


def test_results_are_in_the_report_while_tasks_run(tmp_path: Path, mocker: Any) -> None:
    mocker.patch("airflow_provider_retell.bulk.watch._TICK_SECONDS", 0.01)
    report = Report(str(tmp_path / "report.jsonl"))
    progress = Progress(report, Usage())

    async def work() -> None:
        progress.end(Result(1, "call_1", "updated"))
        while progress._unwritten:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    async def go() -> None:
        async with progress.recording():
            await asyncio.wait_for(watch([asyncio.create_task(work())], progress), 10)

    asyncio.run(go())
    assert '"call_1"' in (tmp_path / "report.jsonl").read_text(encoding="utf-8")
