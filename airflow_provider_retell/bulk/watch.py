"""Wait for the asyncio tasks of a run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_retell.bulk.bookkeeping import Progress

_TICK_SECONDS = 1.0


async def watch(tasks: Iterable[asyncio.Task[None]], progress: Progress) -> None:
    """Wait until all *tasks* have ended. Meanwhile, write the log lines that are due and the report.

    :raises Exception: the first error of a task, without waiting for the others.
    :raises BulkStoppedError: if the report cannot be written.
    """
    running = set(tasks)
    while running:
        ended, running = await asyncio.wait(
            running, timeout=_TICK_SECONDS, return_when=asyncio.FIRST_EXCEPTION
        )
        for task in ended:
            task.result()
        progress.log_if_due()
        if running:
            await progress.flush()
