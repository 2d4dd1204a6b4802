"""SyncContactsOperator: comparison, creation, and the guards for do-not-call marks."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import pytest
import tasks
from broken_server import change_items, change_json
from contact_runs import has_phone_number, listing, no_private_log, outcomes_of, phone, row, writes

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.bulk import FailedRows, FileRows
from airflow_provider_retell.bulk.errors import RowsFailedError
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators import SyncContactsOperator

__all__ = ["no_private_log"]


run = functools.partial(outcomes_of, SyncContactsOperator)


def test_an_id_with_the_digits_of_a_number_is_not_taken_for_one(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_contact(phone(1), contact_id="contact_a4155550001")
    counts, lines, _ = run(tmp_path, rows=[row(1)])
    assert (counts, lines[0]["contact_id"]) == ({"unchanged": 1}, "contact_a4155550001")
    assert has_phone_number(f"call {phone(1)}, 4155550001")


def test_only_contacts_that_differ_are_written(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_contacts(map(phone, range(1050)), custom_fields={"plan": "gold"})
    rows = [row(n, plan="gold" if n % 50 else "silver") for n in range(1050)]
    counts, lines, error = run(tmp_path, rows=rows, columns=["plan"])
    assert (counts, error) == ({"updated": 21, "unchanged": 1029}, None)
    assert (emulator.count("list-contacts"), writes(emulator)) == (2, 21)
    assert sum(contact["custom_fields"] == {"plan": "silver"} for contact in emulator.contacts.values()) == 21
    assert lines[0] == {
        "row": 1,
        "contact_id": next(iter(emulator.contacts)),
        "outcome": "updated",
        "reason": "",
        "changed": ["custom_fields.plan"],
        **{name: lines[0][name] for name in ("task_run", "try")},
    }
    assert run(tmp_path, rows=rows, columns=["plan"])[0] == {"unchanged": 1050}
    assert writes(emulator) == 21


def test_contacts_are_created_with_all_fields(emulator: Emulator, tmp_path: Path) -> None:
    emulator.options.contacts.tags = {"tag_vip": "VIP", "tag_old": "Old"}
    row = {
        "n": phone(1),
        "first": " Pr1vate ",
        "last": "",
        "plan": None,
        "age": 30,
        "dnc": "t",
        "vip": 1,
        "old": "no",
    }
    arguments: dict[str, Any] = {
        "rows": [row],
        "phone_number_column": "n",
        "columns": {"first": "first_name", "last": "last_name", "plan": "plan", "age": "age"},
        "do_not_call_column": "dnc",
        "tag_columns": {"vip": "tag_vip", "old": "tag_old"},
    }
    counts, lines, _ = run(tmp_path, "dry.jsonl", dry_run=True, **arguments)
    assert (counts, writes(emulator)) == ({"would_create": 1}, 0)
    counts, lines, error = run(tmp_path, **arguments)
    assert (counts, error) == ({"created": 1}, None)
    contact = emulator.contact_of(phone(1))
    assert contact is not None
    expected = {
        "contact_id": lines[0]["contact_id"],
        "first_name": "Pr1vate",
        "do_not_call": True,
        "custom_fields": {"age": 30},
        "contact_tag_ids": ["tag_vip"],
    }
    assert {name: contact[name] for name in expected} == expected
    assert "last_name" not in contact
    assert run(tmp_path, **arguments)[0] == {"unchanged": 1}


def test_other_tags_and_custom_fields_are_kept(emulator: Emulator, tmp_path: Path) -> None:
    emulator.options.contacts.tags = {"a": "A", "b": "B", "c": "C"}
    emulator.add_contact(
        phone(1), custom_fields={"plan": "gold", "other": 1}, contact_tag_ids=["a", "b"], do_not_call=True
    )
    emulator.add_contact(phone(2))
    rows = [row(1, plan=None, b="false", c=True)]
    counts, lines, _ = run(tmp_path, rows=rows, columns=["plan"], tag_columns=["b", "c"])
    contact = emulator.contact_of(phone(1))
    assert contact is not None
    assert (counts, contact["contact_tag_ids"]) == ({"updated": 1}, ["a", "c"])
    assert lines[0]["changed"] == ["tags.b", "tags.c"]
    counts, lines, _ = run(
        tmp_path, "next.jsonl", rows=rows, columns=["plan"], tag_columns=["b", "c"], nulls="write"
    )
    assert (counts, lines[0]["changed"]) == ({"updated": 1}, ["custom_fields.plan"])
    assert contact["custom_fields"] == {"other": 1}
    assert contact["do_not_call"] is True


SEMANTICS = pytest.mark.parametrize("semantics", ["merge", "replace"])


@SEMANTICS
@pytest.mark.parametrize("others", [{}, {"other": 1, "flag": False}], ids=str)
def test_all_custom_fields_of_a_contact_are_kept(
    emulator: Emulator, tmp_path: Path, semantics: Any, others: dict[str, Any]
) -> None:
    emulator.options.contacts.custom_fields_semantics = semantics
    contact = emulator.add_contact(phone(1), custom_fields={"plan": "gold", "age": 30, "note": "x", **others})
    rows = [row(1, plan="silver", age=30, note=None)]
    columns = ["plan", "age", "note"]
    counts, lines, error = run(tmp_path, rows=rows, columns=columns, max_changed_ratio=1)
    assert (counts, error) == ({"updated": 1}, None)
    assert lines[0]["changed"] == ["custom_fields.plan"]
    assert contact["custom_fields"] == {"plan": "silver", "age": 30, "note": "x", **others}
    run(tmp_path, "next.jsonl", rows=rows, columns=columns, nulls="write", max_changed_ratio=1)
    assert contact["custom_fields"] == {"plan": "silver", "age": 30, **others}
    assert run(tmp_path, "last.jsonl", rows=rows, columns=columns, nulls="write")[0] == {"unchanged": 1}


def test_only_contacts_with_other_custom_fields_are_read_again(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_contact(phone(1), custom_fields={"plan": "gold"})
    emulator.add_contact(phone(2), custom_fields={"plan": "gold", "other": 1})
    rows = [row(n, plan="silver") for n in (1, 2, 3)]
    assert run(tmp_path, rows=rows, columns=["plan"], max_changed_ratio=1)[0] == {"created": 1, "updated": 2}
    assert emulator.count("get-contact") == 1
    rows = [row(n, first_name="Ann") for n in (1, 2, 3)]
    assert run(tmp_path, rows=rows, columns=["first_name"], max_changed_ratio=1)[0] == {"updated": 3}
    assert emulator.count("get-contact") == 1


@SEMANTICS
def test_custom_fields_that_others_change_during_the_run_are_kept(
    emulator: Emulator, tmp_path: Path, semantics: Any
) -> None:
    emulator.options.contacts.custom_fields_semantics = semantics
    contact = emulator.add_contact(phone(1), custom_fields={"plan": "gold", "other": "new"})
    change_items(
        lambda items, _: [item["custom_fields"].update(other="old") for item in items], "list-contacts"
    )(emulator)
    rows = [row(1, plan="silver")]
    assert run(tmp_path, rows=rows, columns=["plan"], max_changed_ratio=1)[0] == {"updated": 1}
    assert contact["custom_fields"] == {"plan": "silver", "other": "new"}


def test_a_row_whose_contact_lost_another_custom_field_fails(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_contact(phone(1), custom_fields={"plan": "gold", "other": "pr1vate"})
    change_json("update-contact", lambda contact, _: contact["custom_fields"].pop("other") and None)(emulator)
    rows = [row(1, plan="silver")]
    counts, lines, _ = run(tmp_path, rows=rows, columns=["plan"], max_changed_ratio=1)
    assert counts == {"failed": 1}
    assert "differ from the values sent: custom_fields.other. " in lines[0]["reason"]


@pytest.mark.parametrize("value", [10**400, "half \ud83d"], ids=["large", "surrogate"])
def test_a_custom_field_that_cannot_be_sent_back_fails_the_row(
    emulator: Emulator, tmp_path: Path, value: Any
) -> None:
    emulator.add_contact(phone(1), custom_fields={"plan": "gold", "other": value})
    rows = [row(1, plan="silver")]
    counts, lines, _ = run(tmp_path, rows=rows, columns=["plan"], max_changed_ratio=1)
    assert (counts, writes(emulator)) == ({"failed": 1}, 0)
    assert lines[0]["reason"].startswith("the contact's custom fields have ")


@pytest.mark.parametrize("nulls", ["skip", "write"])
@pytest.mark.parametrize("value", [None, float("nan"), "", " "])
def test_blank_names_change_nothing(emulator: Emulator, tmp_path: Path, value: Any, nulls: str) -> None:
    contact = emulator.add_contact(phone(1), first_name="Ann")
    rows = [row(1, first_name=value)]
    counts, _, error = run(tmp_path, rows=rows, columns=["first_name"], nulls=nulls)
    assert (counts, error, contact["first_name"]) == ({"unchanged": 1}, None, "Ann")


@pytest.mark.parametrize(
    ("value", "reason"),
    [(5, "name must be text, not int"), ("\ud800", "name is text with half of a surrogate pair")],
)
def test_invalid_names_are_reported_with_their_column(
    emulator: Emulator, tmp_path: Path, value: Any, reason: str
) -> None:
    rows = [row(1, name=value)]
    counts, lines, _ = run(tmp_path, rows=rows, columns={"name": "first_name"})
    assert counts == {"invalid": 1}
    assert lines[0]["reason"].startswith(reason)


def test_a_mark_is_set(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_contacts([phone(1), phone(2)])
    rows = [row(1, out=True), row(3, out="true")]
    counts, lines, error = run(tmp_path, rows=rows, do_not_call_column="out")
    assert (counts, error) == ({"created": 1, "updated": 1}, None)
    assert [line["changed"] for line in lines] == [["do_not_call"]] * 2
    marked = [contact["phone_number"] for contact in emulator.contacts.values() if contact["do_not_call"]]
    assert marked == [phone(1), phone(3)]


def test_the_log_has_the_numbers_of_marks_to_set_and_to_clear(
    emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    emulator.add_contacts([phone(1), phone(2)], do_not_call=True)
    emulator.add_contact(phone(3))
    rows = [row(n, plan="gold", out=n != 1) for n in (1, 2, 3, 4)]
    run(
        tmp_path,
        rows=rows,
        columns=["plan"],
        do_not_call_column="out",
        allow_clearing_do_not_call=True,
        max_changed_ratio=1,
    )
    # The contact of row 2 is marked already.
    assert "do_not_call: 2 contacts to mark, 1 to clear" in caplog.messages


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("value", [False, 0, "0", "false", "F", " no "])
def test_a_run_that_would_clear_one_mark_writes_nothing(
    emulator: Emulator, tmp_path: Path, value: Any, dry_run: bool
) -> None:
    emulator.add_contact(phone(1), do_not_call=True)
    emulator.add_contacts(map(phone, range(2, 9)))
    rows = [row(n, out=value if n == 1 else True) for n in (9, 2, 1)]
    _, lines, error = run(tmp_path, rows=rows, do_not_call_column="out", dry_run=dry_run)
    assert isinstance(error, AirflowFailException)
    assert str(error).startswith("1 row would clear do_not_call of a contact, the first of them row 3.")
    assert str(error).endswith("Nothing was sent")
    assert (writes(emulator), lines) == (0, [])


def test_a_mark_is_cleared_with_permission(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_contact(phone(1), do_not_call=True)
    rows = [row(1, out=False)]
    arguments: dict[str, Any] = {"do_not_call_column": "out", "max_changed_ratio": 1}
    counts, _, error = run(tmp_path, rows=rows, allow_clearing_do_not_call=True, **arguments)
    assert (counts, error) == ({"updated": 1}, None)
    assert [contact["do_not_call"] for contact in emulator.contacts.values()] == [False]


def test_a_mark_is_not_cleared_if_another_row_of_the_number_sets_it(
    emulator: Emulator, tmp_path: Path
) -> None:
    emulator.add_contact(phone(1), do_not_call=True)
    rows = [row(1, out=out) for out in (False, True)]
    _, lines, error = run(
        tmp_path,
        rows=rows,
        do_not_call_column="out",
        allow_clearing_do_not_call=True,
        max_changed_ratio=1,
        max_failed_rows=1,
    )
    assert "row 1 would clear do_not_call of a contact, and another row" in str(error)
    assert writes(emulator) == 0
    assert [line["outcome"] for line in lines] == ["invalid"]


@pytest.mark.parametrize("allow", [False, True])
@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (None, "unchanged"),
        ("", "unchanged"),
        (" ", "unchanged"),
        (float("nan"), "unchanged"),
        ("maybe", "invalid"),
        ("None", "invalid"),
        (2, "invalid"),
        ([], "invalid"),
    ],
)
def test_a_value_that_is_no_boolean_never_clears_a_mark(
    emulator: Emulator, tmp_path: Path, value: Any, outcome: str, allow: bool
) -> None:
    contact = emulator.add_contact(phone(1), do_not_call=True)
    rows = [row(1, out=value)]
    counts, lines, error = run(
        tmp_path, rows=rows, do_not_call_column="out", allow_clearing_do_not_call=allow
    )
    assert (counts, contact["do_not_call"], writes(emulator)) == ({outcome: 1}, True, 0)
    assert lines[0]["contact_id"] == contact["contact_id"]
    assert (error is None) == (outcome == "unchanged")
    assert error is None or lines[0]["reason"].startswith("out must be true, false, yes, no, 1, 0 or null")


def test_a_contact_without_a_row_keeps_its_mark(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_contact(phone(1), do_not_call=True)
    counts, _, error = run(
        tmp_path,
        rows=[row(2, out=False)],
        do_not_call_column="out",
        allow_clearing_do_not_call=True,
    )
    assert (counts, error) == ({"created": 1}, None)
    assert [contact["do_not_call"] for contact in emulator.contacts.values()] == [True, False]


def test_a_source_that_is_empty_fails(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_contact(phone(1), do_not_call=True)
    _, _, error = run(tmp_path, rows=[], do_not_call_column="out")
    assert isinstance(error, RowsFailedError)
    assert run(tmp_path, rows=[], do_not_call_column="out", on_empty="success")[2] is None
    assert writes(emulator) == 0


@pytest.mark.parametrize("source", ["csv", "list", "failing"])
def test_a_source_that_lost_its_column_or_breaks_changes_nothing(
    emulator: Emulator, tmp_path: Path, source: str
) -> None:
    emulator.add_contacts([phone(1), phone(2), phone(3)])
    rows: Any = [row(1, plan="gold")]
    if source == "csv":
        (tmp_path / "rows.csv").write_text(f"phone_number,plan\n{phone(1)},gold\n")
        rows = FileRows(str(tmp_path / "rows.csv"))
    elif source == "failing":

        def rows() -> Any:
            yield row(1, plan="gold", out=True)
            raise RuntimeError("the warehouse is down")

    _, _, error = run(tmp_path, rows=rows, columns=["plan"], do_not_call_column="out")
    assert ("the warehouse is down" if source == "failing" else "column out") in str(error)
    assert writes(emulator) == 0


def test_too_many_updates_write_nothing_and_new_contacts_do_not_count(
    emulator: Emulator, tmp_path: Path
) -> None:
    emulator.add_contacts(map(phone, range(4)))
    rows = [row(n, plan="gold") for n in (*range(3), *range(10, 30))]
    _, _, error = run(tmp_path, rows=rows, columns=["plan"])
    assert isinstance(error, AirflowFailException)
    assert "3 of 4 contacts would be updated, and max_changed_ratio is 0.5" in str(error)
    assert writes(emulator) == 0
    counts, _, error = run(tmp_path, rows=rows[1:], columns=["plan"])
    assert (counts, error) == ({"created": 20, "updated": 2}, None)


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (
            {"max_changed_ratio": 0.25},
            (
                "max_changed_ratio=0.25 refused the run: 4 changes planned, and nothing was sent. Check the source, or "
                "raise max_changed_ratio"
            ),
        ),
        (
            {"do_not_call_column": "out", "max_changed_ratio": 1},
            (
                "allow_clearing_do_not_call=False refused the run: 4 changes planned, and nothing was sent. Check that "
                "the source has all opt-outs, and set allow_clearing_do_not_call=True if the contacts may be called "
                "again"
            ),
        ),
        (
            {"min_rows": 8},
            "min_rows refused the run: 4 changes planned, and nothing was sent. Check the source",
        ),
    ],
)
def test_the_summary_of_a_refused_run_counts_all_rows_and_names_the_guard(
    emulator: Emulator,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    arguments: dict[str, Any],
    refusal: str,
    dry_run: bool,
) -> None:
    emulator.add_contacts(map(phone, range(5)), custom_fields={"plan": "gold"}, do_not_call=True)
    rows = [row(n, plan="gold" if n < 2 else "silver", out=n != 2) for n in range(6)]
    rows.append({"phone_number": "555", "plan": "gold", "out": True})
    counts, _, error = run(tmp_path, rows=rows, columns=["plan"], dry_run=dry_run, **arguments)
    assert (counts, writes(emulator)) == ({"unchanged": 2, "invalid": 1}, 0)
    assert error is not None
    [total] = [line for line in caplog.messages if line.startswith("Total:")]
    assert re.match(
        r"Total: 7 rows in [\d.e-]+ s \(1 invalid, 2 unchanged, 4 planned\), [\d.,]+ rows/s, 1 ", total
    )
    [warning] = [record for record in caplog.records if "refused the run" in record.message]
    assert (warning.levelname, warning.message) == ("WARNING", refusal)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("415 555 0001", "has characters other than '+' and digits"),
        ("4155550001", "has no '+'"),
        (14155550001, "is a number, which has no '+'"),
        (None, "phone_number is null"),
        ("+04155550001", "has no country code"),
    ],
)
def test_numbers_must_be_in_e164_format(emulator: Emulator, tmp_path: Path, number: Any, reason: str) -> None:
    counts, lines, error = run(tmp_path, rows=[{"phone_number": number}])
    assert (counts, lines[0]["contact_id"], writes(emulator)) == ({"invalid": 1}, None, 0)
    assert reason in lines[0]["reason"]
    assert "1 invalid" in str(error)


def test_a_second_row_of_a_number_is_invalid(emulator: Emulator, tmp_path: Path) -> None:
    contact = emulator.add_contact(phone(1))
    counts, lines, _ = run(tmp_path, rows=[row(1)] * 2)
    assert counts == {"unchanged": 1, "invalid": 1}
    assert lines[1]["reason"] == "an earlier row has the same phone number: row 1"
    assert lines[1]["contact_id"] == contact["contact_id"]


def test_pages_shrink_until_retell_accepts_them(emulator: Emulator, tmp_path: Path) -> None:
    emulator.options.contacts.max_page = 100
    emulator.add_contacts(map(phone, range(130)))
    counts, _, error = run(tmp_path, rows=[row(n) for n in range(130)])
    assert (counts, error) == ({"unchanged": 130}, None)
    # 1000, 500, 250 and 125 are rejected, and then three pages of 62.
    assert emulator.count("list-contacts") == 4 + 3


class Late:
    """Rows that add contacts to Retell after the run has read all contacts."""

    def __init__(self, emulator: Emulator, **fields: Any) -> None:
        self._emulator, self._fields = emulator, fields

    def __call__(self) -> Any:
        self._emulator.add_contact(phone(1), **self._fields)
        yield row(1, plan="gold", out=False)


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_number_that_exists_already_is_updated(emulator: Emulator, tmp_path: Path, status: int) -> None:
    emulator.options.contacts.existing_status = status
    rows = Late(emulator, custom_fields={"plan": "silver"})
    counts, lines, error = run(
        tmp_path, rows=rows, columns=["plan"], do_not_call_column="out", max_changed_ratio=1
    )
    assert (counts, error) == ({"updated": 1}, None)
    assert lines[0]["contact_id"] in emulator.contacts
    assert emulator.contacts[lines[0]["contact_id"]]["custom_fields"] == {"plan": "gold"}
    assert emulator.count("create-contact") == 1


def test_a_contact_of_the_last_second_that_is_equal_is_unchanged(emulator: Emulator, tmp_path: Path) -> None:
    rows = Late(emulator, custom_fields={"plan": "gold"})
    counts, lines, _ = run(tmp_path, rows=rows, columns=["plan"], do_not_call_column="out")
    assert (counts, lines[0]["changed"], emulator.count("update-contact")) == ({"unchanged": 1}, [], 0)


def test_a_mark_of_the_last_second_is_not_cleared(emulator: Emulator, tmp_path: Path) -> None:
    rows = Late(emulator, do_not_call=True)
    counts, lines, _ = run(tmp_path, rows=rows, columns=["plan"], do_not_call_column="out")
    assert (counts, emulator.count("update-contact")) == ({"failed": 1}, 0)
    assert "is marked as do-not-call" in lines[0]["reason"]
    assert "with the number" not in lines[0]["reason"]


def test_a_rejection_without_such_a_contact_fails_the_row(emulator: Emulator, tmp_path: Path) -> None:
    emulator.options.contacts.custom_fields = ["plan"]
    rows = [row(1, tier="Pr1vate")]
    counts, lines, _ = run(tmp_path, rows=rows, columns=["tier"])
    assert counts == {"failed": 1}
    assert lines[0]["reason"].startswith("create-contact: Retell answered 400")


def test_a_value_that_retell_drops_fails_the_row(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_contact(phone(1))
    counts, lines, _ = run(
        tmp_path,
        rows=[row(1, t=True)],
        tag_columns={"t": "tag_x"},
        max_changed_ratio=1,
    )
    assert counts == {"failed": 1}
    assert (
        "differ from the values sent: tags.tag_x. Custom fields and tags must be defined"
        in lines[0]["reason"]
    )


@pytest.mark.parametrize("fields", [{"first_name": ["Pr1vate"]}, {"custom_fields": "Pr1vate"}])
def test_a_malformed_contact_fails_only_its_row(
    emulator: Emulator, tmp_path: Path, fields: dict[str, Any]
) -> None:
    contacts = [{**emulator.add_contact(phone(1)), **fields}, emulator.add_contact(phone(2))]
    page = listing(*contacts, total=2)
    emulator.faults.add(Fault.status(200, body=page), route="list-contacts")
    rows = [row(1), row(2)]
    counts, lines, _ = run(tmp_path, rows=rows)
    assert counts == {"unchanged": 1, "failed": 1}
    assert "the contact could not be read" in lines[0]["reason"]


def test_two_contacts_with_the_same_number_are_not_changed(emulator: Emulator, tmp_path: Path) -> None:
    contact = emulator.add_contact(phone(1))
    others = [{**contact, "contact_id": name, "do_not_call": True} for name in ("contact_a", "contact_b")]
    page = listing(contact, *others, total=3)
    emulator.faults.add(Fault.status(200, body=page), route="list-contacts")
    rows = [row(1, out=False)]
    counts, lines, _ = run(
        tmp_path, rows=rows, do_not_call_column="out", allow_clearing_do_not_call=True, max_changed_ratio=1
    )
    assert (counts, writes(emulator)) == ({"failed": 1}, 0)
    assert "Retell has several contacts with the phone number" in lines[0]["reason"]


def test_a_lost_response_to_a_creation_is_resolved_by_a_retry(emulator: Emulator, tmp_path: Path) -> None:
    emulator.faults.add(Fault.drop_after(), route="create-contact", times=1)
    rows = [row(1)]
    counts, _, _ = run(tmp_path, rows=rows)
    assert (counts, emulator.count("create-contact"), len(emulator.contacts)) == ({"failed": 1}, 1, 1)
    assert run(tmp_path, rows=rows)[0] == {"unchanged": 1}


def test_failed_rows_are_rejected(emulator: Emulator, tmp_path: Path) -> None:
    task = SyncContactsOperator(task_id="sync", rows=FailedRows([], report_path=str(tmp_path / "a.jsonl")))
    with pytest.raises(AirflowFailException, match="rows must not be FailedRows"):
        task.execute({"ti": tasks.Ti()})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"columns": {"a": "do_not_call"}},
            "columns must not have the field do_not_call: set do_not_call_column",
        ),
        ({"columns": ["phone_number"]}, "set phone_number_column"),
        ({"columns": ["a"], "tag_columns": ["a"]}, "these have several: a"),
        ({"max_changed_ratio": 1.5}, "max_changed_ratio must be"),
        ({"nulls": "remove"}, "nulls must be"),
    ],
)
def test_invalid_arguments_are_rejected_in_the_dag_file(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SyncContactsOperator(task_id="sync", rows=[], **arguments)


def test_permission_must_be_a_literal() -> None:
    with pytest.raises(TypeError, match="allow_clearing_do_not_call must be"):
        SyncContactsOperator(task_id="sync", rows=[], allow_clearing_do_not_call="{{ params.clear }}")  # type: ignore[arg-type]


def test_the_log_names_the_columns_that_the_task_does_not_use(
    emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [row(1, first="Pr1vate", opted_out=True, **{"555-1": 1})]
    counts, _, error = run(tmp_path, rows=rows, columns={"first": "first_name"})
    assert (counts, error) == ({"created": 1}, None)
    assert "The task uses no column opted_out, column 4" in caplog.messages


@pytest.mark.parametrize("others", [{}, {"note": "Pr1vate"}], ids=["not read again", "read again"])
def test_a_rejection_that_quotes_the_contact_is_masked(
    emulator: Emulator, tmp_path: Path, others: dict[str, Any]
) -> None:
    emulator.add_contact(phone(1), first_name="Pr1vate", custom_fields={"plan": "silver", **others})
    body = {"message": "Contact Pr1vate (silver) cannot have a gold plan"}
    emulator.faults.add(Fault.status(400, body=body), route="update-contact", times=0)
    rows = [row(1, plan="gold", first_name=None)]
    counts, lines, _ = run(tmp_path, rows=rows, columns=["plan", "first_name"], max_changed_ratio=1)
    assert counts == {"failed": 1}
    assert "Contact *** (***) cannot have a *** plan" in lines[0]["reason"]
