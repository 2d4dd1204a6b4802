"""Contacts, with the vendor's SDK as the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from retell import APIStatusError

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Send

ONE, TWO = "+14155550101", "+14155550102"


def test_a_contact_is_created_updated_read_and_deleted(emulator: Emulator, client: Retell) -> None:
    emulator.options.contacts.tags = {"tag_vip": "VIP"}
    contact = client.contact.create(
        phone_number=ONE,
        first_name="Ada",
        do_not_call=True,
        custom_fields={"plan": "gold", "age": 30},
        contact_tag_ids=["tag_vip", "tag_unknown"],
    )
    assert (contact.phone_number, contact.first_name, contact.do_not_call) == (ONE, "Ada", True)
    assert [(tag.id, tag.label) for tag in contact.contact_tags or ()] == [("tag_vip", "VIP")]
    assert contact.org_id == "org_default"
    updated = client.contact.update(
        contact.contact_id, do_not_call=False, custom_fields={"age": None, "n": 1}, contact_tag_ids=[]
    )
    assert (updated.first_name, updated.do_not_call, updated.custom_fields) == (
        "Ada",
        False,
        {"plan": "gold", "n": 1},
    )
    assert updated.contact_tags == []
    assert client.contact.get(contact.contact_id) == updated
    assert client.contact.get_by_phone(ONE) == updated
    client.contact.delete(contact.contact_id)
    assert emulator.contacts == {}
    for read in (
        lambda: client.contact.get(contact.contact_id),
        lambda: client.contact.get_by_phone(ONE),
        lambda: client.contact.delete(contact.contact_id),
    ):
        with pytest.raises(APIStatusError) as caught:
            read()
        assert caught.value.status_code == 404


def test_lists_are_filtered_sorted_and_cut_into_pages(emulator: Emulator, client: Retell) -> None:
    emulator.add_contacts([f"+1415555010{n}" for n in range(5)], custom_fields={"plan": "gold"})
    emulator.add_contact("+14155550109", do_not_call=True, first_name="Ada", contact_tag_ids=["tag_1"])
    first = client.contact.list(limit=4, sort_order="asc")
    assert [item.phone_number[-1] for item in first.items] == ["0", "1", "2", "3"]
    assert (first.has_more, first.total) == (True, 6)
    assert first.pagination_key is not None
    rest = client.contact.list(limit=4, sort_order="asc", pagination_key=first.pagination_key)
    assert ([item.phone_number[-1] for item in rest.items], rest.has_more) == (["4", "9"], False)
    assert client.contact.list().items[0].first_name == "Ada"

    def found(**arguments: Any) -> list[str]:
        return [
            item.phone_number[-1] for item in client.contact.list(**{"sort_order": "asc", **arguments}).items
        ]

    assert found(sort_order="desc") == ["9", "4", "3", "2", "1", "0"]
    assert found(
        filter_criteria={"phone_number": {"type": "string", "op": "eq", "value": "+14155550103"}}
    ) == ["3"]
    assert found(filter_criteria={"do_not_call": {"type": "boolean", "op": "eq", "value": True}}) == ["9"]
    assert found(filter_criteria={"contact_tag_ids": {"type": "enum", "op": "in", "value": ["tag_1"]}}) == [
        "9"
    ]
    plan = {"type": "present", "op": "np", "key": "plan"}
    assert found(filter_criteria={"custom_fields": [plan]}) == ["9"]
    assert found(search_query="aDa") == ["9"]
    assert found(excluded_contact_ids=[item.contact_id for item in first.items]) == ["4", "9"]


def test_a_second_contact_of_a_number_is_refused(emulator: Emulator, client: Retell) -> None:
    emulator.add_contact(ONE)
    with pytest.raises(APIStatusError):
        client.contact.create(phone_number=ONE)
    with pytest.raises(ValueError, match="no other contact has"):
        emulator.add_contact(ONE)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/create-contact", {"phone_number": "415 555"}),
        ("/create-contact", {"first_name": "Ada"}),
        ("/create-contact", {"phone_number": ONE, "do_not_call": "yes"}),
        ("/create-contact", {"phone_number": ONE, "custom_fields": {"unknown": 1}}),
        ("/list-contacts", {"limit": 1001}),
        ("/list-contacts", {"sort_order": "ascending"}),
    ],
)
def test_invalid_bodies_are_refused(emulator: Emulator, send: Send, path: str, body: dict[str, Any]) -> None:
    emulator.options.contacts.custom_fields = ["plan"]
    assert send(emulator, "POST", path, body).status == 400
    assert emulator.contacts == {}


def test_linked_contacts_are_kept_during_a_two_way_sync(emulator: Emulator, client: Retell) -> None:
    emulator.options.contacts.synced = True
    linked, other = emulator.add_contact(ONE, external_id="crm_1"), emulator.add_contact(TWO)
    client.contact.delete(other["contact_id"])
    with pytest.raises(APIStatusError):
        client.contact.delete(linked["contact_id"])
    assert list(emulator.contacts) == [linked["contact_id"]]


def test_marked_contacts_are_not_called(emulator: Emulator, client: Retell) -> None:
    contact = emulator.add_contact(TWO, do_not_call=True)
    with pytest.raises(APIStatusError) as caught:
        client.call.create_phone_call(from_number=ONE, to_number=TWO, honor_internal_dnc=True)
    assert caught.value.status_code == 400
    client.call.create_phone_call(from_number=ONE, to_number=TWO)
    emulator.edit_contact(contact["contact_id"], do_not_call=False)
    client.call.create_phone_call(from_number=ONE, to_number=TWO, honor_internal_dnc=True)
    assert len(emulator.placed) == 2


def test_ids_and_numbers_do_not_change(emulator: Emulator) -> None:
    contact = emulator.add_contact(ONE, first_name="Ada")
    with pytest.raises(ValueError, match="must not change"):
        emulator.edit_contact(contact["contact_id"], phone_number=TWO)
    with pytest.raises(LookupError):
        emulator.edit_contact("contact_unknown")
    emulator.edit_contact(contact["contact_id"], first_name=None)
    assert "first_name" not in contact
    assert emulator.contact_of(ONE) is contact
    assert emulator.contact_of(TWO) is None


@pytest.mark.parametrize(("semantics", "kept"), [("merge", {"plan": "gold"}), ("replace", {})])
def test_an_update_keeps_or_removes_other_custom_fields(
    emulator: Emulator, client: Retell, semantics: Any, kept: dict[str, Any]
) -> None:
    emulator.options.contacts.custom_fields_semantics = semantics
    contact = emulator.add_contact(ONE, custom_fields={"plan": "gold"})
    client.contact.update(contact["contact_id"], first_name="Ada")
    assert contact["custom_fields"] == {"plan": "gold"}
    client.contact.update(contact["contact_id"], custom_fields={"age": 30})
    assert contact["custom_fields"] == {**kept, "age": 30}


def test_a_reset_forgets_the_numbers_of_contacts(emulator: Emulator) -> None:
    emulator.add_contact(ONE, contact_id="contact_1")
    emulator.reset()
    emulator.add_contact(TWO, contact_id="contact_1")
    assert emulator.contact_of(ONE) is None
