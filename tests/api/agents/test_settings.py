"""The settings of an agent version: their comparison, and their names in messages."""

from __future__ import annotations

from typing import Any

import pytest
from fake_hook import FakeHook

from airflow_provider_retell.api.agents.changes import published_values
from airflow_provider_retell.api.agents.foreign_drafts import ForeignDraft, discard, refuse
from airflow_provider_retell.api.agents.models import Agent, AgentVersion
from airflow_provider_retell.api.agents.retention import MAX_AGENTS, read_retention
from airflow_provider_retell.api.agents.settings import (
    VersionState,
    holds,
    last_modified,
    listed,
    read_engine,
    settings,
)
from airflow_provider_retell.api.engines.models import RetellLlm
from airflow_provider_retell.api.errors import RetellInputError


@pytest.mark.parametrize(
    ("stored", "sent", "expected"),
    [
        ({"a": 1, "added": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": {"b": [1.0]}}, {"a": {"b": [1]}}, True),
        ({"a": 1}, {"a": None, "b": None}, False),
        ({}, {"b": None}, True),
        ([1, 2], [1], False),
        ([{"a": 1, "added": 2}], [{"a": 1}], True),
        ([1, 2], [2, 1], False),
        (" text\n", "text", True),
        ("text", " other", False),
        ("1", 1, False),
        (True, 1, False),
        (None, "", False),
        ([], {}, False),
    ],
)
def test_stored_setting_may_have_more_fields_and_other_space(stored: Any, sent: Any, expected: bool) -> None:
    assert holds(stored, sent) is expected


def test_last_change_is_the_latest_known_one() -> None:
    assert last_modified(5, None, 7.5, "9") == 7.5
    assert last_modified(None, None) is None
    assert last_modified() is None


def test_at_most_twenty_settings_are_named() -> None:
    names = [f"agent.{number:02}" for number in range(22)]
    assert listed(names[1::-1]) == "agent.00, agent.01"
    assert listed(names[:20]) == ", ".join(names[:20])
    assert listed(names) == f"{', '.join(names[:20])} and 2 more"


def test_engine_is_a_setting_but_not_its_version_or_a_time() -> None:
    agent = Agent.read(
        b'{"agent_id": "agent_1", "voice_speed": 1, "version": 3, "last_modification_timestamp": 5, "a_timestamp": 5,'
        b' "response_engine": {"type": "retell-llm", "llm_id": "llm_1", "version": 3}}'
    )
    assert settings(agent) == {
        "voice_speed": 1,
        "response_engine": {"type": "retell-llm", "llm_id": "llm_1"},
    }


def test_version_has_no_engine_if_retell_does_not_name_one() -> None:
    for engine in ({"type": "custom-llm"}, {"type": "retell-llm"}):
        hook = FakeHook()
        assert hook.run(read_engine(Agent(agent_id="agent_1", response_engine=engine))) is None  # type: ignore[arg-type]
        assert hook.operations == []


def test_published_value_that_cannot_be_sent_is_not_set_back() -> None:
    llm = RetellLlm.read(b'{"llm_id": "llm_1", "states": [{"name": ["half \\ud83d"]}], "model": "m"}')
    published = VersionState(
        Agent(agent_id="agent_1", response_engine={"type": "retell-llm"}),  # type: ignore[arg-type]
        1,
        {"agent": {}, "llm": settings(llm)},
    )
    assert published_values(published, frozenset({"llm.model", "agent.voice_id"})) == {
        "llm": {"model": "m"},
        "agent": {"voice_id": None},
    }
    with pytest.raises(
        RetellInputError, match=r"^the published value of llm\.states has half of a surrogate"
    ):
        published_values(published, frozenset({"llm.states"}))


def outdated(version: int, base: int | None) -> ForeignDraft:
    return ForeignDraft(AgentVersion(version=version, is_published=False, base_version=base))


def test_refusal_names_at_most_five_drafts_with_their_reasons() -> None:
    drafts = [outdated(1, None), *[outdated(version, 0) for version in (3, 4, 5, 6)]]
    text = str(refuse("agent_1", 2, drafts))
    assert text.startswith(
        "agent agent_1: draft 1 is older than the published version 2; "
        "draft 3 was forked from version 0, not from the published version 2; "
    )
    assert "draft 6 was forked from version 0, not from the published version 2. Publish or delete" in text
    text = str(refuse("agent_1", 2, [*drafts, outdated(7, 0), outdated(8, 0)]))
    assert "the published version 2; and 2 more drafts. Publish or delete" in text
    assert "draft 7" not in text


def test_nothing_is_read_if_there_is_no_draft_to_discard() -> None:
    hook = FakeHook()
    hook.run(discard("agent_1", "voice", []))
    assert hook.operations == []


def agent(agent_id: str, **fields: Any) -> dict[str, Any]:
    return {"agent_id": agent_id, "response_engine": {"type": "retell-llm", "llm_id": "llm_1"}, **fields}


def test_retention_of_the_given_agents_is_read() -> None:
    hook = FakeHook(
        agent("agent_1", data_storage_retention_days=30),
        agent("agent_2"),
        agent("agent_3", data_storage_retention_days=0.5),
    )
    days = hook.run(read_retention(["agent_1", "agent_2", "agent_3"], "chat"))
    assert days == {"agent_1": 30.0, "agent_3": 0.5}
    assert hook.operations == ["get-chat-agent"] * 3


def test_retention_of_at_most_twenty_agents_of_the_channel_is_read() -> None:
    items = [{"agent_id": f"agent_{n}", "channel": "chat" if n == 0 else "voice"} for n in range(25)]
    hook = FakeHook({"items": items, "has_more": False}, *[agent(f"agent_{n + 1}") for n in range(20)])
    assert hook.run(read_retention([], "voice")) == {}
    assert MAX_AGENTS == 20
    assert hook.operations == ["list-agents", *["get-agent"] * 20]
    assert hook.requests[1].path.startswith("/get-agent/agent_1")
