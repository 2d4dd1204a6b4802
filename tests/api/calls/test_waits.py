"""Conditions on calls and batches."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fake_hook import FakeHook

from airflow_provider_retell.api.calls.models import CallSummary
from airflow_provider_retell.api.calls.waits import BatchReached, CallReached
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
        ("transfer_ended", {"call_status": "ongoing"}, False),
        ("transfer_ended", {"call_status": "ended", "disconnection_reason": "user_hangup"}, True),
        ("transfer_ended", {"call_status": "ended", "disconnection_reason": "call_transfer"}, False),
        (
            "transfer_ended",
            {"call_status": "ended", "disconnection_reason": "call_transfer", "transfer_end_timestamp": 5},
            True,
        ),
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


def test_result_has_the_cost_and_only_the_requested_fields_of_the_analysis() -> None:
    call = {
        "call_id": "call_1",
        "call_status": "ended",
        "call_cost": {
            "combined_cost": 11.5,
            "total_duration_seconds": 60,
            "product_costs": [{"product": "x"}],
        },
        "call_analysis": {
            "call_summary": "private",
            "call_successful": True,
            "custom_analysis_data": {"score": 0.9, "note": "private", "call_successful": "private"},
        },
    }
    fields = ("score", "call_successful", "user_sentiment", "missing")
    result = FakeHook(call).run(CallReached("call_1", "analyzed", fields).poll()).result
    assert result["call_cost"] == {"cents": 11.5, "seconds": 60}
    assert result["analysis"] == {
        "score": 0.9,
        "call_successful": True,
        "user_sentiment": None,
        "missing": None,
    }
    plain = FakeHook(call).run(CallReached("call_1", "analyzed").poll()).result
    assert "private" not in json.dumps([result, plain])
    assert not {"analysis", "call_analysis"} & set(plain)


@pytest.mark.parametrize("analysis", [None, [], "text", {"custom_analysis_data": [1]}])
def test_fields_of_a_missing_or_malformed_analysis_are_null(analysis: Any) -> None:
    call = {"call_id": "call_1", "call_status": "ended", "call_analysis": analysis}
    result = FakeHook(call).run(CallReached("call_1", "ended", ("score", "in_voicemail")).poll()).result
    assert result["analysis"] == {"score": None, "in_voicemail": None}


@pytest.mark.parametrize(("begun", "hint"), [(0, True), (1, False), (None, False)])
def test_batch_without_any_call_has_a_hint(begun: int | None, hint: bool) -> None:
    hook = FakeHook({"items": [], "total": 0}, {"items": [], "total": begun})
    poll = hook.run(BatchReached("batch_1", 3).poll())
    assert (poll.done, poll.state) == (False, "0 of 3 calls ended")
    assert poll.result == {"batch_call_id": "batch_1", "ended": 0}
    assert poll.hint.startswith("Retell has listed no call of this batch yet. Check batch_call_id") is hint
    assert json.loads(hook.requests[1].body) == {
        "filter_criteria": {"batch_call_id": {"type": "string", "op": "eq", "value": "batch_1"}},
        "limit": 1,
        "include_total": True,
    }


@pytest.mark.parametrize("ended", [1, 2])
def test_calls_of_a_batch_are_only_counted_until_enough_have_ended(ended: int) -> None:
    hook = FakeHook({"items": [], "total": ended})
    poll = hook.run(BatchReached("batch_1", 3).poll())
    assert poll.done is False
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


def batch_call(status: str = "ended", **fields: Any) -> dict[str, Any]:
    return {"call_id": "c", "call_status": status, **fields}


ANALYZED = batch_call(call_analysis={}, call_cost={"combined_cost": 10.25})
UNANALYZED = batch_call(call_cost={"combined_cost": "a lot"})
NOT_CONNECTED = batch_call("not_connected")


@pytest.mark.parametrize(
    ("until", "calls", "done", "counts"),
    [
        ("ended", [ANALYZED, UNANALYZED, NOT_CONNECTED], True, {"ended": 3}),
        ("ended", [ANALYZED, UNANALYZED], False, {"ended": 2}),
        ("analyzed", [ANALYZED, UNANALYZED, NOT_CONNECTED], False, {"ended": 3, "analyzed": 2}),
        ("analyzed", [ANALYZED, ANALYZED, NOT_CONNECTED], True, {"ended": 3, "analyzed": 3}),
        ("analyzed", [ANALYZED, ANALYZED, batch_call("error")], False, {"ended": 3, "analyzed": 2}),
    ],
)
def test_calls_of_a_batch_are_listed_when_enough_have_ended(
    until: Any, calls: list[Any], done: bool, counts: Any
) -> None:
    hook = FakeHook(
        {"items": [], "total": 3},
        {"items": calls[:1], "has_more": True, "pagination_key": "a"},
        {"items": calls[1:], "has_more": False},
    )
    poll = hook.run(BatchReached("batch_1", 3, until).poll())
    assert poll.done is done
    assert poll.state == f"{counts.get('analyzed', counts['ended'])} of 3 calls {until}"
    costs = sum(call is ANALYZED for call in calls)
    assert poll.result == {
        "batch_call_id": "batch_1",
        **counts,
        "cost_cents": 10.25 * costs,
        "calls_without_cost": len(calls) - costs,
    }
    assert [json.loads(request.body).get("limit") for request in hook.requests] == [1, 1000, 1000]


def test_calls_of_a_batch_are_listed_if_the_server_does_not_count_them() -> None:
    item = {"call_id": "c", "call_status": "ended"}
    hook = FakeHook(
        {"items": [item], "has_more": True, "pagination_key": "a"},
        {"items": [item, item], "has_more": True, "pagination_key": "a"},
        {"items": [item], "has_more": False},
    )
    poll = hook.run(BatchReached("batch_1", 3).poll())
    assert (poll.done, poll.result["ended"]) == (True, 3)
    assert [json.loads(request.body).get("limit") for request in hook.requests] == [1, 1000, 1000]


@pytest.mark.parametrize(
    "condition", [CallReached("a/b"), BatchReached("a/b", 1)], ids=lambda c: type(c).__name__
)
def test_invalid_id_is_rejected(condition: Any) -> None:
    with pytest.raises(RetellInputError, match="call_id has '/'"):
        FakeHook().run(condition.poll())


def test_conditions_complete_the_phrase_waiting_for() -> None:
    assert str(CallReached("call_1", "analyzed")) == "call call_1 to be analyzed"
    assert str(CallReached("call_1", "transfer_ended")) == "call call_1 and its transfer to end"
    assert str(BatchReached("batch_1", 3)) == "the 3 calls of batch batch_1 to end"
    assert str(BatchReached("batch_1", 3, "analyzed")) == "the 3 calls of batch batch_1 to be analyzed"
