"""ImportContactsOperator: comparison, the import, and the guards for do-not-call marks."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from contact_runs import Run, no_private_log, phone, row, writes
from full_disk import full_file

from airflow_provider_retell._compat import AirflowFailException, AirflowSkipException
from airflow_provider_retell.api.errors import RetellError, WaitTimeoutError
from airflow_provider_retell.bulk import FailedRows, FileRows
from airflow_provider_retell.bulk.contacts.csv_files import ContactFile
from airflow_provider_retell.bulk.errors import TooFewRowsError
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.common.disk import DiskFullError
from airflow_provider_retell.emulator import Clock, Emulator, Fault
from airflow_provider_retell.operators import ImportContactsOperator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.usefixtures("no_sleep")

__all__ = ["no_private_log"]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Run]:
    return lambda **arguments: Run(ImportContactsOperator, tmp_path / "report.jsonl", **arguments)


def contact(emulator: Emulator, n: int) -> dict[str, Any]:
    found = emulator.contact_of(phone(n))
    assert found is not None
    return found


def test_rows_that_differ_are_imported_with_one_file(emulator: Emulator, run: Any) -> None:
    emulator.add_contacts(map(phone, range(100)), first_name="Ada", custom_fields={"plan": "gold"})
    rows = [row(n, first_name="Ada", plan="gold") for n in range(90)]
    rows += [row(n, first_name='Pr1vate, "B"\nó', plan=None) for n in range(90, 120)]
    done = run(rows=rows, columns=["first_name", "plan"])
    assert done.error is None
    assert done.counts == {"created": 20, "updated": 10, "unchanged": 90}
    assert done.manifest["complete"] is True
    assert contact(emulator, 95)["custom_fields"] == {"plan": "gold"}
    assert contact(emulator, 119)["first_name"] == 'Pr1vate, "B"\nó'
    (job,) = emulator.contact_imports
    assert done.manifest["imports"] == [
        {
            "part": "other",
            "start_timestamp": job["start_timestamp"],
            "rows": 30,
            "succeeded": 30,
            "failed": 0,
            "found": False,
        }
    ]
    assert [line["contact_id"] for line in done.report] == [
        contact(emulator, n)["contact_id"] for n in range(120)
    ]
    again = run(rows=rows, columns=["first_name", "plan"])
    assert (again.counts, again.manifest["imports"]) == ({"unchanged": 120}, [])
    assert writes(emulator) == 2


def test_all_types_of_values_are_compared_as_texts(emulator: Emulator, run: Any) -> None:
    types = {"age": "number", "vip": "boolean", "score": "number", "text": "text"}
    emulator.options.contacts.custom_fields = types
    emulator.add_contact(phone(0), custom_fields={"age": 30, "vip": True, "score": 0.5, "text": "30"})
    rows = [
        row(0, age=30.0, vip="true", score="0.5", text=30),
        row(1, age=31, vip=False, score=1.5, text="x"),
    ]
    for outcomes in ({"created": 1, "unchanged": 1}, {"unchanged": 2}):
        done = run(rows=rows, columns=list(types))
        assert (done.counts, done.error) == (outcomes, None)
    assert contact(emulator, 1)["custom_fields"] == {"age": 31, "vip": False, "score": 1.5, "text": "x"}


@pytest.mark.parametrize("blanks", ["clear", "keep"])
def test_nulls_and_blank_texts_change_nothing(emulator: Emulator, run: Any, blanks: str) -> None:
    emulator.options.contacts.import_blanks = blanks
    before = {"first_name": "Ada", "custom_fields": {"plan": "gold", "other": 1}, "do_not_call": True}
    emulator.add_contact(phone(0), **before)
    rows = [row(0, first_name=" ", last_name="Pr1vate", plan="", out=None), row(1, first_name=None)]
    done = run(
        rows=rows,
        columns=["first_name", "last_name", "plan"],
        do_not_call_column="out",
        max_changed_ratio=1,
    )
    assert (done.counts, done.error) == ({"created": 1, "updated": 1}, None)
    assert contact(emulator, 0).items() >= {**before, "last_name": "Pr1vate"}.items()
    assert "first_name" not in contact(emulator, 1)


def test_a_dry_run_imports_nothing_and_does_not_wait(emulator: Emulator, run: Any) -> None:
    emulator.add_contact(phone(0))
    emulator.add_contact_import(seconds=1e6)
    rows = [row(0, first_name="Ada"), row(1, first_name="Ada")]
    done = run(rows=rows, columns=["first_name"], dry_run="true", max_changed_ratio=1)
    assert (done.counts, done.error) == ({"would_create": 1, "would_update": 1}, None)
    assert (writes(emulator), done.manifest["imports"]) == (0, [])


# -- what keeps everything from being imported


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"phone_number": "4155550100"}, "must be a phone number in E.164 format"),
        ({"phone_number": None}, "phone_number is null"),
        (row(0), "an earlier row has the same phone number: row 1"),
        (row(1, out="maybe"), "out must be true, false, yes, no, 1, 0 or null"),
        (row(1, plan=["Pr1vate"]), "must be text, a number or a boolean"),
    ],
)
def test_an_invalid_row_keeps_everything_from_being_imported(
    emulator: Emulator, run: Any, bad: dict[str, Any], reason: str
) -> None:
    rows = [row(0, plan="x", out=True), {"plan": None, "out": None, **bad}]
    arguments: dict[str, Any] = {"columns": ["plan"], "do_not_call_column": "out"}
    done = run(rows=rows, **arguments)
    assert isinstance(done.error, AirflowFailException)
    assert str(done.error).startswith("Nothing was imported: 1 of 2 rows failed: 1 invalid")
    assert reason in done.reason(2)
    assert (writes(emulator), emulator.contacts) == (0, {})
    done = run(rows=rows, max_failed_rows=1, **arguments)
    assert (done.error, done.counts) == (None, {"created": 1, "invalid": 1})


def test_a_value_of_a_contact_that_a_file_cannot_have_is_not_overwritten(
    emulator: Emulator, run: Any
) -> None:
    emulator.add_contact(phone(0), custom_fields={"plan": ["a", "b"]})
    done = run(rows=[row(0, first_name="Ada", plan=None)], columns=["first_name", "plan"])
    assert "is a list or an object" in done.reason(1)
    assert writes(emulator) == 0
    done = run(rows=[row(0, plan="x")], columns=["plan"], max_changed_ratio=1)
    assert (done.counts, contact(emulator, 0)["custom_fields"]) == ({"updated": 1}, {"plan": "x"})


def test_two_contacts_with_one_number_keep_everything_from_being_imported(
    emulator: Emulator, run: Any
) -> None:
    emulator.add_contact(phone(0))
    emulator.add_contact(phone(1))["phone_number"] = phone(0)
    done = run(rows=[row(0, first_name="Ada")], columns=["first_name"])
    assert "several contacts" in done.reason(1)
    assert (writes(emulator), done.counts) == (0, {"failed": 1})


def test_a_source_that_fails_or_has_no_rows_imports_nothing(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    def rows() -> Any:
        yield row(0)
        raise RuntimeError("the warehouse is down")

    assert "the warehouse is down" in str(run(rows=rows).error)
    assert "on_empty is 'fail'" in str(run(rows=[]).error)
    assert isinstance(run(rows=[], on_empty="skip").error, AirflowSkipException)
    few = run(rows=[row(0)], min_rows=2).error
    assert type(few) is TooFewRowsError
    assert "The source has 1 row, and min_rows is 2. Nothing was sent" in str(few)
    missing = run(rows=[row(0)], columns=["first_name"]).error
    assert "No row has the column first_name" in str(missing)
    (tmp_path / "rows.csv").write_text(f"phone\n{phone(0)}\n")
    assert "no column phone_number" in str(run(rows=FileRows(str(tmp_path / "rows.csv"))).error)
    report = tmp_path / "earlier.jsonl"
    report.write_text("")
    assert "must not be FailedRows" in str(run(rows=FailedRows([row(0)], report_path=str(report))).error)
    assert writes(emulator) == 0


def test_too_many_changed_contacts_keep_everything_from_being_imported(emulator: Emulator, run: Any) -> None:
    emulator.add_contacts(map(phone, range(4)))
    rows = [row(n, first_name="Ada") for n in range(3)]
    done = run(rows=rows, columns=["first_name"])
    assert "3 of 4 contacts would be updated, and max_changed_ratio is 0.5" in str(done.error)
    assert writes(emulator) == 0
    assert run(rows=rows, columns=["first_name"], max_changed_ratio=1).error is None


# -- do not call


@pytest.mark.parametrize(
    "opt_out", [{"first_name": 5, "out": True}, {"first_name": "Bo", "out": "opted out"}]
)
def test_an_opt_out_in_an_invalid_row_keeps_the_mark(
    emulator: Emulator, run: Any, opt_out: dict[str, Any]
) -> None:
    emulator.add_contact(phone(0), do_not_call=True)
    done = run(
        rows=[row(0, first_name=None, out=False), row(0, **opt_out)],
        columns=["first_name"],
        do_not_call_column="out",
        allow_clearing_do_not_call=True,
        max_changed_ratio=1,
        max_failed_rows=1,
    )
    assert "row 1 would clear do_not_call of a contact, and another row" in str(done.error)
    assert (contact(emulator, 0)["do_not_call"], writes(emulator)) == (True, 0)


def test_marks_are_set_in_a_file_of_their_own(emulator: Emulator, run: Any) -> None:
    emulator.add_contacts(map(phone, range(3)), first_name="Ada")
    emulator.edit_contact(contact(emulator, 2)["contact_id"], do_not_call=True)
    rows = [
        row(0, first_name="Bo", out=True),
        row(1, first_name=None, out="t"),
        row(2, first_name="Ada", out=1),
        row(3, first_name="Cy", out=False),
        row(4, first_name="Di", out="yes"),
    ]
    done = run(rows=rows, columns=["first_name"], do_not_call_column="out", max_changed_ratio=1)
    assert (done.counts, done.error) == ({"created": 2, "updated": 2, "unchanged": 1}, None)
    marks = {n: (contact(emulator, n)["first_name"], contact(emulator, n)["do_not_call"]) for n in range(5)}
    assert marks == {0: ("Bo", True), 1: ("Ada", True), 2: ("Ada", True), 3: ("Cy", False), 4: ("Di", True)}
    assert [(each["part"], each["rows"]) for each in done.manifest["imports"]] == [
        ("do_not_call", 3),
        ("other", 1),
    ]
    mapped = [
        [column["field_name"] for column in request.body["column_mapping"]]
        for request in emulator.requests
        if request.route == "create-contact-import"
    ]
    assert mapped == [["phone_number", "do_not_call", "first_name"], ["phone_number", "first_name"]]


def test_a_mark_is_cleared_only_with_permission_and_without_the_import(emulator: Emulator, run: Any) -> None:
    emulator.add_contacts(map(phone, range(4)), do_not_call=True)
    rows = [
        row(0, first_name="Ada", out=False),
        row(1, first_name=None, out="no"),
        row(2, first_name="", out=""),
    ]
    arguments: dict[str, Any] = {
        "rows": rows,
        "columns": ["first_name"],
        "do_not_call_column": "out",
        "max_changed_ratio": 1,
    }
    for dry_run in (False, True):
        done = run(**arguments, dry_run=dry_run)
        assert isinstance(done.error, AirflowFailException)
        assert "2 rows would clear do_not_call of a contact, the first of them row 1" in str(done.error)
    assert writes(emulator) == 0
    done = run(**arguments, allow_clearing_do_not_call=True)
    assert (done.error, done.counts) == (None, {"updated": 2, "unchanged": 1})
    assert [contact(emulator, n)["do_not_call"] for n in range(4)] == [False, False, True, True]
    assert contact(emulator, 0)["first_name"] == "Ada"
    assert (emulator.count("create-contact-import"), emulator.count("update-contact")) == (1, 2)
    assert run(**arguments).counts == {"unchanged": 3}


def test_a_row_does_not_clear_a_mark_that_another_row_sets(emulator: Emulator, run: Any) -> None:
    emulator.add_contact(phone(0), do_not_call=True)
    done = run(
        rows=[row(0, out=False), row(0, out=True)],
        do_not_call_column="out",
        allow_clearing_do_not_call=True,
        max_changed_ratio=1,
        max_failed_rows=5,
    )
    assert "another row with the same phone number sets it" in str(done.error)
    assert writes(emulator) == 0


@pytest.fixture
def meanwhile(emulator: Emulator) -> Iterator[Any]:
    """Run a function at the first wait."""
    actions: list[Any] = []

    def advance(seconds: float) -> None:
        while actions:
            actions.pop()()
        emulator.clock.advance(seconds)

    with no_waiting(advance):
        yield actions.append


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("allowed", [True, False])
def test_a_mark_that_is_set_during_the_import_is_kept(
    emulator: Emulator, run: Any, meanwhile: Any, exists: bool, allowed: bool
) -> None:
    if exists:
        emulator.add_contact(phone(0))

    def mark() -> None:
        found = emulator.contact_of(phone(0)) or emulator.add_contact(phone(0))
        emulator.edit_contact(found["contact_id"], do_not_call=True)

    meanwhile(mark)
    done = run(
        rows=[row(0, first_name="Ada", out=False)],
        columns=["first_name"],
        do_not_call_column="out",
        allow_clearing_do_not_call=allowed,
        max_changed_ratio=1,
    )
    assert contact(emulator, 0).items() >= {"first_name": "Ada", "do_not_call": True}.items()
    assert done.counts == {"failed": 1}
    assert "was marked as do-not-call during the run" in done.reason(1)


def test_marks_that_retell_does_not_understand_fail(emulator: Emulator, run: Any) -> None:
    emulator.options.contacts.import_marks = "digits"
    emulator.add_contact(phone(0))
    done = run(rows=[row(0, out=True)], do_not_call_column="out", max_changed_ratio=1)
    assert isinstance(done.error, AirflowFailException)
    assert "these fields differ from the row: do_not_call" in done.reason(1)


# -- rows that Retell does not import


def test_rows_that_retell_only_counts_are_found_by_comparison(emulator: Emulator, run: Any) -> None:
    emulator.add_contact(phone(0), first_name="Ada")
    emulator.options.contacts.import_failures = {phone(0), phone(2)}
    rows = [row(n, first_name="Bo") for n in range(4)]
    done = run(rows=rows, columns=["first_name"], max_changed_ratio=1)
    assert isinstance(done.error, AirflowFailException)
    assert str(done.error).startswith("2 of 4 rows failed: 2 failed")
    assert "starts no further import. Correct the rows, and run SyncContactsOperator" in str(done.error)
    assert done.counts == {"created": 2, "failed": 2}
    assert done.manifest["imports"][0].items() >= {"rows": 4, "succeeded": 2, "failed": 2}.items()
    assert "these fields differ from the row: first_name. Retell does not give the reason" in done.reason(1)
    assert "the import has not created the contact" in done.reason(3)
    assert emulator.count("list-contacts") == 2
    done = run(rows=rows, columns=["first_name"], max_changed_ratio=1, max_failed_ratio=0.5)
    assert (done.error, done.counts) == (None, {"failed": 2, "unchanged": 2})


def test_failed_rows_of_both_files_are_found_with_one_reading(emulator: Emulator, run: Any) -> None:
    emulator.options.contacts.import_failures = {phone(0), phone(1)}
    rows = [row(n, out=n == 0) for n in range(3)]
    done = run(rows=rows, do_not_call_column="out", max_failed_rows=2)
    assert (done.counts, done.error) == ({"created": 1, "failed": 2}, None)
    assert [each["failed"] for each in done.manifest["imports"]] == [1, 1]
    assert emulator.count("list-contacts") == 2


def test_contacts_that_can_be_read_only_later_are_not_failed(emulator: Emulator, run: Any) -> None:
    emulator.options.contacts.import_read_lag = 15
    done = run(rows=[row(0, first_name="Ada")], columns=["first_name"])
    assert (done.counts, done.error) == ({"created": 1}, None)


# -- the organization's only import


@pytest.mark.parametrize("queued_start", ["kept", "absent", "moved"])
@pytest.mark.parametrize("lag", [0, 5])
@pytest.mark.parametrize("queued", [0, 60])
def test_the_task_waits_for_its_own_import(
    emulator: Emulator, run: Any, queued_start: Any, lag: float, queued: float
) -> None:
    options = emulator.options.contacts
    options.import_start, options.import_lag, options.import_queue_seconds = queued_start, lag, queued
    emulator.add_contact_import([row(9)])
    for n in (0, 1):
        done = run(rows=[row(n, first_name="Ada")], columns=["first_name"])
        assert (done.counts, done.error) == ({"created": 1}, None)
        start, succeeded = emulator.contact_imports[-1]["start_timestamp"], 1
        if queued_start == "moved" and queued:
            # Retell's response had another start time, so the counts could be those of another import.
            start, succeeded = start - queued * 1000, None
        assert (
            done.manifest["imports"][0].items() >= {"start_timestamp": start, "succeeded": succeeded}.items()
        )
    assert len(emulator.contact_imports) == 3


def test_each_of_two_files_is_waited_for_if_start_times_move(emulator: Emulator, run: Any) -> None:
    options = emulator.options.contacts
    options.import_start, options.import_lag, options.import_queue_seconds = "moved", 5, 60
    rows = [row(n, first_name="Ada", out=n == 0) for n in (0, 1)]
    done = run(rows=rows, columns=["first_name"], do_not_call_column="out")
    assert (done.counts, done.error) == ({"created": 2}, None)
    assert len(emulator.contact_imports) == 2


def test_the_task_waits_for_the_import_of_another_client_before_it_compares(
    emulator: Emulator, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    emulator.add_contact_import([row(0, first_name="Ada")], seconds=600)
    done = run(rows=[row(0, first_name="Ada")], columns=["first_name"])
    assert (done.counts, writes(emulator)) == ({"unchanged": 1}, 0)
    assert "Waiting for the organization's contact import to end: running" in caplog.text


def test_the_log_has_no_wait_for_other_imports_if_none_is_running(
    emulator: Emulator, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    emulator.add_contact(phone(0), first_name="Ada")
    assert run(rows=[row(0, first_name="Ada")], columns=["first_name"]).error is None
    assert "the organization's contact import" not in caplog.text


@pytest.mark.parametrize("status", [400, 409, 422])
@pytest.mark.parametrize("lag", [0, 5])
def test_rows_are_compared_again_if_another_import_starts_first(
    emulator: Emulator, run: Any, status: int, lag: float
) -> None:
    emulator.options.contacts.import_busy_status = status
    emulator.options.contacts.import_lag = lag
    rows = [row(0, first_name="Ada"), row(1, first_name="Bo")]

    def source() -> Any:
        yield from rows
        emulator.add_contact_import([row(0, first_name="Ada")])

    done = run(rows=source, columns=["first_name"])
    assert (done.counts, done.error) == ({"created": 2}, None)
    assert done.manifest["imports"][0]["rows"] == 1
    assert (len(emulator.contact_imports), emulator.count("create-contact-import")) == (2, 2)


def test_guards_hold_for_rows_that_are_compared_again(emulator: Emulator, run: Any) -> None:
    def source() -> Any:
        yield row(0, out=False)
        emulator.add_contact_import([row(0, do_not_call="true")])

    done = run(rows=source, do_not_call_column="out", max_changed_ratio=1)
    assert "1 row would clear do_not_call of a contact" in str(done.error)
    assert contact(emulator, 0)["do_not_call"] is True
    assert len(emulator.contact_imports) == 1


@pytest.mark.parametrize("marks_meanwhile", [True, False])
def test_an_error_after_the_first_file_names_the_rows_that_were_imported(
    emulator: Emulator, run: Any, caplog: pytest.LogCaptureFixture, meanwhile: Any, marks_meanwhile: bool
) -> None:
    other = emulator.add_contact(phone(1))
    emulator.faults.add(Fault.status(409), route="create-contact-import", after=1, times=0)
    if marks_meanwhile:
        meanwhile(lambda: emulator.edit_contact(other["contact_id"], do_not_call=True))
    done = run(
        rows=[row(0, out=True, first_name="Ada"), row(1, out=False, first_name="Bo")],
        columns=["first_name"],
        do_not_call_column="out",
        max_changed_ratio=1,
    )
    reason = "would clear do_not_call" if marks_meanwhile else "started an import before this task, 5 times"
    assert reason in str(done.error)
    assert "Only the rows that set do_not_call were imported" in str(done.error)
    assert (done.manifest["complete"], done.manifest["rows"], len(done.manifest["imports"])) == (False, 0, 1)
    assert isinstance(done.error, AirflowFailException) is marks_meanwhile
    assert "othing was" not in str(done.error) + caplog.text
    assert contact(emulator, 0)["do_not_call"] is True
    assert "first_name" not in contact(emulator, 1) or contact(emulator, 1)["first_name"] != "Bo"


def test_the_task_gives_up_if_others_are_always_faster(emulator: Emulator, run: Any) -> None:
    emulator.faults.add(Fault.status(409), route="create-contact-import", times=0)
    done = run(rows=[row(0)])
    assert isinstance(done.error, RetellError)
    assert "Other clients started an import before this task, 5 times. Nothing was imported" in str(
        done.error
    )
    assert emulator.contacts == {}


def test_a_wait_that_takes_too_long_fails(emulator: Emulator, run: Any) -> None:
    emulator.add_contact_import(seconds=1e6)
    done = run(rows=[row(0)], wait_timeout=60)
    assert isinstance(done.error, WaitTimeoutError)
    assert "waiting for the organization's contact import to end. Last state: running" in str(done.error)
    assert writes(emulator) == 0


def test_failed_polls_are_tolerated(emulator: Emulator, run: Any) -> None:
    emulator.faults.add(Fault.status(500), route="get-contact-import", times=7)
    assert run(rows=[row(0)]).counts == {"created": 1}
    emulator.faults.add(Fault.status(500), route="get-contact-import", times=0)
    done = run(rows=[row(1)], max_poll_failures=1)
    assert "Stopped waiting for the organization's contact import to end (2 polls in a row failed)" in str(
        done.error
    )


def test_only_failed_polls_in_a_row_count(emulator: Emulator, run: Any) -> None:
    for after in (1, 2):
        emulator.faults.add(Fault.status(500), route="get-contact-import", times=2, after=after)
    done = run(rows=[row(0)], max_poll_failures=1)
    assert (done.counts, done.error) == ({"created": 1}, None)
    assert emulator.count("get-contact-import", status=500) == 4


def test_the_counts_of_an_import_that_a_later_one_hides_are_unknown(
    emulator: Emulator, run: Any, meanwhile: Any
) -> None:
    def replace() -> None:
        emulator.clock.advance(100)
        emulator.add_contact_import(seconds=0)

    meanwhile(replace)
    done = run(rows=[row(0)])
    assert (done.counts, done.error) == ({"created": 1}, None)
    first = emulator.contact_imports[0]["start_timestamp"]
    assert done.manifest["imports"][0].items() >= {"start_timestamp": first, "succeeded": None}.items()


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"columns": ["do_not_call"]}, "set do_not_call_column"),
        ({"columns": {"a": "first_name"}, "do_not_call_column": "a"}, "a column must have one meaning"),
        ({"max_changed_ratio": 2}, "max_changed_ratio"),
        ({"poll_interval": 0}, "poll_interval"),
        ({"max_poll_failures": -1}, "max_poll_failures"),
        ({"on_clear": "again"}, "on_clear"),
        ({"allow_clearing_do_not_call": "yes"}, "allow_clearing_do_not_call"),
    ],
)
def test_invalid_parameters_are_errors_of_the_dag_file(arguments: dict[str, Any], fault: str) -> None:
    with pytest.raises((ValueError, TypeError), match=fault):
        ImportContactsOperator(task_id="a_task", rows=[], **arguments)


@pytest.mark.slow
def test_many_rows_are_imported_with_few_requests(connect: Any, run: Any) -> None:
    with Emulator(clock=Clock(frozen=True), quotas=None) as emulator, no_waiting(emulator.clock.advance):
        connect(emulator)
        emulator.add_contacts(map(phone, range(1_000)), first_name="Ada")
        rows = [row(n, first_name="Ada" if n % 5 else "Bo") for n in range(2_000)]
        done = run(rows=rows, columns=["first_name"])
        assert done.counts == {"created": 1_000, "updated": 200, "unchanged": 800}
        assert (writes(emulator), emulator.count("list-contacts")) == (2, 3)


def test_a_full_disk_names_the_folder_for_temporary_files(mocker: Any) -> None:
    mocker.patch.object(tempfile, "TemporaryFile", full_file)
    with pytest.raises(DiskFullError, match=f"{tempfile.gettempdir()}: No space left on device"):
        ContactFile(["first_name"], [("+14155550123", {"first_name": "Ada"})])
