"""A DAG whose values come from nowhere but its rendering: whatever a run leaves behind of them has leaked."""

from __future__ import annotations

import os
from datetime import datetime, timezone

try:
    from airflow.sdk import DAG
except ImportError:
    from airflow.models.dag import DAG

from airflow_provider_retell.operators.call import UpdateCallOperator


def facts() -> dict[str, str]:
    """The private values, by name; the test puts them into the environment."""
    return {"note": os.environ["PRIVATE_NOTE"], "phone": os.environ["PRIVATE_PHONE"]}


with DAG(
    "private_facts",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    user_defined_macros={"facts": facts},
    default_args={"retries": 0},
) as dag:
    UpdateCallOperator(task_id="update", call_id="call_1", metadata="{{ facts() | tojson }}")
    UpdateCallOperator(
        task_id="attributes",
        call_id="call_1",
        custom_attributes={"id": "{{ facts().note }}"},
        metadata_mode="merge",
    )
    UpdateCallOperator.partial(task_id="mapped", metadata={"note": "{{ facts().note }}"}, retries=0).expand(
        call_id=["call_1", "call_1"]
    )
    UpdateCallOperator(task_id="bad_id", call_id="call/1", metadata="{{ facts() | tojson }}")
    UpdateCallOperator(task_id="bad_text", call_id="call_1", metadata="{{ facts().note }}")
    UpdateCallOperator(task_id="bad_key", call_id="call_1", metadata={"a": ["{{ facts().note }}"] * 9999})
    UpdateCallOperator(task_id="quoted", call_id="call_quoted", metadata={"note": "{{ facts().note }}"})
    UpdateCallOperator(task_id="mismatch", call_id="call_mismatch", metadata={"note": "{{ facts().note }}"})
    UpdateCallOperator(task_id="html", call_id="call_html", metadata={"note": "{{ facts().note }}"})
    UpdateCallOperator(task_id="dropped", call_id="call_dropped", metadata={"note": "{{ facts().note }}"})
