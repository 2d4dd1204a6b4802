"""The wait of a retry for the imports of earlier tries."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from airflow_provider_retell.api.contacts.waits import ContactImportEnded, ContactImportIdle
from airflow_provider_retell.bulk.contacts.import_jobs import ImportJobs


def test_a_retry_waits_for_the_latest_of_several_imports() -> None:
    # Retell shows only the latest import, so the counts of an earlier one can no longer be read.
    records = [
        {"part": "first", "start_timestamp": 1.0, "after": None},
        {"part": "second", "start_timestamp": 2.0, "after": 1.0},
    ]
    started: Any = SimpleNamespace(records=records, counts={})
    waited: list[Any] = []

    async def wait_for(condition: Any, *, quiet: bool = False) -> dict[str, Any]:
        waited.append(condition)
        return {"start_timestamp": 2.0, "failed": 3}

    hook: Any = None
    jobs = ImportJobs(hook, wait_for, started, 0)
    asyncio.run(jobs.wait_for_earlier())
    assert waited == [ContactImportEnded(2.0, 1.0), ContactImportIdle()]
    assert list(started.counts) == ["second"]
    assert jobs.failed == 3
