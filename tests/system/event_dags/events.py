"""What the event tests run beside the examples: a DAG for the webhook's asset, a throttled task, a missed deadline."""

from __future__ import annotations

import time
from datetime import timedelta

from airflow.sdk import DAG, Asset, task

from airflow_provider_retell.notifications.phone_call import PhoneCallNotifier
from airflow_provider_retell.operators.call import UpdateCallOperator

with DAG("webhook_calls", schedule=[Asset("retell_webhook_calls")]):

    @task
    def look() -> None:
        """Be run."""

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
            """Take longer than the deadline allows."""
            time.sleep(10)

        dawdle()
