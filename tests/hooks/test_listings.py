"""``list_calls`` and ``list_contacts`` of both hooks read all pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.hooks import RetellAsyncHook, RetellHook

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator


def test_all_pages_are_read(client: Any, emulator: Emulator) -> None:
    for n in range(7):
        emulator.add_call(call_id=f"more_{n}", start_timestamp=n)
    calls = client.list_calls(page_size=4, sort_order="ascending")
    assert [call.call_id for call in calls[:7]] == [f"more_{n}" for n in range(7)]
    assert {call.call_id for call in calls[7:]} == {"call_1", "call_2", "call_live"}
    assert len(calls) == 10
    first, *others = [request.body for request in emulator.requests]
    assert first == {"limit": 4, "sort_order": "ascending"}
    assert len(others) == 2
    assert all(body["pagination_key"] for body in others)


def test_all_pages_of_contacts_are_read(client: Any, emulator: Emulator) -> None:
    for n in range(5):
        emulator.add_contact(phone_number=f"+1415555020{n}", first_name="Ada" if n else "Bob")
    found = client.list_contacts(search_query="Ada", sort_order="asc", page_size=3)
    assert [contact.phone_number for contact in found] == [f"+1415555020{n}" for n in range(1, 5)]
    first, second = [request.body for request in emulator.requests]
    assert first == {"search_query": "Ada", "sort_order": "asc", "limit": 3}
    assert second == {**first, "pagination_key": second["pagination_key"]}
    assert "limit" not in (client.list_contacts(), emulator.requests[-1].body)[1]


def test_listing_without_matches_is_one_request(client: Any, emulator: Emulator) -> None:
    criteria = {"call_id": {"type": "string", "op": "eq", "value": "other"}}
    assert client.list_calls(filter_criteria=criteria) == []
    assert [request.body for request in emulator.requests] == [{"filter_criteria": criteria, "limit": 1000}]


@pytest.mark.parametrize("hook", [RetellHook, RetellAsyncHook])
def test_a_wrong_argument_is_an_error_at_the_call(hook: Any) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'filter'"):
        hook().list_calls(filter={})
    with pytest.raises(RetellInputError, match="limit"):
        hook().list_contacts(page_size="many")
