"""
### Update the calls of several Retell organizations in parallel

An agency has one Retell organization per client. Each has its own API key, and so its own Airflow connection. The
operator is mapped over the connections: Airflow runs one task per organization.

**This is how to scale out.** Retell's quota is per organization (10 updates per second), and a single task uses all of
it. More tasks for one organization would only wait for each other, but ten organizations have ten quotas. The mapped
tasks run on any executor, on as many Celery workers or Kubernetes pods as you have. Each task needs little CPU, and
about the same memory for a thousand rows as for a million.

Prerequisites:

- the connection `warehouse` to a SQL database
- one connection of type *Retell AI* for each name in `ORGANIZATIONS`
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone

try:
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow.models.dag import DAG

from airflow_provider_retell.bulk import SqlRows
from airflow_provider_retell.operators import BulkUpdateCallOperator

# The ids of the connections. An upstream task can return the list, too: .expand(retell_conn_id=the_task())
ORGANIZATIONS = os.environ.get("RETELL_ORGANIZATIONS", "retell_acme,retell_globex").split(",")

with DAG(
    "many_workspaces",
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["example", "retell"],
    doc_md=__doc__,
) as dag:
    BulkUpdateCallOperator.partial(
        task_id="enrich_calls",
        rows=SqlRows(
            "warehouse",
            "select call_id, tier from client_calls where organization = '{{ task.retell_conn_id }}'",
        ),
        metadata_columns=["tier"],
        map_index_template="{{ task.retell_conn_id }}",
    ).expand(retell_conn_id=ORGANIZATIONS)
