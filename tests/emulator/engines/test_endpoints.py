"""Retell LLMs and conversation flows, driven by the vendor's SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import retell

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Make, Send


@pytest.fixture(autouse=True)
def agents(emulator: Emulator) -> None:
    """An agent with an LLM and one with a conversation flow, each with a published version 0 and a draft 1."""
    emulator.add_agent(agent_id="agent_1", llm={"llm_id": "llm_1"})
    emulator.add_agent(agent_id="agent_2", conversation_flow={"conversation_flow_id": "conversation_flow_1"})
    for agent_id in ("agent_1", "agent_2"):
        emulator.add_agent_version(agent_id)


def test_a_draft_can_be_changed(client: Retell) -> None:
    assert client.llm.update("llm_1", version=1, general_prompt="Hi").general_prompt == "Hi"
    flow = client.conversation_flow.update("conversation_flow_1", version=1, global_prompt="Hi")
    assert flow.global_prompt == "Hi"


def test_an_update_without_a_version_changes_the_latest(emulator: Emulator, client: Retell) -> None:
    client.llm.update("llm_1", general_prompt="Hi")
    assert emulator.llms["llm_1"][1]["general_prompt"] == "Hi"


def test_a_published_engine_cannot_be_changed(client: Retell) -> None:
    with pytest.raises(retell.BadRequestError, match="Cannot update published LLM"):
        client.llm.update("llm_1", version=0, general_prompt="Hi")
    with pytest.raises(retell.BadRequestError, match="Cannot update published"):
        client.conversation_flow.update("conversation_flow_1", version=0, global_prompt="Hi")


def test_there_is_no_endpoint_that_creates_a_version_of_an_engine(emulator: Emulator, send: Send) -> None:
    assert send(emulator, "POST", "/create-retell-llm-version/llm_1", {"base_version": 0}).status == 404


def test_an_unknown_engine_or_version_is_not_found(client: Retell) -> None:
    for call in (
        lambda: client.llm.retrieve("llm_none"),
        lambda: client.llm.retrieve("llm_1", version=9),
        lambda: client.llm.update("llm_none", general_prompt="Hi"),
        lambda: client.conversation_flow.retrieve("conversation_flow_none"),
        lambda: client.conversation_flow.update("conversation_flow_1", version=9, global_prompt="Hi"),
    ):
        with pytest.raises(retell.NotFoundError):
            call()


def test_an_unknown_field_is_refused(client: Retell) -> None:
    with pytest.raises(retell.BadRequestError, match="'general_promt'"):
        client.llm.update("llm_1", extra_body={"general_promt": "Hi"})


def test_lists_have_each_engine_once(client: Retell) -> None:
    assert [(llm.llm_id, llm.version) for llm in client.llm.list().items] == [("llm_1", 1)]
    (flow,) = client.conversation_flow.list().items
    assert flow.conversation_flow_id == "conversation_flow_1"


def test_tools_can_get_defaults(make: Make, connect: Any) -> None:
    emulator = make(tool_defaults={"speak_after_execution": True})
    emulator.add_agent(agent_id="agent_1", llm={"llm_id": "llm_1"}, published=False)
    tools = [
        {"type": "end_call", "name": "bye"},
        {"type": "end_call", "name": "x", "speak_after_execution": False},
    ]
    connect(emulator).llm.update("llm_1", general_tools=tools)
    assert [tool["speak_after_execution"] for tool in emulator.llms["llm_1"][0]["general_tools"]] == [
        True,
        False,
    ]
