"""
### Update the calls of many Retell organizations at once

An agency has an organization in Retell for each of its clients, each with its own API key: one Airflow connection per
organization. The operator is mapped over the connections, so Airflow makes one task of each.

**This is how to scale out.** Retell's quota counts per organization, 10 updates per second, and a single task uses all
of it. More workers make one organization no faster: its tasks would only wait for one another. But ten organizations
have ten quotas. Mapped tasks run on whatever executor there is, on as many Celery workers or Kubernetes pods as you
have; a task needs little CPU and the same small memory for a thousand rows or a million.

It needs the connection `warehouse` to a SQL database, and one of type *Retell AI* for each name in ORGANIZATIONS.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone

try:
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow.models.dag import DAG

from airflow_provider_retell.bulk import SqlRows
from airflow_provider_retell.operators.bulk import BulkUpdateCallOperator

# The ids of the connections. Instead of a list, an upstream task's output will do: .expand(retell_conn_id=the_task())
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
