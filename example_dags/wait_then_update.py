"""
### Wait for a call, then update its metadata

Retell accepts updates only for calls that have ended. The analysis of a call arrives seconds to minutes later. This DAG
shows two ways to wait. Both wait in the triggerer (`deferrable=True`), without a worker slot.

- `wait_and_update` waits for the end of the call and updates it, in one task.
- `wait_for_analysis` -> `update` uses a sensor, so that other tasks can use the analyzed call, too.

Prerequisites:

- the connection `retell_default` of type *Retell AI*, with the API key as its password
- a running triggerer

Trigger the DAG with the id of a call: `{"call_id": "call_5d2e01"}`.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

from airflow_provider_retell.operators import UpdateCallOperator
from airflow_provider_retell.sensors import CallSensor


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    default_args={
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "show_return_value_in_logs": False,  # keep customers' data out of the logs
    },
    params={"call_id": "call_5d2e01"},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def wait_then_update() -> None:
    """Wait for the end of a call and update it; then wait for its analysis and update it again."""

    @task(multiple_outputs=True)
    def compute_facts() -> dict[str, Any]:
        """Return the facts to write. Yours come from a warehouse or a model."""
        return {"tier": "gold", "churn_risk": 0.07}

    facts = compute_facts()

    # Two tasks. The sensor returns the id, status and times of the call, but not its transcript.
    wait_for_analysis = CallSensor(
        task_id="wait_for_analysis",
        call_id="{{ params.call_id }}",
        until="analyzed",
        deferrable=True,
        poke_interval=10,
        timeout=2 * 3600,
    )
    update = UpdateCallOperator(
        task_id="update",
        call_id="{{ params.call_id }}",
        metadata=facts,
    )

    # One task. It waits in the triggerer, then runs the update in a worker. The value of the upstream task stays a
    # number; a Jinja template inside the dict would render to text.
    wait_and_update = UpdateCallOperator(
        task_id="wait_and_update",
        call_id="{{ params.call_id }}",
        metadata={"churn_risk_at_end_of_call": facts["churn_risk"]},
        wait_until="ended",
        deferrable=True,
        poll_interval=10,
        wait_timeout=2 * 3600,
    )

    # One after the other: an update reads, then writes, so two tasks that update the same call at the same time could
    # overwrite each other's changes.
    wait_and_update >> wait_for_analysis >> update


wait_then_update()
