"""
### Redial until answered

A task loop calls a customer, and calls again after a pause if nobody answered: at most three times. Each iteration
places one call. Retries, crashes and clears of an iteration never call a second time: see `docs/placing.md`.

Prerequisites:

- Airflow 3.4, for the loop
- the connection `retell_default` of type *Retell AI*, with the API key as its password
- the Airflow variables `retell_from_number`, a phone number of your organization, and `retell_to_number`, the number to
  call
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from typing import Any

try:
    from airflow.sdk import LoopDecision, dag, task, task_group
except ImportError:
    # Earlier versions have no loops. This file defines no DAG there, so that it can stay in a shared DAGs folder.
    pass
else:
    from airflow_provider_retell.operators import CreatePhoneCallOperator

    PAUSE = timedelta(minutes=float(os.environ.get("RETELL_REDIAL_MINUTES", "30")))
    NOT_A_PERSON = ("voicemail_reached", "ivr_reached")

    def is_answered(call: dict[str, Any] | None) -> bool:
        """Return True if a person answered. There is no call if the task was skipped."""
        return bool(
            call and call["call_status"] == "ended" and call.get("disconnection_reason") not in NOT_A_PERSON
        )

    def enough(*, loop: Any) -> LoopDecision:
        """Stop after an answered call, and after the last attempt. Otherwise Airflow would fail the loop there."""
        answered = is_answered(loop.result)
        last = loop.index + 1 == loop.max_iterations
        return LoopDecision(stop=answered or last, reason="answered" if answered else "no answer")

    @dag(
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
        default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
        tags=["example", "retell"],
        doc_md=__doc__,
    )
    def redial_until_answered() -> None:
        """Call up to three times, and return whether a person answered."""

        @task_group
        def attempt() -> None:
            """Pause, except before the first call, then call."""

            @task.sensor(mode="reschedule", poke_interval=PAUSE.total_seconds(), timeout=6 * 3600)
            def pause(*, loop: Any, task_reschedule_count: int) -> bool:
                """Return True when the pause is over."""
                return loop.index == 0 or task_reschedule_count > 0

            call = CreatePhoneCallOperator(
                task_id="call",
                from_number="{{ var.value.retell_from_number }}",
                to_number="{{ var.value.retell_to_number }}",
                # One template for all, because a template within a dict renders to text.
                metadata="{{ {'attempt': loop.index + 1} | tojson }}",
                wait_until="ended",
                deferrable=True,
                poll_interval=5,
            )
            pause() >> call

        @task
        def outcome(ti: Any) -> str:
            """Return the outcome of the last attempt."""
            *_, last = ti.xcom_pull(task_ids="attempt.call")
            return "answered" if is_answered(last) else "not answered"

        attempt.loop(max_iterations=3, until=enough) >> outcome()

    redial_until_answered()
