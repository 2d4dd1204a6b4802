"""
### Simulate all agents every night

A model, a tool or a knowledge base can change the behavior of an agent that nobody has touched. This DAG runs the
simulation tests of the published version of each agent, one task per agent, and calls the engineer on duty if an agent
does not pass. It also compares the configuration of all agents with the last accepted snapshot, so that changes made by
hand in Retell's dashboard are seen.

Simulations cost money. Tools that act outside the conversation must have mocks in every test case; otherwise the task
of that agent fails before it starts a simulation.

Prerequisites:

- the connection `retell_default` of type *Retell AI*, with the API key as its password
- the Airflow variable `retell_agents`: a JSON list of the ids of agents with test cases
- the Airflow variable `retell_reports`: a folder for reports and snapshots
- the Airflow variables `alert_from`, a number of your Retell organization with an outbound agent, and `alert_to`, the
  number to call
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

try:
    from airflow.sdk import Variable, dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task
    from airflow.models.variable import Variable

from airflow_provider_retell.notifications import PhoneCallNotifier
from airflow_provider_retell.operators import RunBatchTestOperator, SnapshotAgentsOperator

REPORTS = "{{ var.value.retell_reports }}"
# Not {{ ds }}: in Airflow 3, runs that are started manually may have no logical date.
DAY = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"

call_on_duty = PhoneCallNotifier(
    from_number="{{ var.value.alert_from }}",
    to_number="{{ var.value.alert_to }}",
    reason="an agent did not pass its simulation tests, or was changed by hand",
    max_calls_per_run=1,
)


@dag(
    schedule="0 4 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,  # a night that was missed is not simulated later
    max_active_runs=1,
    default_args={
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "on_failure_callback": [call_on_duty],
    },
    tags=["example", "retell"],
    doc_md=__doc__,
)
def nightly_simulations() -> None:
    """Simulate every agent, and check the configuration for drift."""

    @task
    def agents() -> list[str]:
        """Return the ids of the agents to simulate."""
        return list(json.loads(Variable.get("retell_agents")))

    RunBatchTestOperator.partial(
        task_id="simulate",
        agent_version="latest_published",
        min_pass_ratio=0.8,
        retry_failed=1,
        report_path=REPORTS + "/simulations/" + DAY + "-{{ task.agent_id }}.jsonl",
        deferrable=True,
        max_active_tis_per_dag=4,
        map_index_template="{{ task.agent_id }}",
    ).expand(agent_id=agents())

    # The release of an agent writes the snapshot there. Without one, the first run does.
    SnapshotAgentsOperator(
        task_id="check_drift",
        path=f"{REPORTS}/agents",
        compare_with=f"{REPORTS}/agents",
        fail_on_drift=True,
    )


nightly_simulations()
