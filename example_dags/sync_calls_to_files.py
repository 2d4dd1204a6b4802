"""
### Export every call, hour by hour

Each run writes the calls that ended in its hour to a JSON Lines file, which a warehouse can load.

The analysis of a call may arrive minutes after its end, and Retell cannot list "calls changed since". Therefore each
run also covers the 30 minutes before its hour, and a call may appear in two files. Load the files in order, with
`call_id` as the key: the later row replaces the earlier one.

The files contain customers' data. List only the fields that you need in `fields`.

Prerequisites:

- the connection `retell_default` of type *Retell AI*, with the API key as its password
- the Airflow variable `retell_calls`: the folder, as a local path or a URL such as `s3://bucket/calls`
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_retell.operators import ListCallsOperator


@dag(
    # Not "@hourly": in Airflow 3, such runs have no data interval.
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,  # True exports every hour since start_date
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def sync_calls_to_files() -> None:
    """Export the calls of one hour, and load the file."""
    # A repeated run replaces the file. The write is atomic: readers never see half a file.
    calls = ListCallsOperator(
        task_id="list_calls",
        path="{{ var.value.retell_calls }}/{{ data_interval_start.strftime('%Y-%m-%d/%H') }}.jsonl",
        by="end_timestamp",
        overlap=timedelta(minutes=30),
        fields=[
            "call_status",
            "agent_id",
            "direction",
            "start_timestamp",
            "end_timestamp",
            "duration_ms",
            "disconnection_reason",
            "metadata",
            "call_analysis",
            "call_cost",
        ],
    )

    @task
    def load(manifest: dict[str, Any]) -> str:
        """Describe the file. Yours loads it, for example with COPY INTO and a MERGE on call_id."""
        return (
            f"{manifest['calls']} calls from {manifest['path']}, {manifest['not_analyzed']} not analyzed yet"
        )

    load(calls.output)


sync_calls_to_files()
