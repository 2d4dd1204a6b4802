"""
### Archive the recordings of every call

Retell's links to recordings expire after a day if the agent signs them, and the agent's retention deletes the files.
Each night, this DAG copies the recordings and transcripts of the day's calls to your own storage.

A run skips files that exist already, so you can repeat it at any time, even if a worker was killed. Calls without a
recording, for example those that nobody answered, do not fail the task. `report` logs how many there are.

The files contain personal data: give the folder the access rules and the retention that your customers agreed to.

Prerequisites:

- the connection `retell_default` of type *Retell AI*, with the API key as its password
- the Airflow variable `retell_recordings`: the folder, as a local path or a URL such as `s3://bucket/recordings`
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_retell.operators import ArchiveRecordingsOperator


@dag(
    # Not "@daily": in Airflow 3, such runs have no data interval.
    schedule=CronDataIntervalTimetable("0 1 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,  # True archives every day since start_date, as far as Retell still has the recordings
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def archive_recordings() -> None:
    """Copy the recordings and transcripts of one day."""
    # No date in the path: a call near the end of a day is in two runs, and the second one must find its files.
    archive = ArchiveRecordingsOperator(
        task_id="archive",
        path="{{ var.value.retell_recordings }}/{call_id}.wav",
        files=["recording", "transcript"],
        report_path="{{ var.value.retell_recordings }}/reports/{{ data_interval_start | ds }}.jsonl",
    )

    @task
    def report(manifest: dict[str, Any]) -> str:
        """Describe the run. Yours raises, for example, if agents stopped recording."""
        return (
            f"{manifest['archived']} calls archived, {manifest['unchanged']} were there, {manifest['no_recording']} "
            f"without a recording: {manifest['no_recording_causes']}"
        )

    report(archive.output["manifest"])


archive_recordings()
