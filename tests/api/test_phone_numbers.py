"""Phone numbers: their format, the digits that messages show, and their agents."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.phone_numbers.e164 import check_e164
from airflow_provider_retell.api.phone_numbers.models import BoundAgent, PhoneNumber, last_digits


@pytest.mark.parametrize("number", ["+1234567", "+123456789012345", "+14155550100", "+442071838750"])
def test_a_number_in_e164_format_is_accepted(number: str) -> None:
    check_e164(number, "to_number")


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        (4155550100, "is a number, which has no '+', so the country code is unknown. Use text"),
        (14155550100.0, "is a number"),
        (True, "is not text"),
        (None, "is empty"),
        (b"+14155550100", "is not text"),
        ("", "is empty"),
        ("  ", "is empty"),
        ("4155550100", "has no '+', so the country code is unknown"),
        ("14155550100", "has no '+', so the country code is unknown"),
        ("415_555_0100", "has underscores"),
        ("+1415_555_0100", "has underscores"),
        ("0x5D21DBA00", "is a hexadecimal number"),
        ("+0x5D21DBA00", "is a hexadecimal number"),
        ("+１４１５５５５０１００", "has characters that are not ASCII, for example full-width digits"),  # noqa: RUF001
        ("＋14155550100", "has characters that are not ASCII"),  # noqa: RUF001
        ("+14155550100;ext=12", "has an extension"),
        ("+14155550100 ext 12", "has an extension"),
        ("+14155550100 EXT 12", "has an extension"),
        ("+14155550100x12", "has an extension"),
        ("+14155550100,,123#", "has an extension"),
        ("tel:+14155550100", "begins with a scheme such as 'tel:'"),
        ("sip:desk@example.org", "begins with a scheme"),
        ("TEL:+14155550100", "begins with a scheme"),
        ("0014155550100", "begins with '00' instead of '+'"),
        ("+1 415 555 0100", "has characters other than '+' and digits, for example spaces or punctuation"),
        ("+1-415-555-0100", "has characters other than '+' and digits"),
        (" +14155550100", "has characters other than '+' and digits"),
        ("+14155550100\n", "has characters other than '+' and digits"),
        ("1.415555E9", "has characters other than '+' and digits"),
        ("+0155550100", "has no country code after the '+'"),
        ("101", "has no '+'"),
        ("+123456", "has too few or too many digits"),
        ("+1234567890123456", "has too few or too many digits"),
        ("++14155550100", "has too few or too many digits"),
    ],
)
def test_any_other_value_is_refused_in_words_that_do_not_show_it(number: Any, fault: str) -> None:
    with pytest.raises(RetellInputError) as error:
        check_e164(number, "to_number", "Ask somewhere")
    message = str(error.value)
    assert message.startswith(
        "to_number must be a phone number in E.164 format: '+', the country code, 7 to 15"
    )
    assert f"The value {fault}" in message
    assert message.endswith(". Ask somewhere. Nothing was sent")
    assert "415" not in message


@pytest.mark.parametrize(
    ("number", "shown"),
    [("+14155550100", "0100"), ("+1234567", "4567"), ("+123456", "****"), ("sip-7", "****")],
)
def test_messages_show_the_last_digits_of_long_numbers_only(number: str, shown: str) -> None:
    assert last_digits(number) == shown


def test_bindings_of_a_number_are_the_agents_of_all_fields() -> None:
    sales, support = BoundAgent(agent_id="agent_sales"), BoundAgent(agent_id="agent_support")
    number = PhoneNumber(
        phone_number="+14155550100",
        inbound_agents=[support, sales],
        outbound_agents=None,
        inbound_sms_agents=[],
        outbound_sms_agents=[sales],
    )
    assert list(number.bindings()) == [
        ("inbound_agents", support),
        ("inbound_agents", sales),
        ("outbound_sms_agents", sales),
    ]
