"""Bulk updates with and without failed rows, and a mapped one; the test triggers the run."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from airflow.sdk import DAG

from airflow_provider_retell.operators import BulkUpdateCallOperator


def enriched() -> Iterator[dict[str, Any]]:
    """Yield rows of 60 calls, and of calls that do not exist, and rows that cannot be sent."""
    for number in range(1, 61):
        row: dict[str, Any] = {"call_id": f"call_5d2e{number:04}", "tier": "gold" if number % 3 else "silver"}
        if number in (7, 31):
            row["ltv"] = math.nan
        yield row
        if number in (12, 25, 40):
            yield {"call_id": f"call_9f07{number:04}", "tier": "gold"}
    yield {"call_id": "call_5d2e0061", "tier": "gold"}
    yield {"call_id": "call_5d2e0062", "ltv": math.inf}


with DAG(
    "enrich_calls",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    default_args={"retries": 0},
):
    BulkUpdateCallOperator(
        task_id="enrich", rows=enriched, report_path=os.environ["RETELL_REPORTS"] + "/enriched.jsonl"
    )
    BulkUpdateCallOperator(task_id="clean", rows=[{"call_id": "call_5d2e0001", "day": 1}], dry_run=True)
    BulkUpdateCallOperator.partial(task_id="mapped").expand(
        rows=[[{"call_id": "call_5d2e0001"}], [{"call_id": "call_missing_of_the_second"}]]
    )
