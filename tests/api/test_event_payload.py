"""The payload of asset events: written by the webhook and the trigger, read by both."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_retell.api.calls.models import Call
from airflow_provider_retell.api.event_payload import call_summary, parse_event_payload

SUMMARY = {
    "call_id": "call_1",
    "call_status": "ended",
    "call_type": "phone_call",
    "direction": "inbound",
    "agent_id": "agent_1",
    "disconnection_reason": "user_hangup",
    "end_timestamp": 1763836100123,
}


def test_summary_has_ids_status_and_end_time_but_no_personal_data() -> None:
    call = Call.model_validate({**SUMMARY, "from_number": "+14155550100", "transcript": "private"})
    assert call_summary(call) == SUMMARY


@pytest.mark.parametrize(
    ("value", "plain"), [(1.9, 1), (float("nan"), None), (float("inf"), None), ([1], None), (None, None)]
)
def test_value_that_is_neither_text_nor_an_integer_is_made_plain(value: Any, plain: int | None) -> None:
    assert call_summary(Call.model_construct(call_id="call_1", end_timestamp=value))["end_timestamp"] == plain


def test_end_time_that_is_text_does_not_make_the_event_unreadable() -> None:
    call = Call.model_construct(**{**SUMMARY, "end_timestamp": "yesterday"})
    payload = {"event": "call_ended", "calls": [call_summary(call)]}
    assert payload["calls"] == [{**SUMMARY, "end_timestamp": None}]
    assert parse_event_payload(payload) == payload


@pytest.mark.parametrize("wrap", [lambda payload: payload, lambda payload: {"payload": payload}])
def test_payload_is_found_in_events_of_the_webhook_and_of_the_trigger(wrap: Any) -> None:
    payload = {"event": "call_ended", "calls": [SUMMARY], "watcher": "w", "since": 5}
    assert parse_event_payload(wrap(payload)) == payload


@pytest.mark.parametrize(
    "extra",
    [
        None,
        "text",
        {},
        {"payload": None},
        {"event": 1, "calls": []},
        {"event": "call_ended"},
        {"event": "call_ended", "calls": [{"call_id": 5}]},
        {"event": "call_ended", "calls": {}},
    ],
)
def test_events_of_other_producers_have_no_calls(extra: Any) -> None:
    assert parse_event_payload(extra) == {"event": "", "calls": []}
