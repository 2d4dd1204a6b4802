"""
### Enrich calls with what the warehouse knows

A pipeline has worked out facts about the customers behind yesterday's calls: their tier, what they have bought, how
likely they are to leave. This DAG writes them onto the calls in Retell, where whoever reviews a call sees them.

`extract` -> `transform` -> one `enrich_call` per call, then `flag_follow_up` on the call that needs a human most.

It needs a connection `retell_default` of type *Retell AI* with the API key as its password. Calls must have ended:
Retell refuses to update a call that is still going on.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

from airflow_provider_retell.operators.call import UpdateCallOperator


@dag(
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,  # see the note on merging below
    default_args={
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "show_return_value_in_logs": False,  # what is known of a customer is nothing for a log
    },
    params={"campaign": "autumn"},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def enrich_call_after_pipeline() -> None:
    """Extract customer facts, shape them as metadata, write them onto the calls."""

    @task
    def extract() -> list[dict[str, Any]]:
        """Read the facts. Yours come from a SQL hook; these rows are shaped like what one returns."""
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
        """Make the arguments of one update per call: its id, and its facts as metadata.

        Decimals and dates stay as they are. The operator writes them as JSON, digit for digit, and refuses what JSON
        cannot hold. A fact that is not known is left out, so that it does not overwrite one that is.
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
        """Choose the customer most likely to leave: what to write, and onto which call."""
        row = max(rows, key=lambda row: row["churn_risk"] or 0)
        return {"call_id": row["call_id"], "reason": f"{row['tier']} customer at risk"}

    rows = extract()

    # One task per call. Retell replaces a call's metadata as a whole; "merge" reads it first and keeps the other keys.
    enrich_call = UpdateCallOperator.partial(
        task_id="enrich_call",
        metadata_mode="merge",
        map_index_template="{{ task.call_id }}",
    ).expand_kwargs(transform(rows))

    # One call, by templates: values of earlier tasks, the run's parameters, and the day the run is for.
    picked = pick_follow_up(rows)
    flag_follow_up = UpdateCallOperator(
        task_id="flag_follow_up",
        call_id="{{ ti.xcom_pull(task_ids='pick_follow_up')['call_id'] }}",
        metadata={
            "follow_up": "{{ ti.xcom_pull(task_ids='pick_follow_up')['reason'] }}",
            "campaign": "{{ params.campaign }}",
            # Not {{ ds }}: in Airflow 3 a run that was started by hand or by an asset may have no logical date, and
            # then there is no `ds`. Every run of Airflow 3 has run_after, and every run of Airflow 2 a logical date.
            "enriched_on": "{{ (dag_run.logical_date or dag_run.run_after) | ds }}",
        },
        metadata_mode="merge",
    )

    # After the others, because a merge reads, then writes: two at once on one call could undo each other. That is why
    # runs do not overlap either. A template creates no dependency by itself, so `picked` is named too.
    [enrich_call, picked] >> flag_follow_up


enrich_call_after_pipeline()
