"""
### Remind customers by phone

`due` returns the customers to remind. `wait_for_capacity` waits until the organization can place enough calls. Then one
`remind` task per customer places a call, and waits for its end without a worker slot. `follow_up` returns the calls
that were not answered.

Retries, crashes and clears never call a customer twice: see `docs/placing.md`. The function `customer` looks up names
and phone numbers when a task runs. Airflow stores neither: XCom, logs and the UI show customers and calls by their id.

Prerequisites:

- the connection `retell_default` of type *Retell AI*, with the API key as its password
- the Airflow variable `retell_from_number`: a phone number of your organization
- if other DAGs place calls, too: a pool that limits the concurrent calls. Create it with "Include Deferred", and set
  `pool` on `remind`.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

from airflow_provider_retell.operators import CreatePhoneCallOperator
from airflow_provider_retell.sensors import ConcurrencySensor


def customer(ti: Any) -> dict[str, str]:
    """Return the customer of a mapped task. Yours asks the CRM; these numbers are fictitious."""
    customer_id = ti.xcom_pull(task_ids="due")[ti.map_index]["customer"]
    customers = {
        "C-1001": {"phone": "+14155550101", "name": "Ada", "appointment": "Tuesday at ten"},
        "C-1002": {"phone": "+14155550102", "name": "Grace", "appointment": "Tuesday at noon"},
        "C-1003": {"phone": "+14155550103", "name": "Edsger", "appointment": "Friday at nine"},
    }
    return {"id": customer_id, **customers[customer_id]}


@dag(
    schedule="0 16 * * 1-5",  # in UTC; choose an hour at which your customers may be called
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,  # a reminder for last week is useless
    max_active_runs=1,
    user_defined_macros={"customer": customer},
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def reminder_calls() -> None:
    """Wait for capacity, call every customer, and return the calls that were not answered."""

    @task
    def due() -> list[dict[str, str]]:
        """Return the metadata of one call per customer to remind."""
        return [{"customer": "C-1001"}, {"customer": "C-1002"}, {"customer": "C-1003"}]

    reminders = due()
    wait_for_capacity = ConcurrencySensor(
        task_id="wait_for_capacity", calls=3, deferrable=True, poke_interval=15, timeout=3600
    )

    # If tasks are cleared, `due` must return the customers in the same order: a mapped task finds its call by its
    # position in the list. If the customer at that position has changed, the task fails and calls nobody.
    remind = CreatePhoneCallOperator.partial(
        task_id="remind",
        from_number="{{ var.value.retell_from_number }}",
        to_number="{{ customer(ti).phone }}",
        retell_llm_dynamic_variables={
            "name": "{{ customer(ti).name }}",
            "appointment": "{{ customer(ti).appointment }}",
        },
        honor_internal_dnc=True,
        wait_until="ended",
        deferrable=True,
        poll_interval=5,
        max_active_tis_per_dag=20,  # the organization's limit of concurrent calls
        map_index_template="{{ customer(ti).id }}",
    ).expand(metadata=reminders)

    @task
    def follow_up(calls: list[dict[str, Any]]) -> list[str]:
        """Return the calls that nobody answered."""
        return [call["call_id"] for call in calls if call["call_status"] != "ended"]

    reminders >> wait_for_capacity >> remind
    follow_up(remind.output)


reminder_calls()
