"""The conditions that tasks wait for, through both hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.calls.waits import BatchReached, CallReached
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.organization.waits import ConcurrencyAvailable

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator


def test_ended_calls_of_a_batch_are_counted_with_one_request(client: Any, emulator: Emulator) -> None:
    for n, status in enumerate(("ended", "error", "not_connected", "ongoing")):
        emulator.add_call(call_id=f"b_{n}", batch_call_id="batch_1", call_status=status)
    assert client.run(BatchReached("batch_1", 4).poll()).result["ended"] == 3
    assert emulator.count() == 1


def test_batch_without_an_ended_call_is_listed_a_second_time(client: Any, emulator: Emulator) -> None:
    emulator.add_call(call_id="b_1", batch_call_id="batch_1", call_status="ongoing")
    begun = client.run(BatchReached("batch_1", 4).poll())
    assert (begun.result["ended"], begun.hint) == (0, "")
    unknown = client.run(BatchReached("batch_2", 4).poll())
    assert unknown.result["ended"] == 0
    assert "Check batch_call_id" in unknown.hint
    assert emulator.count() == 4


def test_ended_calls_of_a_batch_are_listed_if_the_server_does_not_count_them(
    client: Any, serve: Any, reply: Any, connect: Any
) -> None:
    item = {"call_id": "c", "call_status": "ended"}
    pages = [
        {"items": [item], "has_more": True, "pagination_key": "a"},
        {"items": [item, item], "has_more": True, "pagination_key": "a"},
        {"items": [item], "has_more": False},
    ]
    server = serve(lambda _: reply(200, pages.pop(0)))
    connect(server.url)
    assert client.run(BatchReached("batch_1", 3).poll()).result["ended"] == 3
    assert len(server.seen) == 3


def test_invalid_id_is_rejected_before_a_request(client: Any, emulator: Emulator) -> None:
    with pytest.raises(RetellInputError, match="batch_call_id"):
        client.run(BatchReached("a/b", 1).poll())
    assert emulator.requests == []


def test_states_of_calls_and_of_the_concurrency_are_polled(client: Any, emulator: Emulator) -> None:
    assert client.run(CallReached("call_1").poll()).done
    assert not client.run(CallReached("call_live").poll()).done
    assert client.run(ConcurrencyAvailable(19).poll()).result == {"available": 19}
    assert not client.run(ConcurrencyAvailable(20).poll()).done
