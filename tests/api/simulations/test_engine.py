"""Response engines that can be simulated."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.simulations.response_engine import Engine

LLM = {"type": "retell-llm", "llm_id": "llm_1"}
FLOW = {"type": "conversation-flow", "conversation_flow_id": "flow_1"}


@pytest.mark.parametrize(
    ("fields", "engine", "words"),
    [
        (LLM, Engine("retell-llm", "llm_1"), "LLM llm_1"),
        ({**LLM, "version": 0}, Engine("retell-llm", "llm_1", 0), "LLM llm_1 version 0"),
        (
            {**FLOW, "version": 3.0},
            Engine("conversation-flow", "flow_1", 3),
            "conversation flow flow_1 version 3",
        ),
    ],
)
def test_engine_is_described_by_the_field_of_the_agent(fields: Any, engine: Engine, words: str) -> None:
    assert Engine.of(fields) == engine
    assert str(engine) == words
    assert engine.fields() == fields
    assert engine.fields(version=False) == {name: fields[name] for name in fields if name != "version"}


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        (
            {"type": "custom-llm", "llm_websocket_url": "wss://pr1vate"},
            "agent_1 has a .* of the type 'custom-llm'",
        ),
        ({"type": "pr1vate"}, "agent_1 has a response engine of the type 'unknown'"),
        ({}, "agent_1 has a response engine of the type 'unknown'"),
        ({"type": "retell-llm", "llm_id": ""}, "^llm_id is empty"),
        ({**LLM, "version": 1.5}, "^agent_1: the version of the response engine must be a whole number"),
        ({**LLM, "version": True}, "^agent_1: the version of the response engine must be a whole number"),
        (
            {**LLM, "version": "pr1vate"},
            "^agent_1: the version of the response engine must be a whole number",
        ),
    ],
)
def test_other_engines_are_rejected_and_not_quoted(fields: Any, fault: str) -> None:
    with pytest.raises(RetellInputError, match=fault) as caught:
        Engine.of(fields, "agent_1")
    assert "pr1vate" not in str(caught.value)
