"""Requests, responses and ids."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.organization.endpoints import get_concurrency
from airflow_provider_retell.api.request import UNSET, Response, check_id, given, with_query


@pytest.mark.parametrize("value", ["call_1", "a", "A-b_9", "0", "x" * 256])
def test_letters_digits_underscores_and_hyphens_are_an_id(value: str) -> None:
    assert check_id(value) == value


INVALID_IDS = [
    ("", "is empty"),
    ("   ", "is empty"),
    ("\n", "is empty"),
    ("private/../1", "'/' as character 8"),
    ("private?x=1", "'?' as character 8"),
    ("..", "'.' as character 1"),
    ("private call", "' ' as character 8"),
    (" private", "spaces or line breaks around the id"),
    ("private\n", "spaces or line breaks around the id"),
    ("privaté", "'é' as character 7"),
    ("private%2f", "'%' as character 8"),
    ("\ud800private", "character 1"),
    ("privaté" * 100, "700 characters"),
    ("x" * 255 + "é", "'é' as character 256"),
    ("x" * 257, "is 257 characters long, and the limit is 256"),
    ("None", "is the text 'None': check its source"),
    ("null", "is the text 'null': check its source"),
    ("nan", "is the text 'nan': check its source"),
    ("undefined", "is the text 'undefined': check its source"),
    (None, "must be text, not NoneType"),
    (71234567, "must be text, not int"),
    (b"private", "must be text, not bytes"),
    (["private"], "must be text, not list"),
]


@pytest.mark.parametrize(("value", "message"), INVALID_IDS)
def test_invalid_id_is_rejected_without_quoting_it(value: object, message: str) -> None:
    with pytest.raises(RetellInputError) as caught:
        check_id(value, "batch_call_id")
    text = str(caught.value)
    assert text.startswith("batch_call_id ")
    assert message in text
    assert text.endswith(". Nothing was sent")
    assert "privat" not in text
    assert "71234567" not in text


def test_request_is_printed_as_operation_and_subject_without_its_body() -> None:
    request = endpoints.update_call("call_1", metadata={"note": "private"})
    assert str(request) == "update-call of call call_1"
    assert str(get_concurrency()) == "get-concurrency"
    assert "private" not in repr(request)
    assert "private" not in repr(Response(200, {"X": "private"}, b"private"))


def test_with_parser_replaces_the_parser_and_nothing_else() -> None:
    request = endpoints.create_phone_call("+14155550100", "+14155550123")
    other = request.with_parser(len)
    assert other is not request
    assert other.parse(b"123") == 3
    assert replace(other, parse=request.parse) == request


def test_response_is_json_if_its_content_type_is_json() -> None:
    assert Response(200, {"Content-Type": "application/json; charset=utf-8"}, b"").is_json
    assert not Response(200, {"Content-Type": "text/html"}, b"").is_json
    assert not Response(200, {}, b"").is_json


def test_given_drops_only_none() -> None:
    assert given(a=None, b=0, c="", d=False, e={}) == {"b": 0, "c": "", "d": False, "e": {}}


def test_unset_prints_its_name() -> None:
    assert repr(UNSET) == "UNSET"


def test_id_is_that_of_a_call_by_default() -> None:
    with pytest.raises(RetellInputError, match="^call_id is empty"):
        check_id("")


def test_observed_request_differs_in_nothing_else() -> None:
    request = endpoints.update_call("call_1", metadata={"a": 1})
    assert not request.observed
    assert request.observe() == replace(request, observed=True)


def test_query_has_the_parameters_that_are_set() -> None:
    assert with_query("list-agents") == "list-agents"
    assert with_query("list-agents", limit=None) == "list-agents"
    assert with_query("list-agents", limit=0, key="a b&c", more=None) == "list-agents?limit=0&key=a+b%26c"
