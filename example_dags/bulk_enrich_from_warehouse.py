"""
### Keep calls enriched with what the warehouse knows, by the thousand

Every night a model scores yesterday's calls in the warehouse. This DAG brings the calls in Retell to that state: it
reads their present metadata, a thousand calls to a request, and updates only those that differ. Running it again costs
next to nothing, and a run that was interrupted goes on where it was.

It needs two connections: `retell_default` of type *Retell AI* with the API key as its password, and `warehouse` to any
SQL database; here SQLite, from `apache-airflow-providers-sqlite`. Calls must have ended.
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
from airflow_provider_retell.operators.bulk import BulkUpdateCallOperator

# Not {{ ds }}: in Airflow 3 a run that was started by hand or by an asset may have no date.
DAY = "{{ (dag_run.data_interval_start or dag_run.run_after) | ds }}"
# In production a bucket that all workers reach, such as s3://reports/retell.
REPORTS = os.environ.get("RETELL_REPORTS", tempfile.gettempdir())


@dag(
    # "@daily" alone means yesterday in Airflow 2, and the day that has just begun in Airflow 3.
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,  # two at once would read and write the same calls
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def bulk_enrich_from_warehouse() -> None:
    """Make sure that there are scores, write them onto the calls, say what was done."""

    @task
    def score_calls(day: str) -> None:
        """Fill the table. Yours is filled by your pipeline."""
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
        # Read row by row from the cursor, however many there are. Values may also be given as parameters, which are
        # templates too: SqlRows("warehouse", "select ... where day = ?", parameters=[DAY]).
        rows=SqlRows(
            "warehouse",
            "select call_id, tier, churn_risk, segment from call_scores "
            "where day = '{{ (dag_run.data_interval_start or dag_run.run_after) | ds }}'",
        ),
        # The metadata key by column. Keys that calls have besides these stay as they are.
        metadata_columns={"tier": "tier", "churn_risk": "churn_risk", "segment": "customer_segment"},
        metadata_mode="merge",
        # One line per row: what became of it, and why. FailedRows(rows, report) takes those that failed from it.
        report_path=f"{REPORTS}/retell_{DAY}.jsonl",
        # A call that Retell no longer has is no fault of this pipeline.
        tolerate=["not_found"],
    )

    @task
    def summarize(manifest: dict[str, Any]) -> str:
        """Tell what was done; a place to send it to whoever wants to know."""
        return f"{manifest['updated']} of {manifest['rows']} calls updated, {manifest['unchanged']} were up to date"

    score_calls(DAY) >> enrich_calls
    summarize(enrich_calls.output["manifest"])


bulk_enrich_from_warehouse()
