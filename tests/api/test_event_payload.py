"""The payload of asset events: written by the webhook and the trigger, read by both."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_retell.api.calls.models import Call
from airflow_provider_retell.api.chats.models import Chat
from airflow_provider_retell.api.event_payload import parse_event_payload, record_summary, records_in
from airflow_provider_retell.api.records.nouns import NOUNS, Noun

CALL = {
    "call_id": "call_1",
    "call_status": "ended",
    "call_type": "phone_call",
    "direction": "inbound",
    "agent_id": "agent_1",
    "disconnection_reason": "user_hangup",
    "end_timestamp": 1763836100123,
}
CHAT = {
    "chat_id": "chat_1",
    "chat_status": "ended",
    "chat_type": "sms_chat",
    "agent_id": "agent_1",
    "end_timestamp": 1763836100123,
}
each_kind = pytest.mark.parametrize(
    ("noun", "model", "summary"), [("call", Call, CALL), ("chat", Chat, CHAT)], ids=NOUNS
)


@each_kind
def test_summary_has_ids_status_and_end_time_but_no_personal_data(
    noun: Noun, model: Any, summary: dict[str, Any]
) -> None:
    private = {"from_number": "+14155550100", "user_number": "+14155550100", "transcript": "private"}
    assert record_summary(noun, model.model_validate({**summary, **private})) == summary


@pytest.mark.parametrize(
    ("value", "plain"), [(1.9, 1), (float("nan"), None), (float("inf"), None), ([1], None), (None, None)]
)
def test_value_that_is_neither_text_nor_an_integer_is_made_plain(value: Any, plain: int | None) -> None:
    call = Call.model_construct(call_id="call_1", end_timestamp=value)
    assert record_summary("call", call)["end_timestamp"] == plain


@each_kind
def test_end_time_that_is_text_does_not_make_the_event_unreadable(
    noun: Noun, model: Any, summary: dict[str, Any]
) -> None:
    record = model.model_construct(**{**summary, "end_timestamp": "yesterday"})
    payload = {"event": f"{noun}_ended", f"{noun}s": [record_summary(noun, record)]}
    assert payload[f"{noun}s"] == [{**summary, "end_timestamp": None}]
    assert parse_event_payload(payload) == payload


@each_kind
@pytest.mark.parametrize("wrap", [lambda payload: payload, lambda payload: {"payload": payload}])
def test_payload_is_found_in_events_of_the_webhook_and_of_the_trigger(
    noun: Noun, model: Any, summary: dict[str, Any], wrap: Any
) -> None:
    payload = {"event": f"{noun}_ended", f"{noun}s": [summary], "watcher": "w", "since": 5}
    assert parse_event_payload(wrap(payload)) == payload
    assert list(records_in(payload)) == [(f"{noun}_1", summary)]


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
        {"event": "chat_ended", "chats": [{"call_id": "call_1"}]},
        {"event": "chat_ended", "chats": "chat_1"},
    ],
)
def test_events_of_other_producers_have_no_records(extra: Any) -> None:
    payload = parse_event_payload(extra)
    assert payload == {"event": "", "calls": []}
    assert list(records_in(payload)) == []
