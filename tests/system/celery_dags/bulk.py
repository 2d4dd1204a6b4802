"""A bulk update that takes about ten seconds, so that the test can kill its worker, and updates on all workers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import DAG

from airflow_provider_retell.operators.bulk import BulkUpdateCallOperator
from airflow_provider_retell.operators.call import UpdateCallOperator

ROWS = 800


def rows() -> Iterator[dict[str, Any]]:
    """One row per call."""
    for number in range(ROWS):
        yield {"call_id": f"call_{number}", "tier": f"gold {number}"}


start = datetime(2026, 1, 1, tzinfo=timezone.utc)

with DAG("bulk", schedule=None, start_date=start):
    BulkUpdateCallOperator(
        task_id="enrich",
        rows=rows,
        report_path=os.environ.get("REPORT"),
        quota="100/1",
        retries=1,
        retry_delay=timedelta(seconds=1),
    )

with DAG("spread", schedule=None, start_date=start):
    UpdateCallOperator.partial(
        task_id="update", metadata={"seen": "{{ task.call_id }}"}, metadata_mode="merge", retries=0
    ).expand(call_id=[f"call_{number}" for number in range(8)])
