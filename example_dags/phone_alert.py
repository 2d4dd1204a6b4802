"""
### Call somebody when a task fails

`PhoneCallNotifier` places a phone call through a Retell agent when the nightly load fails for good. The agent learns
what failed from the dynamic variables `dag_id`, `task_id`, `run_id`, `map_index` and `reason`: use them in its prompt,
such as *"The task {{task_id}} of {{dag_id}} failed: {{reason}}."*

However many tasks fail at once, a run calls once, and the DAG leaves a number alone for 15 minutes after a call.

It needs a connection `retell_default` of type *Retell AI* with the API key as its password, and two Airflow variables:
`alert_from`, a number of your Retell organization that has an outbound agent, and `alert_to`, whom to call.
Trigger it with `{"fail": true}` to hear it.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

from airflow_provider_retell.notifications.phone_call import PhoneCallNotifier

call_on_duty = PhoneCallNotifier(
    from_number="{{ var.value.alert_from }}",
    to_number="{{ var.value.alert_to }}",
    reason="the nightly load of {{ dag_run.run_id }} has failed",
    cooldown=900,  # seconds in which this DAG does not call that number again
    max_calls_per_run=1,
)


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    params={"fail": False},
    # For each task, after its last retry. On a single task it is the task's own on_failure_callback; on the DAG itself
    # it calls once for the whole run, from the DAG processor.
    default_args={"on_failure_callback": [call_on_duty]},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def phone_alert() -> None:
    """Load three tables; if one fails, call whoever is on duty."""

    @task
    def load(table: str, params: Any = None) -> None:
        """Load one table. Yours does something."""
        if params["fail"]:
            raise RuntimeError(f"table {table} could not be loaded")

    load.expand(table=["customers", "orders", "payments"])


phone_alert()
