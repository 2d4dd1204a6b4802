"""DAGs whose requests must not be sent twice. The test clears, reschedules and repeats their tasks."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import DAG, task_group

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.operators import (
    CreateBatchCallOperator,
    CreatePhoneCallOperator,
    RerunCallAnalysisOperator,
)

FROM = "+14155550100"
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
ON_CLEAR: dict[str, Any] = {"clears": "skip", "resends": "resend"}

for dag_id, on_clear in ON_CLEAR.items():
    with DAG(dag_id, schedule=None, start_date=START, default_args={"retries": 0, "on_clear": on_clear}):
        CreatePhoneCallOperator(task_id="call", from_number=FROM, to_number="+14155550101")
        CreatePhoneCallOperator.partial(task_id="mapped", from_number=FROM).expand(
            to_number=["+14155550102", "+14155550103"]
        )
        CreateBatchCallOperator(
            task_id="batch",
            from_number=FROM,
            tasks=[{"to_number": "+14155550104"}, {"to_number": "+14155550105"}],
        )
        RerunCallAnalysisOperator(task_id="analysis", call_id="call_1")

try:
    from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule
except ImportError:
    from airflow.sdk.definitions.retry_policy import ExceptionRetryPolicy, RetryAction, RetryRule

if hasattr(RetryAction, "RESCHEDULE"):  # 3.4
    rule = RetryRule(
        exception=RetellError,
        action=RetryAction.RESCHEDULE,
        retry_delay=timedelta(seconds=1),
        max_reschedules=3,
    )
    with DAG("reschedules", schedule=None, start_date=START):
        CreatePhoneCallOperator(
            task_id="call",
            from_number=FROM,
            to_number="+14155550106",
            retry_policy=ExceptionRetryPolicy(rules=[rule]),
        )

    with DAG("loops", schedule=None, start_date=START, default_args={"retries": 0}):

        @task_group
        def attempt() -> None:
            """Send one batch, analysis and call."""
            (
                CreateBatchCallOperator(
                    task_id="batch", from_number=FROM, tasks=[{"to_number": "+14155550107"}]
                )
                >> RerunCallAnalysisOperator(task_id="analysis", call_id="call_1", trigger_rule="all_done")
                >> CreatePhoneCallOperator(
                    task_id="call", from_number=FROM, to_number="+14155550108", trigger_rule="all_done"
                )
            )

        attempt.loop(max_iterations=2)
