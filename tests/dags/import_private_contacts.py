"""A DAG that imports contacts from a function: a private value that is found anywhere after a run has leaked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

try:
    from airflow.sdk import DAG
except ImportError:
    from airflow.models.dag import DAG

from airflow_provider_retell.operators import ImportContactsOperator

REPORTS = os.environ.get("REPORTS", "/tmp")


def rows() -> Iterator[dict[str, Any]]:
    """Three rows, the last one with a mark."""
    for number in range(3):
        yield {
            "phone": f"{os.environ['PRIVATE_NUMBER']}{number}",
            "first_name": os.environ["PRIVATE_NAME"],
            "out": number == 2,
        }


with DAG(
    "import_private_contacts",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    default_args={
        "phone_number_column": "phone",
        "columns": ["first_name"],
        "do_not_call_column": "out",
        "poll_interval": 0.2,
        "retries": 0,
    },
) as dag:
    first = ImportContactsOperator(task_id="first", rows=rows, report_path=f"{REPORTS}/first.jsonl")
    again = ImportContactsOperator(task_id="again", rows=rows, report_path=f"{REPORTS}/again.jsonl")
    first >> again
