"""A DAG whose rows come from a function only: a private value that is found anywhere after a run has leaked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

try:
    from airflow.sdk import DAG, Asset
except ImportError:
    from airflow.datasets import Dataset as Asset
    from airflow.models.dag import DAG

from airflow_provider_retell.operators import BulkUpdateCallOperator

REPORTS = os.environ.get("REPORTS", "/tmp")


def rows() -> Iterator[dict[str, Any]]:
    """Two rows with a private value."""
    for call_id in ("call_a", "call_b"):
        yield {"call_id": call_id, "note": os.environ["PRIVATE_NOTE"]}


def bad_rows() -> Iterator[dict[str, Any]]:
    """The same rows, and a row that cannot be sent."""
    yield from rows()
    yield {"call_id": "call_strict", "note": [os.environ["PRIVATE_NOTE"]] * 9999}


with DAG(
    "bulk_private_facts",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    default_args={"retries": 0},
) as dag:
    update = BulkUpdateCallOperator(
        task_id="update", rows=rows, report_path=f"{REPORTS}/report.jsonl", outlets=[Asset("retell_calls")]
    )
    planned = BulkUpdateCallOperator(task_id="planned", rows=rows, dry_run=True)
    mapped = BulkUpdateCallOperator.partial(task_id="mapped", rows=rows).expand(
        report_path=[f"{REPORTS}/mapped_0.jsonl", f"{REPORTS}/mapped_1.jsonl"]
    )
    bad = BulkUpdateCallOperator(task_id="bad", rows=bad_rows, report_path=f"{REPORTS}/bad.jsonl")
    planned >> update >> mapped >> bad
