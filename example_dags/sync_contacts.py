"""
### Sync contacts and opt-outs from a warehouse

Each night, the names, the plan and the opt-outs of all customers go to Retell's contacts. Only differences are sent, so
a night without changes costs one request per 1,000 contacts. Tasks that place calls with `honor_internal_dnc=True` then
call nobody who opted out.

The task fails, and sends nothing, if the table has no rows or lacks a column, or if the sync would clear a do-not-call
mark or update more than a fifth of the contacts. After the sync, the contacts of erasure requests are deleted. Remove
these people from `customers` first, or the next sync creates their contacts again.

Prerequisites:

- the connection `retell_default` of type *Retell AI*, with the API key as its password
- the connection `warehouse` to a database with a table `customers` (`phone` in E.164 format, `first_name`, `plan`,
  `opted_out`) and a table `erasure_requests` (`phone`)
- the custom field `plan` in Retell's CRM configuration
- the Airflow variable `retell_reports`: the folder of the reports, as a local path or a URL such as
  `s3://bucket/retell`
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

try:
    from airflow.sdk import dag
except ImportError:  # Airflow 2
    from airflow.decorators import dag

from airflow_provider_retell.bulk import SqlRows
from airflow_provider_retell.operators import DeleteContactsOperator, SyncContactsOperator

REPORTS = "{{ var.value.retell_reports }}/contacts"


@dag(
    schedule="30 3 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    tags=["example", "retell"],
    doc_md=__doc__,
)
def sync_contacts() -> None:
    """Sync the contacts, then delete those of erasure requests."""
    sync = SyncContactsOperator(
        task_id="sync",
        rows=SqlRows("warehouse", "select phone, first_name, plan, opted_out from customers"),
        phone_number_column="phone",
        columns=["first_name", "plan"],
        do_not_call_column="opted_out",
        max_changed_ratio=0.2,
        report_path=f"{REPORTS}/{{{{ ds }}}}-sync.jsonl",
    )

    erase = DeleteContactsOperator(
        task_id="erase",
        rows=SqlRows("warehouse", "select phone from erasure_requests"),
        phone_number_column="phone",
        allow_deleting_do_not_call=True,
        report_path=f"{REPORTS}/{{{{ ds }}}}-erase.jsonl",
    )

    sync >> erase


sync_contacts()
