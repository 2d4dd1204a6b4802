"""How many calls of a batch have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.calls.batch import ended_calls
from airflow_provider_retell.api.errors import RetellInputError

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator


def test_the_server_counts_them(client: Any, emulator: Emulator) -> None:
    for n, status in enumerate(("ended", "error", "not_connected", "ongoing")):
        emulator.add_call(call_id=f"b_{n}", batch_call_id="batch_1", call_status=status)
    assert client.run(ended_calls("batch_1")) == 3
    assert client.run(ended_calls("batch_2")) == 0
    assert emulator.count() == 2


def test_without_a_count_they_are_listed(client: Any, serve: Any, reply: Any, connect: Any) -> None:
    item = {"call_id": "c", "call_status": "ended"}
    pages = [
        {"items": [item], "has_more": True, "pagination_key": "a"},
        {"items": [item, item], "has_more": True, "pagination_key": "a"},
        {"items": [item], "has_more": False},
    ]
    server = serve(lambda _: reply(200, pages.pop(0)))
    connect(server.url)
    assert client.run(ended_calls("batch_1")) == 3
    assert len(server.seen) == 3


def test_an_id_that_cannot_be_one_is_refused(client: Any, emulator: Emulator) -> None:
    with pytest.raises(RetellInputError, match="batch_call_id"):
        client.run(ended_calls("a/b"))
    assert emulator.requests == []
