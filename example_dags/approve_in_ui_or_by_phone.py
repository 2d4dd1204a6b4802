"""
### Approve in Airflow's UI or by phone

`review` waits until a user approves or rejects in Airflow's UI, under "Required Actions". At the same time, `call`
phones the person on duty, and `answer` passes the decision on to `review` through Airflow's REST API. The first answer
wins: Airflow responds with 409 to the second one.

If the call gives no decision, `review` keeps waiting for the UI. A voicemail or a phone menu decides nothing, whatever
the analysis says.

Prerequisites:

- Airflow 3.1, for the `ApprovalOperator`
- the connection `retell_default` of type *Retell AI*, with the API key as its password
- the connection `airflow_api` to this Airflow: its URL as host, and the login and password of a user who may respond to
  required actions. Airflow shows this user as the one who responded.
- the Airflow variables `retell_from_number`, a phone number of your organization, and `retell_approver`, the number to
  call
- an agent that asks for a yes or no, with a field `approved` of type Boolean in its post-call analysis
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

try:
    from airflow.providers.standard.operators.hitl import ApprovalOperator
    from airflow.sdk import dag, get_current_context, task
except Exception:  # noqa: S110 - Airflow 3.0 raises an error of its own
    # Earlier versions have no such operator. This file defines no DAG there, so that it can stay in a shared folder.
    pass
else:
    from airflow_provider_retell.hooks import AirflowApi, AirflowApiError
    from airflow_provider_retell.operators import CreatePhoneCallOperator

    NOT_A_PERSON = ("voicemail_reached", "ivr_reached")

    def decision(call: dict[str, Any] | None) -> bool | None:
        """Return the answer of the person who was called, or None. There is no call if the task failed."""
        if (
            call is None
            or call["analysis"]["in_voicemail"]
            or call.get("disconnection_reason") in NOT_A_PERSON
        ):
            return None
        approved = call["analysis"]["approved"]
        return approved if isinstance(approved, bool) else None

    @dag(
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
        default_args={"retries": 3, "retry_delay": timedelta(seconds=10)},
        tags=["example", "retell"],
        doc_md=__doc__,
    )
    def approve_in_ui_or_by_phone() -> None:
        """Wait for the first answer, from the UI or from a call, and apply the change."""
        review = ApprovalOperator(
            task_id="review",
            subject="Apply the new price list?",
            body="The price list of the shop gets twelve new prices.",
        )

        call = CreatePhoneCallOperator(
            task_id="call",
            from_number="{{ var.value.retell_from_number }}",
            to_number="{{ var.value.retell_approver }}",
            retell_llm_dynamic_variables={"change": "The price list of the shop gets twelve new prices."},
            wait_until="analyzed",
            analysis_fields=["approved", "in_voicemail"],
            wait_timeout=timedelta(minutes=15),
            deferrable=True,
            poll_interval=5,
        )

        @task(trigger_rule="all_done")
        def answer() -> str:
            """Answer for the person who was called, unless the call gave no decision or the UI was faster."""
            context: Any = get_current_context()
            ti = context["ti"]
            approved = decision(ti.xcom_pull(task_ids="call"))
            if approved is None:
                return "no decision"
            path = (
                f"/dags/{ti.dag_id}/dagRuns/{quote(ti.run_id, safe='')}/taskInstances/review/-1/hitlDetails"
            )
            chosen = "Approve" if approved else "Reject"
            body = {"chosen_options": [chosen], "params_input": {}}
            try:
                asyncio.run(AirflowApi("airflow_api").send("PATCH", path, json=body))
            except AirflowApiError as error:
                if error.status != 409:
                    raise  # for example 404, if `review` does not wait yet: a retry answers
                return "a person was faster"
            return chosen

        @task
        def apply_change() -> None:
            """Apply the change. Yours writes to the shop."""

        review >> apply_change()
        call >> answer()

    approve_in_ui_or_by_phone()
