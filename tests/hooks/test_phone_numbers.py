"""The phone numbers of the organization. Errors show the last four digits only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.errors import NotFoundError, RetellInputError

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator

FOREIGN, TO = "+14155550199", "+14155550123"


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("get_phone_number", (FOREIGN,)),
        ("update_phone_number", (FOREIGN, {"nickname": "x"})),
        ("create_phone_call", (FOREIGN, TO)),
    ],
)
def test_a_number_of_another_organization_is_not_found_and_not_shown(
    client: Any, emulator: Emulator, caplog: pytest.LogCaptureFixture, method: str, arguments: Any
) -> None:
    with pytest.raises(NotFoundError, match="not found from phone-number") as caught:
        getattr(client, method)(*arguments)
    assert "1415555" not in str(caught.value) + repr(caught.value) + caplog.text.replace("%2B14155550199", "")
    assert emulator.placed == []


def test_an_agent_of_another_organization_is_not_found(client: Any, emulator: Emulator) -> None:
    with pytest.raises(NotFoundError, match="Item \\*\\*\\* not found from agent"):
        client.create_phone_call("+14155550100", TO, override_agent_id="agent_none")
    assert emulator.placed == []


@pytest.mark.parametrize("number", ["", " ", None, 14155550100])
def test_a_number_must_be_text(client: Any, emulator: Emulator, number: Any) -> None:
    with pytest.raises(RetellInputError, match="phone_number must be text") as caught:
        client.get_phone_number(number)
    assert "1415555" not in str(caught.value)
    assert emulator.requests == []


def test_a_number_and_its_label_show_the_last_digits(client: Any, emulator: Emulator) -> None:
    number = client.get_phone_number("+14155550100")
    assert number.label == "Main line (…0100)"
    assert "1415555" not in repr(number)
    emulator.add_phone_number("sip-7")
    assert client.get_phone_number("sip-7").label == "…****"


def test_all_numbers_are_listed(client: Any, emulator: Emulator) -> None:
    emulator.add_phone_number("sip-7")
    assert {each.phone_number for each in client.list_phone_numbers()} == set(emulator.phone_numbers)
    assert emulator.count("list-phone-numbers") == 1
