"""The values in XCom of tasks that return results of the hooks."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter

import airflow_provider_retell.api
from airflow_provider_retell.api.agents.drafts import Draft
from airflow_provider_retell.api.agents.models import Agent
from airflow_provider_retell.api.agents.numbers import BoundNumbers
from airflow_provider_retell.api.agents.publishing import Publication
from airflow_provider_retell.api.calls.models import Call, CallAnalysis, CallPage
from airflow_provider_retell.api.contacts.models import Contact
from airflow_provider_retell.api.engines.models import RetellLlm
from airflow_provider_retell.api.knowledge_bases.models import KnowledgeBase
from airflow_provider_retell.api.phone_numbers.models import PhoneNumber
from airflow_provider_retell.api.records.models import RecordState, RecordSummary
from airflow_provider_retell.api.records.update import UpdateResult
from airflow_provider_retell.api.response_model import ResponseModel
from airflow_provider_retell.hooks.retell import RetellHook

PRIVATE = "private-text"
NUMBER = "+14155550123"
CALL = {
    "call_id": "call_1",
    "call_status": "ended",
    "call_type": "phone_call",
    "agent_id": "agent_1",
    "from_number": NUMBER,
    "to_number": NUMBER,
    "transcript": PRIVATE,
    "recording_url": f"https://{PRIVATE}",
    "metadata": {"tier": PRIVATE},
    "call_analysis": {"call_summary": PRIVATE, "call_successful": True},
    "duration_ms": 1000,
    "added_later": PRIVATE,
}
CONTACT = {
    "contact_id": "contact_1",
    "phone_number": NUMBER,
    "first_name": PRIVATE,
    "contact_memory": PRIVATE,
    "custom_fields": {"note": PRIVATE},
    "conversation_count": 3,
}
NUMBERS = (PhoneNumber.model_validate({"phone_number": NUMBER, "nickname": "support"}),)


def push(value: Any) -> str:
    """Return the text that Airflow stores in XCom for the return value of a task."""
    try:
        from airflow.sdk.bases.xcom import BaseXCom
    except ImportError:  # 2.11
        from airflow.models.xcom import BaseXCom  # type: ignore[assignment]
    stored = BaseXCom.serialize_value(value)
    return stored.decode() if isinstance(stored, bytes) else json.dumps(stored)


def pull(stored: str) -> Any:
    """Return the value that a task gets from XCom."""
    try:
        from airflow.sdk.execution_time.xcom import resolve_xcom_backend  # noqa: F401
    except ImportError:  # 2.11
        from airflow.utils.json import XComDecoder

        return json.loads(stored, cls=XComDecoder)
    try:
        from airflow.sdk.serde import deserialize
    except ImportError:  # 3.0
        from airflow.serialization.serde import deserialize
    value = json.loads(stored)
    return deserialize(json.loads(value) if isinstance(value, str) else value)


def call(**fields: Any) -> Call:
    return Call.model_validate({**CALL, **fields})


@pytest.mark.parametrize(
    ("result", "pulled"),
    [
        (call(), call().slim()),
        (
            UpdateResult(record=call(), sent=True, written=("metadata.tier",)),
            {**call().slim(), "updated": True, "written": ["metadata.tier"]},
        ),
        (call().call_analysis, {}),
        ([call(), call(call_id="call_2")], [call().slim(), call(call_id="call_2").slim()]),
        ({"call": call(), "n": 1}, {"call": call().slim(), "n": 1}),
        ((call(), "ended"), (call().slim(), "ended")),
        (
            CallPage.model_validate({"items": [CALL], "has_more": False}),
            {"has_more": False, "items": [call().slim()]},
        ),
        (Contact.model_validate(CONTACT), {"contact_id": "contact_1", "conversation_count": 3}),
        (
            KnowledgeBase.model_validate(
                {
                    "knowledge_base_id": "kb_1",
                    "status": "complete",
                    "knowledge_base_name": PRIVATE,
                    "knowledge_base_sources": [
                        {
                            "source_id": "source_1",
                            "type": "text",
                            "title": PRIVATE,
                            "url": f"https://{PRIVATE}",
                        }
                    ],
                }
            ),
            {
                "knowledge_base_id": "kb_1",
                "status": "complete",
                "knowledge_base_sources": [{"source_id": "source_1", "type": "text"}],
            },
        ),
        (
            RetellLlm.model_validate({"llm_id": "llm_1", "version": 2, "general_prompt": PRIVATE}),
            {"llm_id": "llm_1", "version": 2},
        ),
        (
            Agent.model_validate(
                {
                    "agent_id": "agent_1",
                    "response_engine": {"type": "retell-llm", "llm_id": "llm_1"},
                    "x": PRIVATE,
                }
            ),
            {"agent_id": "agent_1", "response_engine": {"type": "retell-llm", "llm_id": "llm_1"}},
        ),
        (NUMBERS[0], {"nickname": "support", "last_digits": "0123"}),
        (
            Draft("agent_1", 3, ("llm.general_prompt",), created=True),
            {"agent_id": "agent_1", "version": 3, "changed": ["llm.general_prompt"], "created": True},
        ),
        (
            Publication("agent_1", 3, True, 3, BoundNumbers(pinned=NUMBERS), NUMBERS),
            {
                "agent_id": "agent_1",
                "version": 3,
                "published_now": True,
                "latest_published": 3,
                "rebound": ["support (…0123)"],
                "pinned": ["support (…0123)"],
                "follow_latest": [],
                "follow_tag": [],
            },
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_returned_result_is_stored_without_content(result: Any, pulled: Any) -> None:
    stored = push(result)
    assert PRIVATE not in stored
    assert NUMBER not in stored
    assert pull(stored) == pulled


def test_malformed_phone_number_is_not_stored() -> None:
    """A number in place of text must not be taken for a count."""
    number = int(NUMBER)
    loose = Contact.model_construct(contact_id="contact_1", phone_number=number)
    assert str(number) not in push(loose)


def all_models(base: type[ResponseModel] = ResponseModel) -> Iterator[type[ResponseModel]]:
    for module in pkgutil.walk_packages(airflow_provider_retell.api.__path__, "airflow_provider_retell.api."):
        importlib.import_module(module.name)
    for model in base.__subclasses__():
        yield model
        yield from all_models(model)


def test_every_model_is_stored_without_unknown_fields() -> None:
    """No model takes part in Airflow's own serialization of pydantic models, which would store all fields."""
    found = set(all_models()) - {RecordState, RecordSummary}
    assert len(found) > 40
    for model in found:
        result = model.model_construct(
            call_cost=None, chat_cost=None, metadata={"tier": PRIVATE}, new=PRIVATE
        )
        assert PRIVATE not in push(result), model


def test_models_still_are_ordinary_pydantic_models() -> None:
    whole = call()
    assert Call.model_validate(whole.model_dump()) == whole
    assert whole.model_dump(mode="json")["transcript"] == PRIVATE
    assert TypeAdapter(list[Call]).validate_python([CALL]) == [whole]
    assert isinstance(whole.call_analysis, CallAnalysis)


def test_hook_is_the_source_of_the_results() -> None:
    """Importing the hook is enough for a task to pull its results."""
    assert RetellHook.get_call is not None
    assert pull(push(call()))["call_id"] == "call_1"
