"""The report page's verdicts and next steps for the manifests of real runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import tasks
from connected import connect, emulator
from contact_runs import phone, row
from report_texts import report_texts

from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators import (
    ArchiveRecordingsOperator,
    BulkUpdateCallOperator,
    DeleteContactsOperator,
    ImportContactsOperator,
    SyncContactsOperator,
)

__all__ = ["connect", "emulator"]

if shutil.which("node") is None:
    pytest.skip("needs Node.js", allow_module_level=True)

START = datetime(2026, 11, 21, 10, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def no_sleep(emulator: Emulator) -> Iterator[None]:
    with no_waiting(emulator.clock.advance):
        yield


def shown(operator: Any, *, fails: bool = True, **arguments: Any) -> dict[str, Any]:
    """Run a task, and return the texts for its XComs."""
    ti, error = tasks.Ti(), None
    interval = {"data_interval_start": START, "data_interval_end": START + timedelta(hours=1)}
    try:
        tasks.run_task(operator(task_id="a_task", quota="100000/1", **arguments), ti=ti, **interval)
    except Exception as caught:
        error = caught
    assert (error is not None) == fails, error
    task = {"operator_name": operator.__name__, "state": "failed" if fails else "success"}
    return report_texts(ti.xcom["manifest"], ti.xcom["failures"], task)


def test_an_outage_that_stops_a_bulk_update(emulator: Emulator) -> None:
    emulator.add_calls(f"call_{n}" for n in range(400))
    emulator.faults.add(Fault.status(500), route="update-call", times=0)
    texts = shown(BulkUpdateCallOperator, rows=[{"call_id": f"call_{n}", "tier": "gold"} for n in range(400)])
    failed = texts["outcomes"]["failed"]
    assert 50 <= failed < 70
    assert texts["verdict"]["title"] == f"The run stopped after {failed} rows; {failed} of them failed"
    assert "Run stopped:" in texts["advice"]


def test_a_source_that_breaks_after_a_failed_row(emulator: Emulator) -> None:
    emulator.add_calls(["call_1"])

    def rows() -> Iterator[Any]:
        yield {"call_id": "call_1", "tier": "gold"}
        yield {"call_id": "call_2", "tier": "gold"}
        raise OSError("the warehouse is gone")

    texts = shown(BulkUpdateCallOperator, rows=rows)
    assert texts["verdict"]["title"] == "The run stopped after 2 rows; 1 of them failed"
    assert texts["verdict"]["text"].startswith("1 updated. The rest of the source has no result.")
    assert list(texts["advice"]) == ["1 not found:", "Run stopped:", "No report:"]


def test_too_few_rows_that_all_succeeded(emulator: Emulator) -> None:
    emulator.add_calls(["call_1"])
    texts = shown(BulkUpdateCallOperator, rows=[{"call_id": "call_1", "tier": "gold"}], min_rows=2)
    assert texts["verdict"] == {
        "kind": "error",
        "title": "No row failed, but the task did",
        "text": "1 updated. The task's log has the reason.",
    }
    assert texts["advice"] == {
        "Task failed:": "The task's log has the reason. Fix the cause, then clear the task."
    }


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_limit_that_refuses_a_sync(emulator: Emulator, dry_run: bool) -> None:
    emulator.add_contacts(map(phone, range(3)))
    rows = [row(n, first_name="Ada") for n in range(3)] + [row(3, first_name=5)]
    texts = shown(SyncContactsOperator, rows=rows, columns=["first_name"], dry_run=dry_run)
    prefix = "Dry run: " if dry_run else ""
    assert texts["verdict"]["title"] == f"{prefix}The run stopped after 1 row, which failed"
    assert ("Nothing was sent to Retell." in texts["verdict"]["text"]) == dry_run
    again = "it compares all rows again." if dry_run else "and sends what is missing."
    assert texts["advice"]["Run stopped:"].endswith(again)


def test_an_empty_source_of_a_sync(emulator: Emulator) -> None:
    texts = shown(SyncContactsOperator, rows=[], columns=["first_name"])
    assert (texts["verdict"]["kind"], texts["verdict"]["title"]) == ("error", "No rows")
    assert "The task's log has the reason why the task failed." in texts["verdict"]["text"]
    assert list(texts["advice"]) == ["Task failed:"]


def test_an_import_that_is_stopped_after_its_first_file(emulator: Emulator) -> None:
    emulator.faults.add(Fault.status(409), route="create-contact-import", after=1, times=0)
    texts = shown(
        ImportContactsOperator,
        rows=[row(0, out=True, first_name="Ada"), row(1, first_name="Bo")],
        columns=["first_name"],
        do_not_call_column="out",
    )
    assert texts["verdict"]["title"] == "The run stopped before any row had a result"
    assert "contacts of rows without a result may have changed" in texts["verdict"]["text"]


def test_an_import_with_an_invalid_row_has_imported_nothing(emulator: Emulator) -> None:
    texts = shown(ImportContactsOperator, rows=[row(0), {"phone_number": "555"}])
    assert texts["verdict"]["title"] == "The run stopped after 1 row, which failed"
    assert "import" not in texts["verdict"]["text"]
    assert texts["advice"]["1 invalid:"].endswith("clear the task.")


def test_a_deletion_that_tolerates_missing_contacts(emulator: Emulator) -> None:
    emulator.add_contacts([phone(0)])
    rows = [row(0), row(1)]
    texts = shown(DeleteContactsOperator, rows=rows, dry_run=True, fails=False)
    assert texts["verdict"] == {
        "kind": "success",
        "title": "Dry run: No row failed",
        "text": "1 would be deleted. Nothing was sent to Retell. The task tolerates 1 not found.",
    }
    assert list(texts["advice"]) == ["Dry run:"]
    texts = shown(DeleteContactsOperator, rows=rows, missing_ok=False)
    assert texts["verdict"]["title"] == "1 of 2 rows failed"
    assert "missing_ok=True" in texts["advice"]["1 not found:"]


def test_an_archive_of_an_interval_without_calls(emulator: Emulator, tmp_path: Path) -> None:
    texts = shown(ArchiveRecordingsOperator, path=f"{tmp_path}/{{call_id}}.wav", fails=False)
    assert (texts["verdict"]["kind"], texts["verdict"]["title"]) == ("warning", "No rows")


def test_an_archive_that_is_stopped(emulator: Emulator, tmp_path: Path) -> None:
    emulator.revoke_key(emulator.api_key)
    rows = [{"call_id": f"call_{n}"} for n in range(100)]
    texts = shown(ArchiveRecordingsOperator, path=f"{tmp_path}/{{call_id}}.wav", rows=rows)
    assert texts["verdict"]["title"].startswith("The run stopped ")
    assert texts["advice"]["Run stopped:"].endswith("clear the task: it copies only the missing files.")
