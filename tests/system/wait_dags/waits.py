"""Nine concurrent waits. The test starts them and ends the calls."""

from __future__ import annotations

from datetime import datetime, timezone

try:
    from airflow.sdk import DAG
except ImportError:
    from airflow.models.dag import DAG

from airflow_provider_retell.operators.call import UpdateCallOperator
from airflow_provider_retell.sensors.call import CallSensor

with DAG(
    "waits",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    default_args={"retries": 0, "deferrable": True},
):
    CallSensor.partial(task_id="sensor", poke_interval=2, timeout=600).expand(
        call_id=[f"call_sensor_{number}" for number in range(4)]
    )
    UpdateCallOperator.partial(
        task_id="update",
        metadata={"tier": "{{ task.call_id }}"},
        metadata_mode="merge",
        wait_until="ended",
        poll_interval=2,
    ).expand(call_id=[f"call_update_{number}" for number in range(4)])
    CallSensor(task_id="never", call_id="call_never", poke_interval=2, timeout=90)
