"""
### Write the rows of a warehouse to many calls

Every night, a model scores yesterday's calls in the warehouse. This DAG writes the scores to the metadata of the calls
in Retell. It reads the current metadata, 1,000 calls per request, and updates only the calls that differ. A second run
therefore costs only a few reads, and a retry resumes where an interrupted run stopped.

Prerequisites:

- the connection `retell_default` of type *Retell AI*, with the API key as its password
- the connection `warehouse` to any SQL database (here SQLite, from `apache-airflow-providers-sqlite`)
- calls that have ended
"""

from __future__ import annotations

import os
import tempfile
from datetime import datetime, timedelta, timezone
from typing import Any

try:
    from airflow.sdk import BaseHook, dag, task
except ImportError:  # Airflow 2, 3.0
    from airflow.hooks.base import BaseHook

    try:
        from airflow.sdk import dag, task
    except ImportError:  # Airflow 2
        from airflow.decorators import dag, task

from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_retell.bulk import SqlRows
from airflow_provider_retell.operators import BulkUpdateCallOperator

# Not {{ ds }}: in Airflow 3, runs that are started manually or by an asset may have no logical date.
DAY = "{{ (dag_run.data_interval_start or dag_run.run_after) | ds }}"
# In production, use a bucket that all workers can reach, such as s3://reports/retell.
REPORTS = os.environ.get("RETELL_REPORTS", tempfile.gettempdir())


@dag(
    # "@daily" alone means yesterday in Airflow 2, but the day that has just begun in Airflow 3.
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,  # concurrent runs would read and write the same calls
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def bulk_enrich_from_warehouse() -> None:
    """Create sample scores, write them to the calls, and summarize the result."""

    @task
    def score_calls(day: str) -> None:
        """Fill the table with sample rows. In production, your pipeline does this."""
        columns = "call_id text, day text, tier text, churn_risk real, segment text"
        scores = [
            ("call_5d2e01", "gold", 0.11, "loyal"),
            ("call_5d2e02", "silver", 0.64, "undecided"),
            ("call_5d2e03", "gold", 0.81, "at risk"),
            ("call_5d2e04", "bronze", 0.35, "new"),
        ]
        hook: Any = BaseHook.get_connection("warehouse").get_hook()
        hook.run(f"create table if not exists call_scores ({columns})")
        hook.run("delete from call_scores where day = ?", parameters=[day])
        for call_id, *rest in scores:
            hook.run("insert into call_scores values (?, ?, ?, ?, ?)", parameters=[call_id, day, *rest])

    enrich_calls = BulkUpdateCallOperator(
        task_id="enrich_calls",
        # The database does not wait for Retell's quota. You can also pass values as query parameters, which are
        # templates too: SqlRows("warehouse", "select ... where day = ?", parameters=[DAY]).
        rows=SqlRows(
            "warehouse",
            "select call_id, tier, churn_risk, segment from call_scores "
            "where day = '{{ (dag_run.data_interval_start or dag_run.run_after) | ds }}'",
        ),
        # Column name -> metadata key. The other metadata keys of a call stay unchanged.
        metadata_columns={"tier": "tier", "churn_risk": "churn_risk", "segment": "customer_segment"},
        # The report has one line per row, with its outcome. FailedRows(rows, report_path) reads the failed rows again.
        report_path=f"{REPORTS}/retell_{DAY}.jsonl",
        # A call that was deleted at Retell is not an error of this pipeline.
        tolerate=["not_found"],
    )

    @task
    def summarize(manifest: dict[str, Any]) -> str:
        """Return a summary. Yours could send it to a chat channel."""
        # All tries, each row once. The other counts of the manifest are those of the last try alone.
        run = manifest["task_run"] or manifest  # None if the tries before a retry wrote no rows
        return f"{run['updated']} of {run['rows']} calls updated, {run['unchanged']} were up to date"

    score_calls(DAY) >> enrich_calls
    summarize(enrich_calls.output["manifest"])


bulk_enrich_from_warehouse()
