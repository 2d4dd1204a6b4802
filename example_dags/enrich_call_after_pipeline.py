"""
### Update the metadata of calls after a pipeline

A pipeline has computed facts about the customers of yesterday's calls: their tier, their lifetime value, their churn
risk. This DAG writes these facts to the metadata of the calls in Retell, where everybody who reviews a call can see
them.

`extract` -> `transform` -> one `enrich_call` per call, then `flag_follow_up` for the call with the highest churn risk.

Prerequisites:

- the connection `retell_default` of type *Retell AI*, with the API key as its password
- calls that have ended: Retell rejects updates of ongoing calls
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

from airflow_provider_retell.operators import UpdateCallOperator


@dag(
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,  # see the comment on ordering below
    default_args={
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "show_return_value_in_logs": False,  # keep customers' data out of the logs
    },
    params={"campaign": "autumn"},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def enrich_call_after_pipeline() -> None:
    """Extract customer facts, convert them to metadata, and update the calls."""

    @task
    def extract() -> list[dict[str, Any]]:
        """Return the facts. Yours come from a database; these rows have the types that a SQL hook returns."""
        columns = ("call_id", "tier", "lifetime_value", "churn_risk", "renewal")
        rows = [
            ("call_5d2e01", "gold", Decimal("18250.40"), Decimal("0.07"), date(2027, 3, 1)),
            ("call_5d2e02", "silver", Decimal("2310.00"), Decimal("0.64"), date(2026, 12, 15)),
            ("call_5d2e03", "gold", Decimal("9120.99"), Decimal("0.81"), date(2027, 1, 31)),
            ("call_5d2e04", "bronze", Decimal("0.00"), None, None),
        ]
        return [dict(zip(columns, row, strict=True)) for row in rows]

    @task
    def transform(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the arguments of one update per call: its id, and its facts as metadata.

        Decimals and dates need no conversion: the operator encodes them as JSON without losing digits. Unknown facts
        are left out, so that they do not overwrite known ones.
        """
        return [
            {
                "call_id": row["call_id"],
                "metadata": {
                    name: value for name, value in row.items() if name != "call_id" and value is not None
                },
            }
            for row in rows
        ]

    @task
    def pick_follow_up(rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the call of the customer with the highest churn risk, and the reason for a follow-up."""
        row = max(rows, key=lambda row: row["churn_risk"] or 0)
        return {"call_id": row["call_id"], "reason": f"{row['tier']} customer at risk"}

    rows = extract()

    # One task per call. The operator reads the call first and keeps its other metadata keys.
    enrich_call = UpdateCallOperator.partial(
        task_id="enrich_call",
        map_index_template="{{ task.call_id }}",
    ).expand_kwargs(transform(rows))

    # A single call. The templates use results of earlier tasks, a parameter of the run, and the date of the run.
    picked = pick_follow_up(rows)
    flag_follow_up = UpdateCallOperator(
        task_id="flag_follow_up",
        call_id="{{ ti.xcom_pull(task_ids='pick_follow_up')['call_id'] }}",
        metadata={
            "follow_up": "{{ ti.xcom_pull(task_ids='pick_follow_up')['reason'] }}",
            "campaign": "{{ params.campaign }}",
            # Not {{ ds }}: in Airflow 3, runs that are started manually or by an asset may have no logical date, and
            # then `ds` is undefined. Every run has a run_after in Airflow 3, and a logical date in Airflow 2.
            "enriched_on": "{{ (dag_run.logical_date or dag_run.run_after) | ds }}",
        },
    )

    # One after the other: an update reads, then writes, so two tasks that update the same call at the same time could
    # overwrite each other's changes. For the same reason, runs do not overlap. `picked` is listed because templates
    # do not create dependencies.
    [enrich_call, picked] >> flag_follow_up


enrich_call_after_pipeline()
