"""Conditions on calls and batches."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fake_hook import FakeHook

from airflow_provider_retell.api.calls.models import CallSummary
from airflow_provider_retell.api.calls.waits import BatchEnded, CallReached
from airflow_provider_retell.api.errors import NotFoundError, RetellInputError


@pytest.mark.parametrize(
    ("until", "fields", "done"),
    [
        ("ended", {"call_status": "ongoing"}, False),
        ("ended", {"call_status": "ended"}, True),
        ("ended", {"call_status": "not_connected"}, True),
        ("ended", {"call_status": "a status of the future"}, False),
        ("analyzed", {"call_status": "ended"}, False),
        ("analyzed", {"call_status": "ended", "call_analysis": {}}, True),
    ],
)
def test_call_is_polled_until_it_reaches_the_state(until: Any, fields: dict[str, Any], done: bool) -> None:
    hook = FakeHook({"call_id": "call_1", **fields})
    poll = hook.run(CallReached("call_1", until).poll())
    assert hook.operations == ["get-call"]
    assert (poll.done, poll.state) == (done, fields["call_status"])
    assert poll.result == CallSummary.model_validate({"call_id": "call_1", **fields}).slim()


def test_poll_does_not_parse_the_transcript() -> None:
    hook = FakeHook({"call_id": "call_1", "call_status": "ended", "transcript": ["not", "text"]})
    assert hook.run(CallReached("call_1").poll()).done


def test_error_of_a_poll_is_raised() -> None:
    with pytest.raises(NotFoundError):
        FakeHook(NotFoundError("x", status=404)).run(CallReached("call_1").poll())


@pytest.mark.parametrize(("ended", "done"), [(0, False), (2, False), (3, True), (4, True)])
def test_batch_has_ended_when_the_server_counts_all_of_its_calls(ended: int, done: bool) -> None:
    hook = FakeHook({"items": [], "total": ended})
    poll = hook.run(BatchEnded("batch_1", 3).poll())
    assert poll.done is done
    assert poll.state == f"{ended} of 3 calls ended"
    assert poll.result == {"batch_call_id": "batch_1", "ended": ended}
    (request,) = hook.requests
    assert json.loads(request.body) == {
        "filter_criteria": {
            "batch_call_id": {"type": "string", "op": "eq", "value": "batch_1"},
            "call_status": {"type": "enum", "op": "in", "value": ["ended", "error", "not_connected"]},
        },
        "limit": 1,
        "include_total": True,
    }


def test_calls_of_a_batch_are_listed_if_the_server_does_not_count_them() -> None:
    item = {"call_id": "c", "call_status": "ended"}
    hook = FakeHook(
        {"items": [item], "has_more": True, "pagination_key": "a"},
        {"items": [item, item], "has_more": True, "pagination_key": "a"},
        {"items": [item], "has_more": False},
    )
    poll = hook.run(BatchEnded("batch_1", 3).poll())
    assert (poll.done, poll.result["ended"]) == (True, 3)
    assert [json.loads(request.body).get("limit") for request in hook.requests] == [1, 1000, 1000]


@pytest.mark.parametrize(
    "condition", [CallReached("a/b"), BatchEnded("a/b", 1)], ids=lambda c: type(c).__name__
)
def test_invalid_id_is_rejected(condition: Any) -> None:
    with pytest.raises(RetellInputError, match="call_id has '/'"):
        FakeHook().run(condition.poll())


def test_conditions_complete_the_phrase_waiting_for() -> None:
    assert str(CallReached("call_1", "analyzed")) == "call call_1 to be analyzed"
    assert str(BatchEnded("batch_1", 3)) == "the 3 calls of batch batch_1 to end"
