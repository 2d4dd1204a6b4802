"""Agents and their versions, driven by the vendor's SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import retell
from retell.types import ChatAgentResponse

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Send


# Not the version of the draft.
ENGINE = {"type": "retell-llm", "llm_id": "llm_1", "version": 0}


@pytest.fixture(autouse=True)
def agent(emulator: Emulator) -> None:
    """An agent with a published version 0 and a draft 1."""
    emulator.add_agent(agent_id="agent_1", agent_name="Front desk", llm={"llm_id": "llm_1"})
    emulator.add_agent_version("agent_1", llm={"general_prompt": "New prompt"})


def test_an_agent_without_a_version_is_the_latest_draft(client: Retell) -> None:
    assert client.agent.retrieve("agent_1").version == 1


def test_latest_published_is_the_version_that_was_published_last(emulator: Emulator, client: Retell) -> None:
    emulator.add_agent_version("agent_1", published=True)
    client.agent.publish("agent_1", version=1)
    assert client.agent.retrieve("agent_1", version="latest_published").version == 1
    emulator.add_agent(agent_id="agent_new", published=False)
    with pytest.raises(retell.NotFoundError):
        client.agent.retrieve("agent_new", version="latest_published")


def test_a_tag_resolves_to_its_version_or_else_to_the_latest(emulator: Emulator, client: Retell) -> None:
    emulator.agents["agent_1"].tags.update(prod=0, test=None)
    tagged = client.agent.retrieve("agent_1", version="prod")
    assert (tagged.version, tagged.assigned_tags) == (0, ["prod"])
    assert client.agent.retrieve("agent_1", version="test").version == 1
    with pytest.raises(retell.NotFoundError):
        client.agent.retrieve("agent_1", version="unknown")


def test_a_draft_can_be_changed(client: Retell) -> None:
    changed = client.agent.update("agent_1", version=1, agent_name="Reception")
    assert changed.agent_name == "Reception"
    assert client.agent.retrieve("agent_1", version=0).agent_name == "Front desk"


def test_null_removes_a_setting(client: Retell) -> None:
    client.agent.update("agent_1", version=1, voice_speed=1.5)
    assert client.agent.retrieve("agent_1").voice_speed == 1.5
    client.agent.update("agent_1", version=1, voice_speed=None)  # type: ignore[arg-type]
    assert client.agent.retrieve("agent_1").voice_speed is None


def test_a_published_agent_can_only_change_its_title(client: Retell) -> None:
    with pytest.raises(
        retell.UnprocessableEntityError, match="Cannot update published agent other than version title"
    ):
        client.agent.update("agent_1", version=0, agent_name="Reception")
    assert client.agent.update("agent_1", version=0, version_title="Old").version_title == "Old"


def test_a_fork_copies_agent_and_engine_to_the_same_new_version(emulator: Emulator, client: Retell) -> None:
    fork = client.agent.create_version("agent_1", base_version=0)
    assert (fork.version, fork.base_version, fork.is_published) == (2, 0, False)
    assert fork.response_engine.version == 2
    assert (
        client.llm.retrieve("llm_1", version=2).general_prompt == emulator.llms["llm_1"][0]["general_prompt"]
    )
    client.llm.update("llm_1", version=2, general_prompt="Other")
    assert emulator.llms["llm_1"][0]["general_prompt"] != "Other"


def test_publishing_answers_with_an_empty_body(emulator: Emulator, client: Retell, send: Send) -> None:
    reply = send(emulator, "POST", "/publish-agent-version/agent_1", {"version": 1})
    assert (reply.status, reply.body) == (200, b"")
    assert client.agent.retrieve("agent_1", version=1).is_published


def test_publishing_sets_title_and_description_and_publishes_the_engine(client: Retell) -> None:
    assert client.agent.publish("agent_1", version=1, version_title="v1", version_description="d") is None
    agent = client.agent.retrieve("agent_1", version=1)
    assert (agent.version_title, agent.version_description, agent.is_published) == ("v1", "d", True)
    assert client.llm.retrieve("llm_1", version=1).is_published


@pytest.mark.parametrize(
    ("method", "arguments", "error", "message"),
    [
        ("update", {"version": 1, "extra_body": {"agent_nme": "x"}}, retell.BadRequestError, "'agent_nme'"),
        ("update", {"version": 1, "response_engine": ENGINE}, retell.BadRequestError, None),
        ("create_version", {"base_version": 9}, retell.NotFoundError, None),
        ("publish", {"version": 0}, retell.BadRequestError, "already published"),
        ("delete_version", {"version": 0}, retell.BadRequestError, None),
    ],
)
def test_a_request_that_does_not_fit_the_version_is_refused(
    client: Retell, method: str, arguments: dict[str, Any], error: type[Exception], message: str | None
) -> None:
    with pytest.raises(error, match=message):
        getattr(client.agent, method)("agent_1", **arguments)


def test_the_list_of_versions_has_every_version_and_pages(emulator: Emulator, client: Retell) -> None:
    for _ in range(3):
        emulator.clock.advance(1)
        emulator.add_agent_version("agent_1")
    first = client.agent.list_versions("agent_1", limit=3)
    second = client.agent.list_versions("agent_1", limit=3, pagination_key=first.pagination_key)
    assert (first.has_more, second.has_more) == (True, False)
    items = [*first.items, *second.items]
    assert sorted(item.version for item in items) == [0, 1, 2, 3, 4]
    assert {item.version: item.base_version for item in items}[4] == 0


def test_the_list_of_versions_has_no_order_of_numbers(emulator: Emulator, client: Retell) -> None:
    emulator.clock.advance(1)
    emulator.edit_agent("agent_1", version=0, agent_name="Changed")
    assert [item.version for item in client.agent.list_versions("agent_1").items] == [0, 1]


def test_a_draft_can_be_deleted_with_its_engine(emulator: Emulator, client: Retell) -> None:
    emulator.agents["agent_1"].tags["next"] = 1
    client.agent.delete_version("agent_1", version=1)
    assert list(emulator.agents["agent_1"].versions) == [0]
    assert list(emulator.llms["llm_1"]) == [0]
    assert emulator.agents["agent_1"].tags == {"next": None}


def test_an_unknown_agent_is_not_found_on_any_endpoint(client: Retell) -> None:
    for call in (
        lambda: client.agent.retrieve("agent_none"),
        lambda: client.agent.update("agent_none", agent_name="x"),
        lambda: client.agent.create_version("agent_none", base_version=0),
        lambda: client.agent.publish("agent_none", version=0),
        lambda: client.agent.delete_version("agent_none", version=0),
        lambda: client.agent.list_versions("agent_none"),
        lambda: client.chat_agent.retrieve("agent_1"),  # a voice agent
    ):
        with pytest.raises(retell.NotFoundError, match="not found from agent"):
            call()


def test_a_chat_agent_has_versions_too(emulator: Emulator, client: Retell) -> None:
    emulator.add_agent(agent_id="agent_chat", channel="chat", conversation_flow={})
    agent = client.chat_agent.retrieve("agent_chat")
    assert isinstance(agent, ChatAgentResponse)
    draft = client.chat_agent.create_version("agent_chat", base_version=0)
    assert (
        client.chat_agent.update("agent_chat", version=draft.version, auto_close_message="Bye").version == 1
    )
    client.chat_agent.publish("agent_chat", version=1)
    assert client.chat_agent.retrieve("agent_chat", version="latest_published").version == 1


def test_list_agents_filters_by_channel_and_text(emulator: Emulator, client: Retell) -> None:
    emulator.add_agent(agent_id="agent_chat", agent_name="Chat desk", channel="chat", tags={"prod": 0})

    def ids(**criteria: object) -> set[str]:
        return {item.agent_id for item in client.agent.list(filter_criteria=criteria).items}  # type: ignore[arg-type]

    assert ids() == {"agent_1", "agent_chat"}
    assert ids(channel={"type": "string", "op": "eq", "value": "chat"}) == {"agent_chat"}
    assert ids(query="FRONT") == {"agent_1"}
    assert ids(query="gent_ch") == {"agent_chat"}
    (item,) = client.agent.list(filter_criteria={"query": "chat"}).items
    assert (item.channel, item.agent_name, item.tags["prod"].version) == ("chat", "Chat desk", 0)


def test_list_agents_pages_by_the_query(emulator: Emulator, client: Retell) -> None:
    emulator.add_agent(agent_id="agent_2")
    first = client.agent.list(limit=1)
    second = client.agent.list(limit=1, pagination_key=first.pagination_key)
    assert {first.items[0].agent_id, second.items[0].agent_id} == {"agent_1", "agent_2"}
    assert not second.has_more


def test_a_custom_llm_has_no_engine_to_fork(emulator: Emulator, client: Retell) -> None:
    engine = {"type": "custom-llm", "llm_websocket_url": "wss://llm.example.com"}
    emulator.add_agent(agent_id="agent_custom", response_engine=engine)
    fork = client.agent.create_version("agent_custom", base_version=0)
    assert fork.response_engine.type == "custom-llm"


def test_a_restricted_key_reads_agents_but_does_not_change_them(
    emulator: Emulator, client: Retell, send: Send
) -> None:
    emulator.add_key("key_reader", {"agent": "read"})
    assert send(emulator, "GET", "/get-agent/agent_1", key="key_reader").status == 200
    assert send(emulator, "PATCH", "/update-agent/agent_1", {}, key="key_reader").status == 403
    assert send(emulator, "GET", "/v2/list-phone-numbers", key="key_reader").status == 403
