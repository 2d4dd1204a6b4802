"""Ids that cannot be ids are refused, without being quoted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.request import Response, check_id

BY_ID = (
    endpoints.get_call,
    endpoints.stop_call,
    endpoints.delete_call,
    endpoints.rerun_call_analysis,
    lambda call_id: endpoints.update_call(call_id, metadata={"a": 1}),
    lambda call_id: endpoints.update_live_call(call_id, trigger_response=True),
)


@pytest.mark.parametrize("value", ["call_1", "a", "A-b_9", "0", "x" * 256])
def test_an_id_of_letters_digits_and_hyphens_passes(value: str) -> None:
    assert check_id(value) == value


@pytest.mark.parametrize("build", BY_ID)
@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("\n", "empty"),
        ("private/../1", "'/' at position 7"),
        ("private?x=1", "'?' at position 7"),
        ("..", "'.' at position 0"),
        ("private call", "' ' at position 7"),
        (" private", "' ' at position 0"),
        ("private\n", r"'\n' at position 7"),
        ("privaté", "'é' at position 6"),
        ("private%2f", "'%' at position 7"),
        ("\ud800private", "position 0"),
        ("privaté" * 100, "700 characters"),
        ("None", "no value"),
        ("null", "no value"),
        ("nan", "no value"),
        ("undefined", "no value"),
        (None, "must be text, not NoneType"),
        (71234567, "must be text, not int"),
        (b"private", "must be text, not bytes"),
        (["private"], "must be text, not list"),
    ],
)
def test_anything_else_is_refused_without_quoting_it(build, value, says) -> None:
    with pytest.raises(RetellInputError) as caught:
        build(value)
    assert says in str(caught.value)
    assert "Nothing was sent" in str(caught.value)
    assert "privat" not in str(caught.value)
    assert "71234567" not in str(caught.value)


def test_a_request_says_what_it_is_about_and_shows_no_body() -> None:
    request = endpoints.update_call("call_1", metadata={"note": "private"})
    assert str(request) == "update-call of call call_1"
    assert str(endpoints.get_concurrency()) == "get-concurrency"
    assert "private" not in repr(request)
    assert "private" not in repr(Response(200, {"X": "private"}, b"private"))


def test_another_way_to_read_the_answer_changes_nothing_else() -> None:
    request = endpoints.create_phone_call("+14155550100", "+14155550123")
    other = request.with_parser(len)
    assert other.parse(b"123") == 3
    assert replace(other, parse=request.parse) == request


def test_a_body_is_json_if_the_server_says_so() -> None:
    assert Response(200, {"Content-Type": "application/json; charset=utf-8"}, b"").is_json
    assert not Response(200, {"Content-Type": "text/html"}, b"").is_json
    assert not Response(200, {}, b"").is_json
