"""CSV imports of contacts, with the vendor's SDK as the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from retell import APIStatusError

from airflow_provider_retell.emulator import Emulator

if TYPE_CHECKING:
    from retell import Retell

ONE, TWO, THREE = "+14155550101", "+14155550102", "+14155550103"


def columns(*names: str) -> list[Any]:
    return [{"external_field_name": name, "field_name": name} for name in ("phone_number", *names)]


def upload(client: Retell, text: str, name: str = "contacts.csv") -> str:
    uploaded = client.contact.upload_import_file(file=(name, text.encode()))
    assert uploaded.upload_id is not None
    assert uploaded.file_name == name
    return uploaded.upload_id


def test_an_import_creates_and_overwrites_contacts(emulator: Emulator, client: Retell) -> None:
    assert client.contact.get_import().to_dict() == {"status": "idle"}
    emulator.add_contact(ONE, first_name="Ada", last_name="L", custom_fields={"plan": "gold", "other": 1})
    text = (
        "phone_number,Name,do_not_call,plan,note\n"
        f'{ONE},"Bo, ""B""\nC",true,silver,x\n(415) 555-0102,Cy,false,,\n+44123,Di,,,\n{THREE},Ed,maybe,,\n'
    )
    mapping = [*columns("do_not_call", "plan"), {"external_field_name": "Name", "field_name": "first_name"}]
    started = client.contact.create_import(
        upload_id=upload(client, text), column_mapping=mapping, contact_tags=["VIP ", "VIP"]
    )
    assert (started.status, started.triggered_by) == ("running", "manual")
    assert started.start_timestamp == emulator.clock.now_ms()
    emulator.clock.advance(16)
    running = client.contact.get_import()
    assert (running.status, running.succeeded, running.failed) == ("running", 2, 0)
    emulator.clock.advance(15)
    ended = client.contact.get_import()
    assert (ended.status, ended.succeeded, ended.failed) == ("idle", 2, 2)
    assert ended.start_timestamp == started.start_timestamp
    one, two = client.contact.get_by_phone(ONE), client.contact.get_by_phone(TWO)
    assert (one.first_name, one.last_name, one.do_not_call) == ('Bo, "B"\nC', "L", True)
    assert one.custom_fields == {"plan": "silver", "other": 1}
    assert [tag.label for tag in one.contact_tags or ()] == ["VIP"]
    assert (two.first_name, two.do_not_call, two.custom_fields) == ("Cy", False, {})
    assert len(emulator.contacts) == 2


def test_an_organization_has_one_import_at_a_time(emulator: Emulator, client: Retell) -> None:
    first = emulator.add_contact_import([{"phone_number": ONE}])
    upload_id = upload(client, f"phone_number\n{TWO}\n")
    with pytest.raises(APIStatusError):
        client.contact.create_import(upload_id=upload_id, column_mapping=columns())
    assert emulator.contact_imports == [first]
    emulator.clock.advance(31)
    client.contact.create_import(upload_id=upload_id, column_mapping=columns())
    emulator.clock.advance(31)
    assert [contact["phone_number"] for contact in emulator.contacts.values()] == [ONE, TWO]


def test_an_import_can_be_queued_and_shown_late(emulator: Emulator, client: Retell) -> None:
    options = emulator.options.contacts
    options.import_queue_seconds, options.import_start, options.import_lag = 20, "absent", 5
    upload_id = upload(client, f"phone_number\n{ONE}\n")
    queued = client.contact.create_import(upload_id=upload_id, column_mapping=columns())
    assert (queued.status, queued.start_timestamp) == ("queued", None)
    assert client.contact.get_import().status == "idle"
    emulator.clock.advance(10)
    assert client.contact.get_import().status == "queued"
    emulator.clock.advance(15)
    running = client.contact.get_import()
    assert (running.status, running.start_timestamp) == ("running", emulator.clock.now_ms() - 5000)


def test_imports_and_marks_have_the_forms_of_the_options(emulator: Emulator, client: Retell) -> None:
    options = emulator.options.contacts
    options.import_marks, options.import_failures, options.import_read_lag = "digits", {TWO}, 10
    options.custom_fields = {"age": "number", "vip": "boolean", "note": "text"}
    text = f"phone_number,do_not_call,age,vip,note\n{ONE},1,30,true,7\n{TWO},0,,,\n{THREE},true,,,\n+14155550104,,x,,\n"
    client.contact.create_import(
        upload_id=upload(client, text), column_mapping=columns("do_not_call", "age", "vip", "note")
    )
    emulator.clock.advance(31)
    ended = client.contact.get_import()
    assert (ended.status, ended.succeeded, ended.failed, emulator.contacts) == ("idle", 1, 3, {})
    emulator.clock.advance(10)
    contact = client.contact.get_by_phone(ONE)
    assert contact.custom_fields == {"age": 30, "vip": True, "note": "7"}
    assert contact.do_not_call is True


@pytest.mark.parametrize(
    ("text", "mapping"),
    [
        ("phone_number\n", columns("first_name")),
        ("phone_number\n", columns()[1:]),
        ("phone_number\n", [*columns(), *columns()]),
        ("phone_number,x\n", columns("x")),
        ('phone_number\n"+1\n', columns()),
    ],
)
def test_files_and_mappings_that_do_not_fit_are_refused(
    emulator: Emulator, client: Retell, text: str, mapping: list[Any]
) -> None:
    emulator.options.contacts.custom_fields = ["plan"]
    with pytest.raises(APIStatusError) as caught:
        client.contact.create_import(upload_id=upload(client, text), column_mapping=mapping)
    assert caught.value.status_code == 400
    with pytest.raises(APIStatusError) as caught:
        client.contact.create_import(upload_id="upload_unknown", column_mapping=columns())
    assert caught.value.status_code == 404
    assert emulator.contact_imports == []


def test_a_reset_forgets_imports(emulator: Emulator, client: Retell) -> None:
    emulator.add_contact_import([{"phone_number": ONE}])
    emulator.reset()
    emulator.clock.advance(60)
    assert (client.contact.get_import().status, emulator.contacts) == ("idle", {})


def test_negative_times_are_refused() -> None:
    with pytest.raises(ValueError, match="import_lag must be 0 or more"):
        type(Emulator().options.contacts)(import_lag=-1)


@pytest.mark.parametrize(("blanks", "first_name"), [("clear", None), ("keep", "Ada")])
def test_a_blank_cell_clears_or_keeps_a_field(
    emulator: Emulator, client: Retell, blanks: Any, first_name: str | None
) -> None:
    emulator.options.contacts.import_blanks = blanks
    emulator.add_contact(ONE, first_name="Ada", do_not_call=True)
    upload_id = upload(client, f"phone_number,first_name,do_not_call\n{ONE},,\n")
    client.contact.create_import(upload_id=upload_id, column_mapping=columns("first_name", "do_not_call"))
    emulator.clock.advance(31)
    contact = client.contact.get_by_phone(ONE)
    assert (contact.first_name, contact.do_not_call) == (first_name, blanks == "keep")
