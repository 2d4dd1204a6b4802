"""Converters of values that come out of templates."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.params import rendered

PRIVATE = "Ada's private note"
EMPTY = [None, "", "  ", "None", " None\n", "null"]
CONVERTERS: list[Any] = [
    rendered.as_text,
    rendered.as_object,
    rendered.as_list,
    rendered.as_bool,
    rendered.as_whole_number,
    rendered.as_id,
    rendered.as_phone_number,
    rendered.as_epoch_milliseconds,
]


@pytest.mark.parametrize("value", EMPTY)
@pytest.mark.parametrize("convert", CONVERTERS)
def test_an_empty_value_is_an_error_that_names_the_likely_cause(convert: Any, value: Any) -> None:
    with pytest.raises(RetellInputError) as error:
        convert(value, "field")
    assert error.value.fault == (
        "field rendered to an empty value. Check the template's source, for example an XCom that was never pushed"
    )


@pytest.mark.parametrize("value", ["nan", "undefined", float("nan")])
def test_other_missing_values_are_no_ids(value: Any) -> None:
    with pytest.raises(RetellInputError, match="call_id rendered to an empty value"):
        rendered.as_id(value, "call_id")


@pytest.mark.parametrize("value", EMPTY)
def test_an_empty_storage_setting_is_none(value: Any) -> None:
    assert rendered.is_empty(value)
    assert rendered.as_storage_setting(value, "field") is None


@pytest.mark.parametrize(
    ("convert", "value", "result"),
    [
        (rendered.as_text, "a", "a"),
        (rendered.as_text, 4711, "4711"),
        (rendered.as_object, {"a": 1}, {"a": 1}),
        (rendered.as_object, '{"a": null}', {"a": None}),
        (rendered.as_object, "{'a': None}", {"a": None}),
        (rendered.as_object, {}, {}),
        (rendered.as_list, [1], [1]),
        (rendered.as_list, (1,), (1,)),
        (rendered.as_list, "[1]", [1]),
        (rendered.as_list, "[{'a': None}]", [{"a": None}]),
        (rendered.as_bool, "True", True),
        (rendered.as_bool, "false", False),
        (rendered.as_bool, 1, True),
        (rendered.as_bool, "0", False),
        (rendered.as_whole_number, "12", 12),
        (rendered.as_whole_number, 12, 12),
        (rendered.as_whole_number, 12.0, 12),
        (rendered.as_id, "call_1", "call_1"),
        (rendered.as_id, 12345, "12345"),
        (rendered.as_phone_number, "+15550100", "+15550100"),
        (rendered.as_storage_setting, "everything", "everything"),
        (rendered.as_epoch_milliseconds, 1796112000000, 1796112000000),
        (rendered.as_epoch_milliseconds, "1796112000000.0", 1796112000000),
        (rendered.as_epoch_milliseconds, "2026-12-01T08:00:00Z", 1796112000000),
        (rendered.as_epoch_milliseconds, "2026-12-01T10:00:00+02:00", 1796112000000),
        (
            rendered.as_epoch_milliseconds,
            datetime(2026, 12, 1, 10, tzinfo=timezone(timedelta(hours=2))),
            1796112000000,
        ),
    ],
)
def test_a_value_is_converted(convert: Any, value: Any, result: Any) -> None:
    assert convert(value, "field") == result


@pytest.mark.parametrize(
    ("convert", "value", "says"),
    [
        (rendered.as_object, PRIVATE, "field rendered to text that is not a JSON object (18 characters)"),
        (rendered.as_object, f'["{PRIVATE}"]', "field rendered to text that is not a JSON object"),
        (rendered.as_object, [PRIVATE], "field must be a dict or the text of a JSON object, not list"),
        (rendered.as_list, PRIVATE, "field rendered to text that is not a JSON list"),
        (rendered.as_list, f'"{PRIVATE}"', "field rendered to text that is not a JSON list"),
        (rendered.as_list, {"note": PRIVATE}, "field must be a list or the text of a JSON list, not dict"),
        (rendered.as_list, PRIVATE.encode(), "field must be a list or the text of a JSON list, not bytes"),
        (
            rendered.as_object,
            '{"a": 1, "b": {"c": "Ada", "c": 2}}',
            "field rendered to text that has the key c twice",
        ),
        (
            rendered.as_object,
            "{'a': 'Ada', 'b': 1, 'a': 2}",
            "field rendered to text that has the key a twice",
        ),
        (
            rendered.as_object,
            '{"Ada L": 1, "Ada L": 2}',
            "field rendered to text that has the key [..] twice",
        ),
        (rendered.as_list, '[{"n": "Ada", "n": 1}]', "field rendered to text that has the key n twice"),
        (rendered.as_list, "[{'n': None, 'n': 1}]", "field rendered to text that has the key n twice"),
        (rendered.as_object, "{[1]: 'Ada'}", "field rendered to text that is not a JSON object"),
        (rendered.as_bool, PRIVATE, "field must be True or False"),
        (rendered.as_bool, 2, "field must be True or False"),
        (rendered.as_whole_number, PRIVATE, "field must be a whole number"),
        (rendered.as_whole_number, 1.5, "field must be a whole number"),
        (rendered.as_whole_number, "1.5", "field must be a whole number"),
        (rendered.as_whole_number, True, "field must be a whole number"),
        (rendered.as_whole_number, [1], "field must be a whole number"),
        (rendered.as_id, "a/b", "field has '/' as character 2"),
        (rendered.as_id, 1.5, "field must be text, not float"),
        (rendered.as_id, Decimal("sNaN"), "field must be text, not Decimal"),
        (rendered.as_phone_number, 15550100, "field must be a phone number in E.164 format"),
        (rendered.as_phone_number, "5550100", "The value has no '+', so the country code is unknown"),
        (rendered.as_storage_setting, PRIVATE, "field must be 'everything', 'everything_except_pii' or"),
        (rendered.as_epoch_milliseconds, PRIVATE, "field must be epoch milliseconds, or a date and time"),
        (rendered.as_epoch_milliseconds, True, "field must be epoch milliseconds, or a date and time"),
        (rendered.as_epoch_milliseconds, "2026-12-01", "field must have a time zone"),
    ],
)
def test_an_invalid_value_is_an_error_that_does_not_show_it(convert: Any, value: Any, says: str) -> None:
    with pytest.raises(RetellInputError) as error:
        convert(value, "field")
    assert says in str(error.value)
    assert "Ada" not in str(error.value)


def test_a_whole_number_may_have_a_minimum() -> None:
    assert rendered.as_whole_number("1", "total", 1) == 1
    with pytest.raises(RetellInputError, match="total must be a whole number of at least 1"):
        rendered.as_whole_number("0", "total", 1)


def test_a_phone_number_in_another_format_must_be_text() -> None:
    assert rendered.as_phone_number("1001", "to_number", only_e164=False) == "1001"
    for value in (1001, 1001.0, True, ["1001"]):
        with pytest.raises(RetellInputError, match="to_number must be text"):
            rendered.as_phone_number(value, "to_number", only_e164=False)
