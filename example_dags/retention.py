"""
### Erase old calls

Calls older than `tighten_after_days` lose their transcript, recording and logs (storage setting
`basic_attributes_only`). Calls older than `delete_after_days` are deleted with all their data.

**Both steps are irreversible.** Therefore `dry_run` is true by default: the run only reports its plan. Trigger a run
manually and read the logs of `tighten` and `due_for_deletion`. Then change the default of `dry_run` to false in this
file, so that scheduled runs erase calls.

A run deletes at most 1,000 calls, because Airflow maps a task at most 1,024 times (`[core] max_map_length`). The next
run deletes the rest.

Prerequisites:

- the connection `retell_default` of type *Retell AI*, with the API key as its password
- the Airflow variable `retell_retention`: a folder for the lists of calls, which contain only call ids
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import Any

try:
    from airflow.sdk import dag, get_current_context, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task
    from airflow.operators.python import get_current_context

from airflow_provider_retell.bulk import FileRows
from airflow_provider_retell.operators import BulkUpdateCallOperator, DeleteCallOperator, ListCallsOperator

MAX_DELETIONS = 1000


def ended_before(days: int) -> dict[str, Any]:
    """Return the filter condition that a call ended more than *days* days ago."""
    limit = datetime.now(timezone.utc) - timedelta(days=days)
    return {"type": "number", "op": "lt", "value": int(limit.timestamp() * 1000)}


@dag(
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    params={"dry_run": True, "tighten_after_days": 30, "delete_after_days": 365},
    user_defined_macros={"ended_before": ended_before},
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def retention() -> None:
    """Tighten the storage setting of old calls, and delete very old ones."""
    folder = "{{ var.value.retell_retention }}/{{ run_id | replace(':', '-') }}"

    old = ListCallsOperator(
        task_id="list_old",
        path=f"{folder}-old.jsonl",
        by=None,  # list all older calls, not only those of the run's data interval
        filter_criteria=(
            "{{ {'end_timestamp': ended_before(params.tighten_after_days), 'data_storage_setting': "
            "{'type': 'enum', 'op': 'in', 'value': ['everything', 'everything_except_pii']}} | tojson }}"
        ),
        fields=[],  # the ids are enough
    )
    very_old = ListCallsOperator(
        task_id="list_very_old",
        path=f"{folder}-very-old.jsonl",
        by=None,
        filter_criteria="{{ {'end_timestamp': ended_before(params.delete_after_days)} | tojson }}",
        fields=[],
    )

    tighten = BulkUpdateCallOperator(
        task_id="tighten",
        rows=FileRows(f"{folder}-old.jsonl"),
        data_storage_setting="basic_attributes_only",
        dry_run="{{ params.dry_run }}",
        tolerate=["not_found"],
    )

    @task
    def due_for_deletion(manifest: dict[str, Any]) -> list[str]:
        """Return the ids of the calls to delete; an empty list in a dry run."""
        ids = [row["call_id"] for row in islice(FileRows(manifest["path"]).read(), MAX_DELETIONS)]
        dry_run = get_current_context()["params"]["dry_run"]
        logging.getLogger(__name__).info(
            "%d calls are due for deletion; %d of them %s",
            manifest["calls"],
            len(ids),
            "would be deleted" if dry_run else "are deleted now",
        )
        return [] if dry_run else ids

    delete = DeleteCallOperator.partial(
        task_id="delete", max_active_tis_per_dag=4, map_index_template="{{ task.call_id }}"
    ).expand(call_id=due_for_deletion(very_old.output))

    # Tighten first: the very old calls are among the old ones, and a deleted call cannot be tightened.
    old >> tighten >> delete


retention()
