"""Waits that the task runner must not lose sight of: mapped, deferred, resumed, with private values."""

from __future__ import annotations

import os
from datetime import datetime, timezone

try:
    from airflow.sdk import DAG
except ImportError:
    from airflow.models.dag import DAG

from airflow_provider_retell.operators.call import UpdateCallOperator
from airflow_provider_retell.sensors.call import BatchCallSensor, CallSensor
from airflow_provider_retell.sensors.concurrency import ConcurrencySensor


def note() -> str:
    """The private value; the test puts it into the environment."""
    return os.environ.get("PRIVATE_NOTE", "")


with DAG(
    "mapped_waits",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    user_defined_macros={"note": note},
    default_args={"retries": 0},
):
    UpdateCallOperator.partial(
        task_id="update",
        metadata={"note": "{{ note() }}", "id": "{{ task.call_id }}"},
        metadata_mode="merge",
        wait_until="ended",
        deferrable=True,
        poll_interval=0.5,
    ).expand(call_id=["call_1", "call_2"])
    rescheduled = {"mode": "reschedule", "deferrable": False, "poke_interval": 0.5}
    CallSensor(task_id="rescheduled", call_id="call_1", until="analyzed", **rescheduled)
    BatchCallSensor(
        task_id="batch", batch_call_id="batch_1", total_task_count=2, deferrable=True, poke_interval=1
    )
    ConcurrencySensor(task_id="room", calls="{{ 20 }}", deferrable=True, poke_interval=0.5)
