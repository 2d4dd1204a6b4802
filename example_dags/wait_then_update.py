"""
### Wait for a call, then write what the pipeline knows onto it

Retell takes updates only for calls that have ended, and its analysis comes some seconds to minutes later. Both tasks
here wait in the triggerer (`deferrable=True`), which costs no worker slot, however long people talk.

`wait_and_update`: one task, where only the end of the call matters.

`wait_for_analysis` -> `update`: in steps, where other tasks need the analyzed call as well.

Start it with the id of a call: `{"call_id": "call_5d2e01"}`. It needs a connection `retell_default` of type *Retell AI*
with the API key as its password, and a triggerer.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

from airflow_provider_retell.operators.call import UpdateCallOperator
from airflow_provider_retell.sensors.call import CallSensor


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    default_args={
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "show_return_value_in_logs": False,  # what is known of a customer is nothing for a log
    },
    params={"call_id": "call_5d2e01"},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def wait_then_update() -> None:
    """Wait for the call's analysis, then update it; and both in one task."""

    @task
    def facts() -> dict[str, Any]:
        """Work out what to write. Yours come from a warehouse or a model."""
        return {"tier": "gold", "churn_risk": 0.07}

    known = facts()

    # In steps. What the sensor returns is slim: ids, status and times, no transcript.
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
        metadata=known,
        metadata_mode="merge",
    )

    # In one task: it waits in the triggerer, and writes in a worker.
    wait_and_update = UpdateCallOperator(
        task_id="wait_and_update",
        call_id="{{ params.call_id }}",
        metadata={"churn_risk_at_end_of_call": "{{ ti.xcom_pull(task_ids='facts')['churn_risk'] }}"},
        metadata_mode="merge",
        wait_until="ended",
        deferrable=True,
        poll_interval=10,
        wait_timeout=2 * 3600,
    )

    # One after the other, because a merge reads, then writes: two at once on one call could undo each other.
    known >> wait_and_update >> wait_for_analysis >> update


wait_then_update()
