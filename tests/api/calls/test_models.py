"""Models of responses keep new fields and values, and print no private data."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from pydantic import ValidationError

from airflow_provider_retell.api.calls.models import BatchCall, Call, CallPage, CallSummary, LiveUpdate
from airflow_provider_retell.emulator import Emulator

CALL = {"call_id": "call_1", "call_status": "ended"}


def test_only_id_and_status_of_a_call_are_required() -> None:
    call = Call.model_validate_json(json.dumps(CALL))
    assert call.metadata is None
    assert call.has_ended
    assert not call.is_analyzed
    for missing in CALL:
        with pytest.raises(ValidationError):
            Call.model_validate({name: value for name, value in CALL.items() if name != missing})


def test_unknown_fields_and_values_are_kept() -> None:
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


def test_access_token_is_not_kept() -> None:
    call = Call.model_validate_json(json.dumps({**CALL, "access_token": "token_private"}))
    assert call.access_token is None
    shown = (repr(call), str(call), call.model_dump_json(), repr(call.model_dump()), repr(call.__dict__))
    shown += (repr(call.model_extra), repr(pickle.dumps(call)), repr(copy.deepcopy(call).__dict__))
    assert not any("token_private" in text for text in shown)
    assert "access_token" not in call.model_dump()
    page = CallPage.model_validate({"items": [{**CALL, "access_token": "token_private"}]})
    assert "token_private" not in page.model_dump_json()


@pytest.mark.parametrize(
    ("response", "shown"),
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
        (LiveUpdate(success=True), "success=True"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_printed_response_has_no_private_data(response: Any, shown: str) -> None:
    for text in (repr(response), str(response), f"{response}", f"{[response]}", "%s" % response):  # noqa: UP031
        assert "private" not in text
        assert shown in text


def test_slim_has_only_ids_states_and_keys() -> None:
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


def test_response_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Call.model_validate(CALL).call_id = "other"


@pytest.mark.parametrize(
    ("fields", "ended", "analyzed"),
    [
        ({"call_status": "ongoing"}, False, False),
        ({"call_status": "ended"}, True, False),
        ({"call_status": "ended", "call_analysis": {}}, True, True),
        ({"call_status": "hibernating", "call_analysis": {}}, False, True),
    ],
)
def test_call_reaches_the_state_that_a_task_waits_for(
    fields: dict[str, Any], ended: bool, analyzed: bool
) -> None:
    for model in (Call, CallSummary):
        call = model.model_validate({"call_id": "call_1", **fields})
        assert call.has_reached("ended") is ended
        assert call.has_reached("analyzed") is analyzed
