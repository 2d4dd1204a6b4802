"""Five hundred waits. The test defers them itself, because workers would need minutes."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.sdk import DAG

from airflow_provider_retell.sensors.call import CallSensor

with DAG("many_waits", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc)):
    CallSensor.partial(task_id="wait", deferrable=True).expand(
        call_id=[f"call_{number}" for number in range(500)]
    )
