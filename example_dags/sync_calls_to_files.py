"""
### Keep a copy of every call, hour by hour

Each run writes the calls that ended in its hour to a file of JSON lines, for a warehouse to load. The folder is the
Airflow variable `retell_calls`: a local path, or a URL such as `s3://bucket/calls` that Airflow's object storage knows.

A call's analysis may come minutes after its end, and Retell cannot be asked for "what has changed since". So every
run reaches back 30 minutes before its hour, and a call may stand in two files: load them in order with `call_id` as
the key, the later one wins. The files hold customers' data; `fields` is the place to keep less.

It needs a connection `retell_default` of type *Retell AI* with the API key as its password.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_retell.operators.list_calls import ListCallsOperator


@dag(
    # Not "@hourly": in Airflow 3 that gives runs a moment, and what is wanted is an hour.
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,  # True fetches every hour since start_date
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def sync_calls_to_files() -> None:
    """Write the calls of an hour to a file, and hand its path on."""
    # A run that is repeated writes the same file again: it is there whole or not at all.
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
        """Load the file. Yours is a COPY INTO and a MERGE on call_id; this one says what it would load."""
        return (
            f"{manifest['calls']} calls from {manifest['path']}, {manifest['not_analyzed']} not analyzed yet"
        )

    load(calls.output)


sync_calls_to_files()
