"""
### Enrich chats with facts from a table

Each run exports the chats that ended in its hour and have no `topic` in their metadata, looks up their facts, and
writes them into the chats. Only differences are sent, so a repeated run costs no update.

Retell cannot filter chats by metadata. The export lists all chats of the hour, one request per 1,000, and skips those
that have the key. Its manifest counts them as `skipped`.

Prerequisites:

- the connection `retell_default` of type *Retell AI*, with the API key as its password
- the Airflow variable `retell_chats`: the folder, as a local path or a URL such as `s3://bucket/chats`
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

try:
    from airflow.sdk import ObjectStoragePath, dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task
    from airflow.io.path import ObjectStoragePath

from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_retell.operators import BulkUpdateChatOperator, ListChatsOperator

FILE = "{{ var.value.retell_chats }}/{{ data_interval_start.strftime('%Y-%m-%d/%H') }}"


@dag(
    # Not "@hourly": in Airflow 3, such runs have no data interval.
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def enrich_chats() -> None:
    """Export the new chats of one hour, and write facts into them."""
    new_chats = ListChatsOperator(
        task_id="new_chats",
        path=f"{FILE}.jsonl",
        without_metadata_key="topic",
        fields=["agent_id", "chat_analysis"],
    )

    @task
    def look_up(manifest: dict[str, Any]) -> list[dict[str, Any]]:
        """Return a row of facts for each chat. Yours joins the chats with a table."""
        with ObjectStoragePath(manifest["path"]).open() as file:
            chats = [json.loads(line) for line in file]
        return [
            {"chat_id": chat["chat_id"], "topic": "delivery", "agent": chat["agent_id"]} for chat in chats
        ]

    # A run without new chats updates nothing. A chat that was deleted in the meantime is no error.
    BulkUpdateChatOperator(
        task_id="enrich",
        rows=look_up(new_chats.output),
        metadata_columns={"topic": "topic", "agent": "handled_by"},
        report_path=f"{FILE}_report.jsonl",
        tolerate=["not_found"],
    )


enrich_chats()
