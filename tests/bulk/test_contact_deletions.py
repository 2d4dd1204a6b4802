"""DeleteContactsOperator: deletion by phone number."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
import tasks
from contact_runs import listing, no_private_log, outcomes_of, phone, row

from airflow_provider_retell.bulk import FileRows
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators import DeleteContactsOperator

__all__ = ["no_private_log"]


run = functools.partial(outcomes_of, DeleteContactsOperator)


def test_contacts_of_the_rows_are_deleted(
    emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    emulator.add_contacts(map(phone, range(5)))
    first = next(iter(emulator.contacts))
    rows = [row(n) for n in (0, 3, 9)]
    counts, lines, error = run(tmp_path, rows=rows)
    assert (counts, error) == ({"deleted": 2, "not_found": 1}, None)
    assert [contact["phone_number"] for contact in emulator.contacts.values()] == [
        phone(1),
        phone(2),
        phone(4),
    ]
    assert [line["contact_id"] for line in lines][::2] == [first, None]
    assert lines[2]["reason"] == "no contact has the phone number"
    assert "%2B" not in caplog.text


def test_a_dry_run_deletes_nothing(
    emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    contact = emulator.add_contact(phone(1))
    counts, _, error = run(tmp_path, rows=[row(1)], dry_run="true")
    assert (counts, error, len(emulator.contacts)) == ({"would_delete": 1}, None, 1)
    assert f"Would delete contact {contact['contact_id']}: the whole contact" in caplog.text


def test_a_missing_contact_fails_if_asked(emulator: Emulator, tmp_path: Path) -> None:
    _, _, error = run(tmp_path, rows=[row(1)], missing_ok=False)
    assert "1 not_found" in str(error)


def test_a_marked_contact_is_deleted_only_with_permission(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_contact(phone(1), do_not_call=True)
    emulator.add_contact(phone(2))
    rows = [row(1), row(2)]
    counts, lines, error = run(tmp_path, rows=rows)
    assert (counts, len(emulator.contacts)) == ({"deleted": 1, "conflict": 1}, 1)
    assert "the mark would be deleted with it" in lines[0]["reason"]
    assert error is not None
    counts, _, error = run(tmp_path, rows=rows[:1], allow_deleting_do_not_call=True)
    assert (counts, error, emulator.contacts) == ({"deleted": 1}, None, {})


def test_a_source_that_breaks_or_lacks_the_column_deletes_nothing(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_contact(phone(1))

    def rows() -> Any:
        yield row(1)
        raise RuntimeError("the warehouse is down")

    assert "the warehouse is down" in str(run(tmp_path, rows=rows)[2])
    (tmp_path / "rows.csv").write_text(f"phone\n{phone(1)}\n")
    assert "no column phone_number" in str(run(tmp_path, rows=FileRows(str(tmp_path / "rows.csv")))[2])
    assert (emulator.count("delete-contact"), len(emulator.contacts)) == (0, 1)


def test_a_retry_after_a_lost_response_succeeds(emulator: Emulator, tmp_path: Path, no_sleep: object) -> None:
    emulator.add_contacts([phone(1), phone(2)])
    emulator.faults.add(Fault.drop_after(), route="delete-contact", times=1)
    rows = [row(1), row(2)]
    counts, _, error = run(tmp_path, rows=rows)
    assert (counts, error, emulator.contacts) == ({"deleted": 2}, None, {})


def test_a_second_try_counts_deleted_contacts_once(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_contacts([phone(1), phone(2)])
    emulator.faults.add(Fault.status(400), route="delete-contact", times=1)
    rows, ti = [row(1), row(2)], tasks.Ti()
    assert run(tmp_path, ti=ti, rows=rows)[0] == {"deleted": 1, "failed": 1}
    ti.try_number += 1
    assert run(tmp_path, ti=ti, rows=rows)[0] == {"deleted": 1, "not_found": 1}
    task_run = ti.xcom["manifest"]["task_run"]
    assert (task_run["rows"], task_run["deleted"], task_run["not_found"]) == (2, 2, 0)


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_refusal_is_not_taken_for_a_missing_contact(
    emulator: Emulator, tmp_path: Path, status: int
) -> None:
    emulator.options.contacts.synced = True
    contact = emulator.add_contact(phone(1), external_id="crm_1")
    counts, lines, _ = run(tmp_path, rows=[row(1)])
    assert (counts, len(emulator.contacts)) == ({"failed": 1}, 1)
    assert "two-way sync is active" in lines[0]["reason"]
    emulator.faults.add(Fault.status(status), route="delete-contact", times=0)
    counts, lines, _ = run(tmp_path, rows=[row(1)])
    assert counts == {"failed": 1}
    assert lines[-1]["reason"].startswith(f"contact {contact['contact_id']} still exists: Retell refused")


def test_a_refusal_that_quotes_the_contact_is_masked(emulator: Emulator, tmp_path: Path) -> None:
    fields = {"first_name": "Pr1vate", "last_name": "Bo", "custom_fields": {"plan": "Pr1vate gold", "n": 7}}
    emulator.add_contact(phone(1), **fields)
    body = {"message": f"Contact Pr1vate Bo (gold, {phone(1)}) is linked to a CRM record"}
    emulator.faults.add(Fault.status(400, body=body), route="delete-contact", times=0)
    counts, lines, _ = run(tmp_path, rows=[row(1)])
    assert counts == {"failed": 1}
    assert "Contact *** *** (***, ***) is linked to a CRM record" in lines[0]["reason"]


def test_a_listing_that_ignores_its_filter_deletes_nothing(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_contact(phone(2))
    page = listing(*emulator.contacts.values())
    emulator.faults.add(Fault.status(200, body=page), route="list-contacts")
    counts, lines, _ = run(tmp_path, rows=[row(1)])
    assert (counts, len(emulator.contacts)) == ({"failed": 1}, 1)
    assert "does not filter by phone number" in lines[0]["reason"]
