"""
### Call the engineer on duty when a task fails

When a task has failed and has no retries left, `PhoneCallNotifier` places a phone call through a Retell agent. The
agent gets the dynamic variables `dag_id`, `task_id`, `run_id`, `map_index` and `reason`. Use them in its prompt, for
example *"The task {{task_id}} of {{dag_id}} failed: {{reason}}."*

A run places one call, even if several of its tasks fail. After a call, the DAG does not call the same number again for
15 minutes.

Prerequisites:

- the connection `retell_default` of type *Retell AI*, with the API key as its password
- the Airflow variable `alert_from`: a number of your Retell organization with an outbound agent
- the Airflow variable `alert_to`: the number to call

Trigger the DAG with `{"fail": true}` to get a call.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

from airflow_provider_retell.notifications import PhoneCallNotifier

call_on_duty = PhoneCallNotifier(
    from_number="{{ var.value.alert_from }}",
    to_number="{{ var.value.alert_to }}",
    reason="the nightly load of {{ dag_run.run_id }} has failed",
    cooldown=900,  # seconds until this DAG may call the number again
    max_calls_per_run=1,
)


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    params={"fail": False},
    # Here, the callback runs for every task, after its last retry. You can also set on_failure_callback on a single
    # task, or on the DAG: then it runs once when the run fails.
    default_args={"on_failure_callback": [call_on_duty]},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def phone_alert() -> None:
    """Load three tables, and call the engineer on duty if one fails."""

    @task
    def load(table: str, params: Any = None) -> None:
        """Load one table. Yours does the real work."""
        if params["fail"]:
            raise RuntimeError(f"table {table} could not be loaded")

    load.expand(table=["customers", "orders", "payments"])


phone_alert()
