"""DAGs of the event tests: one for each asset of the webhooks, a throttled task and a missed deadline."""

from __future__ import annotations

import time
from datetime import timedelta

from airflow.sdk import DAG, Asset, task

from airflow_provider_retell.notifications.phone_call import PhoneCallNotifier
from airflow_provider_retell.operators.call import UpdateCallOperator

for name in ("webhook_calls", "webhook_chats"):
    with DAG(name, schedule=[Asset(f"retell_{name}")]):

        @task
        def look() -> None:
            """Run on the asset's event."""

        look()

try:
    from airflow_provider_retell.policies import RetellRetryPolicy
except ImportError:
    pass
else:
    from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference

    with DAG(
        "throttled",
        schedule=None,
        default_args={"retries": 1, "retry_delay": timedelta(hours=5), "retry_policy": RetellRetryPolicy()},
    ):
        UpdateCallOperator(task_id="update", call_id="call_throttled", metadata={"a": 1})

    with DAG(
        "late",
        schedule=None,
        deadline=DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=timedelta(seconds=1),
            callback=AsyncCallback(
                PhoneCallNotifier,
                kwargs={
                    "from_number": "+14155550101",
                    "to_number": "+14155550103",
                    "reason": "{{ dag_run.dag_id }} is late",
                },
            ),
        ),
    ):

        @task
        def dawdle() -> None:
            """Miss the deadline."""
            time.sleep(10)

        dawdle()
