"""The arguments of the endpoints of chats."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_retell.api.chats.endpoints import list_chats
from airflow_provider_retell.api.errors import RetellInputError


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"skip": 1, "pagination_key": "k"}, "list-chats: set skip or pagination_key, not both"),
        ({"limit": 0}, "list-chats: limit must be greater than or equal to 1"),
        ({"limit": 1001}, "list-chats: limit must be less than or equal to 1000"),
        ({"skip": -1}, "list-chats: skip must be"),
        ({"filter_criteria": {"metadata": []}}, "list-chats: filter_criteria.metadata is not a field"),
    ],
)
def test_invalid_arguments_of_a_listing_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(RetellInputError) as raised:
        list_chats(**arguments)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("arguments", [{"skip": 0}, {"skip": 5, "limit": 1000}, {"pagination_key": "k"}, {}])
def test_valid_arguments_of_a_listing_are_sent(arguments: dict[str, Any]) -> None:
    request = list_chats(**arguments)
    assert (request.operation, request.path) == ("list-chats", "/v3/list-chats")
    assert isinstance(request.body, bytes)
    assert json.loads(request.body) == arguments
