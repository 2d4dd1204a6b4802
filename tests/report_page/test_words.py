"""The texts of the report page, for each operator."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from report_texts import report_texts

from airflow_provider_retell.bulk.contacts.contact_sync import ContactSync
from airflow_provider_retell.bulk.contacts.csv_import import ContactImport
from airflow_provider_retell.bulk.contacts.deletions import ContactDeletions
from airflow_provider_retell.bulk.outcome import FAILURES, IN_DRY_RUN, OUTCOMES, duplicate
from airflow_provider_retell.bulk.recordings.run import OUTCOMES as ARCHIVE_OUTCOMES

if shutil.which("node") is None:
    pytest.skip("needs Node.js", allow_module_level=True)

BASE = {"schema_version": 1, "requests": 4, "seconds": 1.2, "waited_seconds": 0.0, "report": "/r/x.jsonl"}
OPERATORS: dict[str, tuple[str, ...]] = {
    "BulkUpdateCallOperator": OUTCOMES,
    "BulkUpdateChatOperator": OUTCOMES,
    "ArchiveRecordingsOperator": ARCHIVE_OUTCOMES,
    "SyncContactsOperator": ContactSync.outcomes,
    "DeleteContactsOperator": ContactDeletions.outcomes,
    "ImportContactsOperator": ContactImport.outcomes,
}
CONTACTS = [name for name in OPERATORS if "Contact" in name]
IMPORT = {"part": "other", "start_timestamp": 1, "rows": 3, "succeeded": 2, "failed": 1, "found": False}


def texts(
    operator: str,
    outcome: str = "",
    reason: str | None = None,
    *,
    state: str | None = "",
    name: str | None = None,
    failures: Any = ...,
    dry_run: bool = False,
    **manifest: Any,
) -> dict[str, Any]:
    """Return the texts for a manifest of *operator*, with one failed row if *outcome* is set."""
    counts = dict.fromkeys(OPERATORS[operator], 0)
    if dry_run:
        counts |= {IN_DRY_RUN[each]: 0 for each in counts if each in IN_DRY_RUN}  # type: ignore[index]
    if operator == "ImportContactsOperator":
        counts["imports"] = []  # type: ignore[assignment]
    if outcome:
        manifest = {outcome: 1, **manifest}
    manifest = {
        **BASE,
        **counts,
        "rows": 3,
        "complete": True,
        "failed_rows": sum(manifest.get(each, 0) for each in FAILURES),
        **manifest,
    }
    kind = {"BulkUpdateChatOperator": "chat"}.get(operator, "contact" if operator in CONTACTS else "call")
    if failures is ...:
        failures = [{"row": 1, f"{kind}_id": "x", "outcome": outcome, "reason": reason}] if outcome else []
    if state == "":
        state = "failed" if manifest["failed_rows"] else "success"
    task = {"operator_name": name or operator, "state": state}
    return report_texts(manifest, failures, task)


# -- the verdict


@pytest.mark.parametrize("state", ["success", "skipped"])
def test_a_run_without_rows_does_not_claim_that_its_source_was_empty(state: str) -> None:
    # It may have read FailedRows of a report without failures.
    shown = texts("BulkUpdateCallOperator", rows=0, state=state)
    assert (shown["verdict"]["kind"], shown["verdict"]["title"]) == ("warning", "No rows")
    assert shown["verdict"]["text"] == "There was no row to process, so this try changed nothing."
    assert shown["advice"] == {}


@pytest.mark.parametrize(
    ("counts", "title"),
    [
        ({"rows": 53, "failed": 53}, "The run stopped after 53 rows; 53 of them failed"),
        (
            {"rows": 1200, "updated": 1150, "failed": 50},
            "The run stopped after 1,200 rows; 50 of them failed",
        ),
        ({"rows": 1, "failed": 1}, "The run stopped after 1 row, which failed"),
        ({"rows": 2, "updated": 2}, "The run stopped after 2 rows"),
        ({"rows": 0}, "The run stopped before any row had a result"),
    ],
)
@pytest.mark.parametrize("state", ["failed", "up_for_retry", "success", None])
def test_a_run_that_stopped_early_says_so(counts: dict[str, int], title: str, state: str | None) -> None:
    shown = texts("BulkUpdateCallOperator", complete=False, state=state, **counts)
    assert (shown["verdict"]["kind"], shown["verdict"]["title"]) == ("error", title)
    text = shown["verdict"]["text"]
    assert "The rest of the source has no result. The task's log has the reason why the run stopped." in text
    assert ("None of these rows failed." in text) == (title == "The run stopped after 2 rows")
    assert shown["facts"]["Rows"].endswith(" (not all of the source)")
    assert shown["advice"]["Run stopped:"] == (
        "The task's log has the reason. Fix the cause unless it was temporary, then clear the task: it compares all "
        "rows again, and sends what is missing."
    )


def test_an_import_that_stopped_does_not_claim_that_other_contacts_are_unchanged() -> None:
    shown = texts("ImportContactsOperator", complete=False, rows=0, state="failed", imports=[IMPORT])
    assert "contacts of rows without a result may have changed" in shown["verdict"]["text"]
    assert "It starts no import again, unless on_clear" in shown["advice"]["Run stopped:"]
    shown = texts("ImportContactsOperator", complete=False, rows=0, state="failed")
    assert "import" not in shown["verdict"]["text"]


def test_the_limits_of_a_task_are_a_reason_only_if_all_rows_were_processed() -> None:
    shown = texts("BulkUpdateCallOperator", "failed", updated=2, state="success")
    assert (shown["verdict"]["kind"], shown["verdict"]["title"]) == ("warning", "1 of 3 rows failed")
    assert "limits allow so many failed rows, or a user has marked it" in shown["verdict"]["text"]
    shown = texts("BulkUpdateCallOperator", "failed", updated=2, state="success", complete=False)
    assert "limits" not in shown["verdict"]["text"]


@pytest.mark.parametrize("state", ["queued", "scheduled", "restarting", None])
def test_a_task_that_was_cleared_shows_that_the_result_is_an_earlier_one(state: str | None) -> None:
    text = texts("BulkUpdateCallOperator", updated=3, state=state)["verdict"]["text"]
    assert text == "3 updated. This is the result of an earlier try. The task will run again."


def test_without_the_state_of_the_task_the_verdict_claims_nothing_about_it() -> None:
    shown = texts("BulkUpdateCallOperator", "failed", state="none given")
    assert shown["verdict"] == {"kind": "error", "title": "1 of 3 rows failed", "text": ""}


@pytest.mark.parametrize("failures", [None, []])
def test_tolerated_outcomes_are_no_failures(failures: Any) -> None:
    arguments: Any = {"rows": 306, "not_found": 5, "not_ended": 1, "failures": failures}
    shown = texts("BulkUpdateCallOperator", failed=300, failed_rows=301, **arguments)
    assert shown["verdict"]["text"] == "The task tolerates 5 not found."
    assert list(shown["advice"]) == ["300 failed:", "1 not ended:"]
    shown = texts("BulkUpdateCallOperator", updated=300, failed_rows=0, **arguments)
    assert shown["verdict"]["title"] == "No row failed"
    assert shown["verdict"]["text"] == "300 updated. The task tolerates 5 not found, 1 not ended."


def test_the_failed_rows_show_which_of_two_outcomes_is_tolerated() -> None:
    counts: Any = {"not_found": 1, "not_ended": 1, "updated": 1, "failed_rows": 1}
    shown = texts("BulkUpdateCallOperator", failures=[{"call_id": "x", "outcome": "not_found"}], **counts)
    assert list(shown["advice"]) == ["1 not found:"]
    # Without them, it is unknown.
    shown = texts("BulkUpdateCallOperator", failures=None, **counts)
    assert list(shown["advice"]) == ["1 not found:", "1 not ended:"]
    assert "tolerates" not in shown["verdict"]["text"]


def test_entries_that_are_no_rows_are_left_out() -> None:
    shown = texts(
        "BulkUpdateCallOperator", failed=1, failures=[None, 1, {"outcome": "failed", "reason": "r"}]
    )
    assert shown["reasons"] == ["r"]
    assert list(shown["advice"]) == ["1 failed:"]


# -- the table and the facts


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
    assert shown["facts"]["Rows"] == "3"


# -- the next steps


@pytest.mark.parametrize(
    ("operator", "missing"),
    [
        ("BulkUpdateCallOperator", "has no such call. Check the call ids"),
        ("BulkUpdateChatOperator", "has no such chat. Check the chat ids"),
        ("ArchiveRecordingsOperator", "has no such call. Check the call ids"),
        ("DeleteContactsOperator", "has no such contact, or an earlier try has deleted it"),
        ("SyncContactsOperator", "were deleted during the run. To create them again, clear the task"),
        (
            "ImportContactsOperator",
            "were deleted during the run. To create them again, run SyncContactsOperator",
        ),
    ],
)
def test_a_record_that_is_missing_is_named(operator: str, missing: str) -> None:
    advice = texts(operator, "not_found")["advice"]["1 not found:"]
    assert missing in advice
    assert ("tolerate=" in advice) == (operator not in CONTACTS)
    assert ("missing_ok=True" in advice) == (operator == "DeleteContactsOperator")


@pytest.mark.parametrize("operator", OPERATORS)
def test_failed_rows_are_repeated_only_by_operators_that_can(operator: str) -> None:
    repeats = operator.startswith("BulkUpdate")
    assert (f"{operator}(" in texts(operator, "failed")["snippet"]) == repeats
    without_report = texts(operator, "failed", report=None)["advice"]["No report:"]
    assert ("repeat only the failed rows" in without_report) == repeats


@pytest.mark.parametrize("operator", OPERATORS)
def test_the_texts_do_not_depend_on_the_name_of_a_subclass(operator: str) -> None:
    """Airflow shows the name of the task's own class."""
    for outcome in set(OPERATORS[operator]).intersection(FAILURES):
        assert texts(operator, outcome, name="MyTask") == texts(operator, outcome)


def test_the_snippet_names_the_report_and_runs_with_the_rows_filled_in() -> None:
    snippet = texts("BulkUpdateChatOperator", "failed", name="@task.retell_bulk_update")["snippet"]
    code = snippet.replace("...,  #", "[],  #").replace(
        "\nBulkUpdateChatOperator(", "\ntask = BulkUpdateChatOperator("
    )
    values: dict[str, Any] = {}
    exec(code, values)
    task = values["task"]
    assert (type(task).__name__, task.task_id) == ("BulkUpdateChatOperator", "sync_failed_rows")
    assert task.rows.source.report_path == "/r/x.jsonl"


def test_a_dry_run_does_not_offer_to_repeat_only_its_failed_rows() -> None:
    """A run of them would leave out all rows that the dry run has only planned."""
    shown = texts("BulkUpdateCallOperator", "invalid", dry_run=True, would_update=2, report=None)
    assert shown["verdict"]["title"] == "Dry run: 1 of 3 rows failed"
    assert shown["verdict"]["text"] == "2 would be updated. Nothing was sent to Retell."
    assert shown["advice"]["No report:"] == "Set report_path to keep a line for every row."
    assert shown["advice"]["Dry run:"] == "To send these changes, run the task without dry_run."
    assert texts("BulkUpdateCallOperator", "invalid", dry_run=True)["snippet"] == ""


@pytest.mark.parametrize("operator", [name for name in OPERATORS if name != "ArchiveRecordingsOperator"])
def test_clearing_a_dry_run_sends_and_deletes_nothing(operator: str) -> None:
    shown = texts(operator, "failed", dry_run=True, complete=False)
    assert shown["verdict"]["title"] == "Dry run: The run stopped after 3 rows; 1 of them failed"
    shown["advice"] |= texts(operator, "failed", dry_run=True)["advice"]
    for name in ("1 failed:", "Run stopped:"):
        assert shown["advice"][name].endswith("then clear the task: it compares all rows again.")


@pytest.mark.parametrize(
    ("operator", "then"),
    [
        ("BulkUpdateCallOperator", "it compares all rows again, and sends what is missing."),
        ("ArchiveRecordingsOperator", "it copies only the missing files."),
        ("DeleteContactsOperator", "it deletes the contacts that are left. With missing_ok=False, "),
        ("SyncContactsOperator", "it compares all rows again, and sends what is missing."),
    ],
)
def test_failed_rows_have_their_cause_in_their_reasons(operator: str, then: str) -> None:
    """It may be a rejection, a contact with two entries, a storage, or a request whose outcome is unknown."""
    advice = texts(operator, "failed")["advice"]["1 failed:"]
    assert advice.startswith("Each row's reason names the cause. Fix it unless it was temporary, then clear")
    assert f"clear the task: {then}" in advice


def test_a_conflict_is_about_do_not_call_marks_or_about_the_storage_setting() -> None:
    assert "do-not-call" in texts("DeleteContactsOperator", "conflict")["advice"]["1 conflict:"]
    assert "storage" in texts("BulkUpdateCallOperator", "conflict")["advice"]["1 conflict:"]


@pytest.mark.parametrize("outcome", ["failed", "invalid"])
def test_rows_of_an_import_are_not_imported_again(outcome: str) -> None:
    advice = texts("ImportContactsOperator", outcome, imports=[IMPORT])["advice"][f"1 {outcome}:"]
    assert "un SyncContactsOperator" in advice
    assert "lear the task" not in advice
    advice = texts("ImportContactsOperator", outcome)["advice"][f"1 {outcome}:"]
    assert "clear the task" in advice
