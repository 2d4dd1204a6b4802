"""
### Remind customers by phone

`due` says whom to remind; when the organization has room for calls, one `remind` per customer places a call and waits
for its end without a worker slot; `follow_up` gets what became of them.

Nobody is called twice, whatever crashes or is cleared: see `docs/placing.md`. XCom, logs and the UI hold customer ids
and call ids. Names and phone numbers are looked up by `customer` at the moment of the call, and Airflow stores none.

It needs a connection `retell_default` of type *Retell AI* with the API key as its password, the Airflow variable
`retell_from_number` (a number of your organization), and a pool `retell_calls` if other DAGs place calls too: give
`remind` `pool="retell_calls"` with as many slots as calls may go on at once, and tick "include deferred".
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

from airflow_provider_retell.operators.phone_call import CreatePhoneCallOperator
from airflow_provider_retell.sensors.concurrency import ConcurrencySensor


def customer(customer_id: str) -> dict[str, str]:
    """Look a customer up. Yours asks the CRM; these numbers belong to nobody."""
    return {
        "C-1001": {"phone": "+14155550101", "name": "Ada", "appointment": "Tuesday at ten"},
        "C-1002": {"phone": "+14155550102", "name": "Grace", "appointment": "Tuesday at noon"},
        "C-1003": {"phone": "+14155550103", "name": "Edsger", "appointment": "Friday at nine"},
    }[customer_id]


@dag(
    schedule="0 16 * * 1-5",  # UTC: when may people be called where yours live?
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,  # a reminder for last week helps nobody
    max_active_runs=1,
    user_defined_macros={"customer": customer},
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def reminder_calls() -> None:
    """Wait for room, call every customer, collect what became of it."""

    @task
    def due() -> list[dict[str, str]]:
        """Choose whom to remind: the metadata of the calls, with which they can be told apart later."""
        return [{"customer": "C-1001"}, {"customer": "C-1002"}, {"customer": "C-1003"}]

    chosen = due()
    room = ConcurrencySensor(task_id="room", calls=3, deferrable=True, poke_interval=15, timeout=3600)

    # The list must keep its order when tasks are cleared: a task knows its call by its place in the list, and fails
    # rather than call somebody else.
    customer_id = "ti.xcom_pull('due')[ti.map_index]['customer']"
    remind = CreatePhoneCallOperator.partial(
        task_id="remind",
        from_number="{{ var.value.retell_from_number }}",
        to_number="{{ customer(" + customer_id + ").phone }}",
        retell_llm_dynamic_variables={
            "name": "{{ customer(" + customer_id + ").name }}",
            "appointment": "{{ customer(" + customer_id + ").appointment }}",
        },
        honor_internal_dnc=True,
        wait_until="ended",
        deferrable=True,
        poll_interval=5,
        max_active_tis_per_dag=20,  # as many as the organization may have at once; the rest wait for their turn
        map_index_template="{{ " + customer_id + " }}",
    ).expand(metadata=chosen)

    @task
    def follow_up(calls: list[dict[str, Any]]) -> list[str]:
        """Return the calls that nobody answered."""
        return [call["call_id"] for call in calls if call["call_status"] != "ended"]

    chosen >> room >> remind
    follow_up(remind.output)


reminder_calls()
