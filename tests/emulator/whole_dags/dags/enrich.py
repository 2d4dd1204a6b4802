"""A DAG whose mapped tasks update calls."""

from __future__ import annotations

from datetime import datetime, timezone

try:
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow.models.dag import DAG

from airflow_provider_retell.operators import UpdateCallOperator

with DAG(
    "enrich", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), params={"tier": "silver"}
):
    UpdateCallOperator.partial(
        task_id="update", metadata={"tier": "{{ params.tier }}", "source": "{{ var.value.source }}"}
    ).expand(call_id=["call_1", "call_2"])
