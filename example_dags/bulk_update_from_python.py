"""
### Write the results of your own code to many calls

Every night, this DAG counts yesterday's orders of each caller and writes the counts to the metadata of the calls. The
function yields a row per call, and the same task writes the rows. Business data therefore never passes through XCom.

Prerequisites:

- the connection `retell_default` of type *Retell AI*, with the API key as its password
- calls that have ended
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

# In production, use a bucket that all workers can reach, such as s3://reports/retell.
REPORTS = os.environ.get("RETELL_REPORTS", tempfile.gettempdir())


@dag(
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,  # concurrent runs would read and write the same calls
    tags=["example", "retell"],
    doc_md=__doc__,
)
def bulk_update_from_python() -> None:
    """Count the orders of each caller, and write the counts to the calls."""

    @task.retell_bulk_update(
        metadata_columns={"orders": "open_orders"},
        report_path=f"{REPORTS}/orders_{{{{ run_id }}}}.jsonl",
        tolerate=["not_found"],
    )
    def write_orders(source: str) -> Iterator[dict[str, Any]]:
        """Yield a row per call. In production, read a database or another API."""
        orders = {"call_5d2e01": 2, "call_5d2e02": 0, "call_5d2e03": 1}
        for call_id, count in orders.items():
            yield {"call_id": call_id, "orders": count, "source": source}

    write_orders(source="shop")


bulk_update_from_python()
