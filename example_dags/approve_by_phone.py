"""
### Ask for approval by phone

`plan` describes a change. `approve` calls the person on duty, and the deputy if that call gives no decision. After an
approval, `apply_change` runs. Otherwise it is skipped, and `report` says so.

Retries, crashes and clears never call a person twice. Read `docs/approval.md` first: a phone call proves little.

Prerequisites:

- the connection `retell_default` of type *Retell AI*, with the API key as its password
- the Airflow variables `retell_from_number`, a phone number of your organization, and `retell_approvers`, a JSON list
  of the numbers to call in this order
- an agent that reads the variable `change` to the person and asks for a yes or no, with a field `approved` of type
  Boolean in its post-call analysis
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

from airflow_provider_retell.operators import PhoneApprovalOperator


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def approve_by_phone() -> None:
    """Plan a change, ask for approval, and apply it."""

    @task
    def plan() -> str:
        """Return the change in words that can be spoken."""
        return "The price list of the shop gets twelve new prices."

    approve = PhoneApprovalOperator(
        task_id="approve",
        from_number="{{ var.value.retell_from_number }}",
        to_numbers="{{ var.value.retell_approvers }}",
        retell_llm_dynamic_variables={"change": "{{ ti.xcom_pull('plan') }}"},
        on_no_decision="reject",
        deferrable=True,
        poll_interval=5,
    )

    @task
    def apply_change() -> None:
        """Apply the change. Yours writes to the shop."""

    @task(trigger_rule="none_failed")
    def report(decision: str) -> str:
        """Return the decision: approved, rejected or no_decision."""
        return decision

    # A template, because a task directly downstream of `approve` would be skipped, too.
    decided = report("{{ ti.xcom_pull('approve')['decision'] }}")
    plan() >> approve >> apply_change() >> decided


approve_by_phone()
