"""Answers accept what Retell adds tomorrow and show nothing private."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from pydantic import ValidationError

from airflow_provider_retell.api.calls.models import BatchCall, Call, CallPage, LiveUpdate
from airflow_provider_retell.api.organization.models import ApiKeyInfo, Concurrency
from airflow_provider_retell.emulator import Emulator

CALL = {"call_id": "call_1", "call_status": "ended"}


def test_only_what_identifies_a_call_is_required() -> None:
    call = Call.model_validate_json(json.dumps(CALL))
    assert call.metadata is None
    assert call.has_ended
    assert not call.is_analyzed
    for missing in CALL:
        with pytest.raises(ValidationError):
            Call.model_validate({name: value for name, value in CALL.items() if name != missing})


def test_fields_and_values_of_tomorrow_are_kept() -> None:
    call = Call.model_validate(
        {
            **CALL,
            "call_status": "hibernating",
            "call_type": "hologram",
            "disconnection_reason": "sun_exploded",
            "data_storage_setting": "nothing_at_all",
            "direction": "sideways",
            "agent_version": "latest",
            "brand_new": {"a": [1]},
            "call_analysis": {"user_sentiment": "Amused", "in_two_words": "all good"},
            "call_cost": {"combined_cost": 70, "refund": 1},
        }
    )
    assert not call.has_ended
    assert call.is_analyzed
    assert call.model_extra == {"brand_new": {"a": [1]}}
    assert call.call_analysis.model_extra == {"in_two_words": "all good"}
    assert call.call_cost.combined_cost == 70


@pytest.mark.parametrize(
    ("status", "ended"),
    [("registered", False), ("ongoing", False), ("ended", True), ("error", True), ("not_connected", True)],
)
def test_has_ended(status: str, ended: bool) -> None:
    assert Call(call_id="c", call_status=status).has_ended is ended


def test_the_access_token_is_gone() -> None:
    call = Call.model_validate_json(json.dumps({**CALL, "access_token": "token_private"}))
    assert call.access_token is None
    shown = (repr(call), str(call), call.model_dump_json(), repr(call.model_dump()), repr(call.__dict__))
    shown += (repr(call.model_extra), repr(pickle.dumps(call)), repr(copy.deepcopy(call).__dict__))
    assert not any("token_private" in text for text in shown)
    assert "access_token" not in call.model_dump()
    page = CallPage.model_validate({"items": [{**CALL, "access_token": "token_private"}]})
    assert "token_private" not in page.model_dump_json()


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (
            Call.model_validate({**CALL, "transcript": "private", "x": "private", "from_number": "private"}),
            "call_1",
        ),
        (Call.model_validate({**CALL, "call_analysis": {"call_summary": "private"}}), "ended"),
        (
            CallPage.model_validate({"items": [{**CALL, "transcript": "private"}], "has_more": True}),
            "has_more=True",
        ),
        (BatchCall(batch_call_id="batch_1", name="private", from_number="private"), "batch_1"),
        (ApiKeyInfo(org_id="private", org_name="private"), "ApiKeyInfo()"),
        (LiveUpdate(success=True), "success=True"),
        (Concurrency(current_concurrency=1, concurrency_limit=2), "Concurrency()"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_printing_an_answer_shows_nothing_private(answer: Any, shown: str) -> None:
    for text in (repr(answer), str(answer), f"{answer}", f"{[answer]}", "%s" % answer):  # noqa: UP031
        assert "private" not in text
        assert shown in text


def test_slim_holds_ids_states_and_keys_only() -> None:
    with Emulator() as emulator:
        emulator.add_call(call_id="call_1", metadata={"b": "private", "a": "private"})
        call = Call.model_validate(emulator.calls["call_1"])
    slim = call.slim()
    assert slim["call_id"] == "call_1"
    assert slim["call_status"] == "ended"
    assert slim["metadata_keys"] == ["a", "b"]
    text = json.dumps(slim)
    assert "private" not in text
    assert "http" not in text
    assert "+1415" not in text
    assert None not in Call.model_validate(CALL).slim().values()


@pytest.mark.parametrize(
    ("current", "limit", "reserved", "room"),
    [(3, 20, None, 17), (3, 20, 5, 12), (20, 20, None, 0), (25, 20, None, 0), (18, 20, 5, 0)],
)
def test_room_for_calls(current: int, limit: int, reserved: int | None, room: int) -> None:
    concurrency = Concurrency(
        current_concurrency=current, concurrency_limit=limit, reserved_inbound_concurrency=reserved
    )
    assert concurrency.room == room


def test_answers_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Call.model_validate(CALL).call_id = "other"
