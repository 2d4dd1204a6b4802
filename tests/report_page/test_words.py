"""The texts of the report page, for each operator."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import airflow_provider_retell.report_page
from airflow_provider_retell.bulk.outcome import duplicate

if shutil.which("node") is None:
    pytest.skip("needs Node.js", allow_module_level=True)

WORDS = Path(airflow_provider_retell.report_page.__file__).parent / "static/words.js"
SCRIPT = """
const [manifest, failures, task] = JSON.parse(process.argv[1]);
const outcomes = outcomesOf(manifest);
console.log(JSON.stringify({
  outcomes: Object.fromEntries(outcomes.map((each) => [each.name, each.count])),
  verdict: verdict(manifest, outcomes, task),
  advice: Object.fromEntries(advice(manifest, outcomes, failures, task)),
  facts: Object.fromEntries(facts(manifest)),
  snippet: snippet(manifest, { task: "sync" }, task),
  reasons: failures.map((failure) => commonReason(failure.reason ?? "")),
}));
"""
BASE = {"schema_version": 1, "requests": 4, "seconds": 1.2, "waited_seconds": 0.0, "report": "/r/x.jsonl"}


def texts(operator: str, outcome: str = "", reason: str | None = None, **manifest: Any) -> dict[str, Any]:
    task = {"operator_name": operator, "state": "failed" if outcome else "success"}
    manifest = {**BASE, "rows": 3, "failed_rows": int(bool(outcome)), **manifest}
    failures = [{"outcome": outcome, "reason": reason}] if outcome else []
    done = subprocess.run(
        [
            *("node", "--input-type=module", "-e"),
            WORDS.read_text(encoding="utf-8") + SCRIPT,
            json.dumps([manifest, failures, task]),
        ],
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_a_run_without_rows_does_not_claim_that_its_source_was_empty() -> None:
    # It may have read FailedRows of a report without failures.
    verdict = texts("BulkUpdateCallOperator", rows=0)["verdict"]
    assert verdict["title"] == "No rows"
    assert verdict["text"].startswith("There was no row to process. Nothing was changed.")


@pytest.mark.parametrize(
    ("reason", "common"),
    [
        (duplicate("call id", 17), duplicate("call id", None)),
        (duplicate("call id", None), duplicate("call id", None)),
        ("column tier: row 17", "column tier: row 17"),
        (None, ""),
    ],
)
def test_all_duplicates_have_one_reason_in_the_filter(reason: str | None, common: str) -> None:
    assert texts("BulkUpdateCallOperator", "invalid", reason)["reasons"] == [common]


def test_an_archive_counts_calls_and_shows_the_size_as_a_fact() -> None:
    shown = texts("ArchiveRecordingsOperator", archived=2, no_recording=1, bytes=1_234_567, window=[1, 2])
    assert shown["outcomes"] == {"archived": 2, "no_recording": 1}
    assert shown["verdict"]["text"] == "2 archived, 1 without a recording."
    assert shown["facts"]["Size"] == "1.2 MB"


@pytest.mark.parametrize(
    ("operator", "noun"),
    [
        ("BulkUpdateCallOperator", "call"),
        ("BulkUpdateChatOperator", "chat"),
        ("ArchiveRecordingsOperator", "call"),
        ("SyncContactsOperator", "contact"),
        ("DeleteContactsOperator", "contact"),
        ("ImportContactsOperator", "contact"),
    ],
)
def test_a_record_that_is_missing_is_named(operator: str, noun: str) -> None:
    shown = texts(operator, "not_found", not_found=1)
    (advice,) = (text for name, text in shown["advice"].items() if name == "1 not found:")
    assert f"has no such {noun}." in advice
    assert ("tolerate=" in advice) == (noun != "contact")


@pytest.mark.parametrize(
    ("operator", "repeats"),
    [
        ("BulkUpdateCallOperator", True),
        ("BulkUpdateChatOperator", True),
        ("ArchiveRecordingsOperator", False),
        ("SyncContactsOperator", False),
        ("DeleteContactsOperator", False),
        ("ImportContactsOperator", False),
    ],
)
def test_failed_rows_are_repeated_only_by_operators_that_can(operator: str, repeats: bool) -> None:
    assert (f"{operator}(" in texts(operator, "failed", failed=1)["snippet"]) == repeats
    without_report = texts(operator, "failed", failed=1, report=None)["advice"]["No report:"]
    assert ("repeat only the failed rows" in without_report) == repeats


def test_a_conflict_of_contacts_is_about_their_do_not_call_marks() -> None:
    assert "do-not-call" in texts("SyncContactsOperator", "conflict", conflict=1)["advice"]["1 conflict:"]
    assert "storage" in texts("BulkUpdateCallOperator", "conflict", conflict=1)["advice"]["1 conflict:"]


def test_failed_rows_of_an_import_are_not_imported_again() -> None:
    advice = texts("ImportContactsOperator", "failed", failed=1)["advice"]["1 failed:"]
    assert "Run SyncContactsOperator" in advice
    assert "Clear the task" not in advice
