"""Drafts of agent versions: Retell's versions are the only state, and published versions never change."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.errors import (
    AgentVersionError,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
    RetellInputError,
    UpdateMismatchError,
)
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.hooks.retell import RetellHook

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("sleeps")

PROMPT = {"general_prompt": "New prompt"}


@pytest.fixture
def emulator(retell_emulator: Emulator, retell_connection: str) -> Iterator[Emulator]:
    """An agent with the published version 1, and the check that published versions never change."""
    retell_emulator.add_agent(agent_id="agent_1", llm={"llm_id": "llm_1", "general_prompt": "Old prompt"})
    retell_emulator.add_agent_version("agent_1", published=True)
    before = copy.deepcopy((retell_emulator.agents["agent_1"].versions, retell_emulator.llms))
    yield retell_emulator
    for number in (0, 1):
        assert retell_emulator.agents["agent_1"].versions[number] == before[0][number]
        assert retell_emulator.llms["llm_1"][number] == before[1]["llm_1"][number]


@pytest.fixture
def hook() -> Iterator[RetellHook]:
    with RetellHook() as hook:
        yield hook


def writes(emulator: Emulator) -> list[str]:
    """Return the names of the requests that change something, in order."""
    return [request.route or "" for request in emulator.requests if request.method != "GET"]


def test_a_draft_is_the_published_version_plus_the_changes(client: Any, emulator: Emulator) -> None:
    draft = client.draft_agent_version("agent_1", agent={"voice_speed": 1.2}, llm=PROMPT)
    assert (draft.version, draft.created) == (2, True)
    assert draft.changed == ("agent.voice_speed", "llm.general_prompt")
    agent, llm = emulator.agents["agent_1"].versions[2], emulator.llms["llm_1"][2]
    assert (agent["base_version"], agent["is_published"], agent["voice_speed"]) == (1, False, 1.2)
    assert llm["general_prompt"] == "New prompt"
    published = emulator.llms["llm_1"][1]
    differing = {name for name in llm if llm[name] != published.get(name)}
    assert differing == {"general_prompt", "version", "is_published", "last_modification_timestamp"}


def test_only_differences_are_sent(client: Any, emulator: Emulator) -> None:
    client.draft_agent_version("agent_1", llm={**PROMPT, "model": "gpt-4.1", "start_speaker": "user"})
    (update,) = [request for request in emulator.requests if request.method == "PATCH"]
    assert (update.path, update.body) == (
        "/update-retell-llm/llm_1?version=2",
        {"general_prompt": "New prompt", "start_speaker": "user"},
    )


def test_a_second_run_sends_only_reads(client: Any, emulator: Emulator) -> None:
    first = client.draft_agent_version("agent_1", llm=PROMPT)
    emulator.clear_requests()
    second = client.draft_agent_version("agent_1", llm=PROMPT)
    assert (second.version, second.changed, second.created) == (first.version, first.changed, False)
    assert writes(emulator) == []


def test_nothing_is_drafted_if_the_published_version_has_all_settings(
    client: Any, emulator: Emulator
) -> None:
    draft = client.draft_agent_version(
        "agent_1", llm={"general_prompt": "Old prompt"}, agent={"voice_speed": None}
    )
    assert (draft.version, draft.changed, draft.created) == (1, (), False)
    assert [request.route for request in emulator.requests] == ["get-agent", "get-retell-llm"]


def test_none_removes_a_setting(hook: RetellHook, emulator: Emulator) -> None:
    draft = hook.draft_agent_version("agent_1", llm={"begin_message": None})
    assert draft.changed == ("llm.begin_message",)
    assert "begin_message" not in emulator.llms["llm_1"][2]


def test_a_draft_of_an_earlier_try_with_other_values_is_used_again(
    hook: RetellHook, emulator: Emulator
) -> None:
    emulator.add_agent_version("agent_1", llm={"general_prompt": "Half a prompt"})
    draft = hook.draft_agent_version("agent_1", llm=PROMPT)
    assert (draft.version, draft.created) == (2, False)
    assert emulator.llms["llm_1"][2]["general_prompt"] == "New prompt"
    assert emulator.count("create-agent-version") == 0


def test_the_newest_draft_of_earlier_tries_is_used(client: Any, emulator: Emulator) -> None:
    for number in range(2, 13):
        emulator.add_agent_version("agent_1", llm={"general_prompt": f"Prompt {number}"})
    emulator.clock.advance(1)
    emulator.edit_agent("agent_1", version=3)  # Retell lists it first then
    assert [version.version for version in client.list_agent_versions("agent_1")] == [*range(12, -1, -1)]
    assert client.draft_agent_version("agent_1", llm=PROMPT).version == 12


def test_a_draft_that_equals_the_published_version_is_used(hook: RetellHook, emulator: Emulator) -> None:
    emulator.add_agent_version("agent_1")
    assert hook.draft_agent_version("agent_1", llm=PROMPT).version == 2


def test_a_conversation_flow_is_drafted_like_an_llm(client: Any, emulator: Emulator) -> None:
    emulator.add_agent(agent_id="agent_2", conversation_flow={"conversation_flow_id": "flow_1"})
    draft = client.draft_agent_version("agent_2", conversation_flow={"global_prompt": "New prompt"})
    assert (draft.version, draft.changed) == (1, ("conversation_flow.global_prompt",))
    assert emulator.conversation_flows["flow_1"][1]["global_prompt"] == "New prompt"


def test_a_chat_agent_needs_its_channel(client: Any, emulator: Emulator) -> None:
    emulator.add_agent(agent_id="agent_chat", channel="chat")
    changes = {"agent": {"auto_close_message": "Bye"}}
    with pytest.raises(NotFoundError, match="it may be a chat agent: set channel='chat'"):
        client.draft_agent_version("agent_chat", **changes)
    assert client.draft_agent_version("agent_chat", channel="chat", **changes).version == 1


# -- drafts with other changes


def foreign(emulator: Emulator) -> None:
    """Add a draft with changes made by hand: one added, one changed, one removed."""
    emulator.add_agent_version(
        "agent_1", agent_name="By hand", volume=1.5, llm={"begin_message": None, "general_prompt": "By hand"}
    )


def test_a_foreign_draft_fails_and_names_the_settings(client: Any, emulator: Emulator) -> None:
    foreign(emulator)
    with pytest.raises(AgentVersionError) as caught:
        client.draft_agent_version("agent_1", llm=PROMPT)
    message = str(caught.value)
    assert (
        "draft 2 has other changes than this task makes: agent.agent_name, agent.volume, llm.begin_message"
        in message
    )
    assert "By hand" not in message
    assert writes(emulator) == []


def test_overwriting_sets_other_changes_back(client: Any, emulator: Emulator) -> None:
    foreign(emulator)
    draft = client.draft_agent_version("agent_1", llm=PROMPT, on_foreign_draft="overwrite")
    assert (draft.version, draft.changed, draft.created) == (2, ("llm.general_prompt",), False)
    assert_draft_has_only_the_prompt(emulator, 2)


def test_discarding_deletes_the_draft_and_forks_a_new_one(client: Any, emulator: Emulator) -> None:
    foreign(emulator)
    emulator.add_agent_version("agent_1", base_version=0, agent_name="Outdated")
    draft = client.draft_agent_version("agent_1", llm=PROMPT, on_foreign_draft="discard")
    assert draft.created
    assert set(emulator.agents["agent_1"].versions) == {0, 1, draft.version}
    assert_draft_has_only_the_prompt(emulator, draft.version)


def assert_draft_has_only_the_prompt(emulator: Emulator, number: int) -> None:
    versions, engines = emulator.agents["agent_1"].versions, emulator.llms["llm_1"]
    own = ("version", "base_version", "is_published", "last_modification_timestamp", "response_engine")
    assert {k: v for k, v in versions[number].items() if k not in own} == {
        k: v for k, v in versions[1].items() if k not in own
    }
    assert {k: v for k, v in engines[number].items() if k not in own} == {
        **{k: v for k, v in engines[1].items() if k not in own},
        **PROMPT,
    }


def test_the_draft_of_the_task_is_used_although_there_is_a_foreign_one(
    hook: RetellHook, emulator: Emulator
) -> None:
    emulator.add_agent_version("agent_1", llm={"general_prompt": "Half a prompt"})
    foreign(emulator)
    assert hook.draft_agent_version("agent_1", llm=PROMPT).version == 2


def test_a_draft_that_is_older_than_the_published_version_fails(hook: RetellHook, emulator: Emulator) -> None:
    emulator.add_agent_version("agent_1", base_version=0, llm=PROMPT)
    with pytest.raises(
        AgentVersionError, match="draft 2 was forked from version 0, not from the published version 1"
    ):
        hook.draft_agent_version("agent_1", llm=PROMPT)
    assert writes(emulator) == []


def test_overwriting_leaves_an_older_draft_alone_and_forks(hook: RetellHook, emulator: Emulator) -> None:
    emulator.add_agent_version("agent_1", base_version=0, agent_name="Outdated")
    draft = hook.draft_agent_version("agent_1", llm=PROMPT, on_foreign_draft="overwrite")
    assert (draft.version, draft.created) == (3, True)
    assert emulator.agents["agent_1"].versions[2]["agent_name"] == "Outdated"
    assert emulator.agents["agent_1"].versions[3]["base_version"] == 1


@pytest.mark.parametrize(("number", "outdated"), [(2, False), (0, True)])
def test_a_draft_without_a_base_version_is_older_if_its_number_is(
    hook: RetellHook, emulator: Emulator, number: int, outdated: bool
) -> None:
    agent = emulator.agents["agent_1"]
    if not outdated:
        emulator.add_agent_version("agent_1")
    else:
        emulator.add_agent(agent_id="agent_old", llm={"llm_id": "llm_old"}, published=False)
        emulator.add_agent_version("agent_old", base_version=0, published=True)
        agent = emulator.agents["agent_old"]
    agent.versions[number].pop("base_version", None)
    if outdated:
        with pytest.raises(AgentVersionError, match="draft 0 is older than the published version 1"):
            hook.draft_agent_version("agent_old", llm=PROMPT)
    else:
        assert hook.draft_agent_version("agent_1", llm=PROMPT).version == 2


def test_a_draft_that_a_number_or_tag_uses_is_not_deleted(hook: RetellHook, emulator: Emulator) -> None:
    foreign(emulator)
    bound = [{"agent_id": "agent_1", "agent_version": 2, "weight": 1}]
    emulator.add_phone_number("+14155550100", nickname="Main line", inbound_agents=bound)
    emulator.agents["agent_1"].tags["test"] = 2
    with pytest.raises(AgentVersionError, match=r"phone number Main line \(…0100\), the tag 'test'"):
        hook.draft_agent_version("agent_1", llm=PROMPT, on_foreign_draft="discard")
    assert 2 in emulator.agents["agent_1"].versions


# -- agents that were never published


@pytest.fixture
def unpublished(emulator: Emulator) -> None:
    emulator.add_agent(
        agent_id="agent_new", published=False, llm={"llm_id": "llm_new", "general_prompt": "Old prompt"}
    )


@pytest.mark.usefixtures("unpublished")
@pytest.mark.parametrize("policy", ["fail", "discard"])
def test_an_agent_that_was_never_published_fails(hook: RetellHook, emulator: Emulator, policy: Any) -> None:
    with pytest.raises(AgentVersionError, match="was never published, so draft 0 cannot be compared"):
        hook.draft_agent_version("agent_new", llm=PROMPT, on_foreign_draft=policy)
    assert writes(emulator) == []


@pytest.mark.usefixtures("unpublished")
def test_overwriting_changes_the_draft_of_an_agent_that_was_never_published(
    hook: RetellHook, emulator: Emulator
) -> None:
    for _ in range(2):
        draft = hook.draft_agent_version("agent_new", llm=PROMPT, on_foreign_draft="overwrite")
        assert (draft.version, draft.changed, draft.created) == (0, ("llm.general_prompt",), False)
    assert emulator.llms["llm_new"][0]["general_prompt"] == "New prompt"
    assert emulator.count("update-retell-llm") == 1


def test_a_draft_that_is_deleted_before_it_is_read_is_not_used(hook: RetellHook, emulator: Emulator) -> None:
    emulator.add_agent_version("agent_1", llm=PROMPT)
    gone = Fault.status(404, body={"status": "error", "message": "Version 2 not found"})
    emulator.faults.add(gone, route="get-agent", after=1)
    draft = hook.draft_agent_version("agent_1", llm=PROMPT)
    assert (draft.version, draft.created) == (3, True)


# -- values that Retell stores in another form


@pytest.mark.parametrize("lost_responses", [0, 1])
def test_settings_that_retell_stores_as_they_are_published_leave_no_draft(
    hook: RetellHook, emulator: Emulator, lost_responses: int
) -> None:
    tool = {"type": "end_call", "name": "bye"}
    emulator.options.tool_defaults = {"speak_after_execution": False}
    first = hook.draft_agent_version("agent_1", llm={"general_tools": [tool]})
    hook.publish_agent_version("agent_1", version=first.version)
    emulator.clear_requests()
    if lost_responses:
        emulator.faults.add(Fault.drop_after(), route="delete-agent-version", times=lost_responses)
    second = hook.draft_agent_version("agent_1", llm={"general_tools": [tool]})
    assert (second.version, second.changed, second.created) == (first.version, (), False)
    assert max(emulator.agents["agent_1"].versions) == first.version
    assert emulator.count("delete-agent-version") == 1 + lost_responses
    # A draft that the task has not created stays.
    emulator.add_agent_version("agent_1")
    third = hook.draft_agent_version("agent_1", llm={"general_tools": [tool]})
    assert (third.version, third.created) == (first.version, False)
    assert emulator.count("delete-agent-version") == 1 + lost_responses


def test_a_setting_that_retell_drops_is_an_error(hook: RetellHook, serve_dropping: Any) -> None:
    with pytest.raises(
        UpdateMismatchError, match=r"differ from the values sent: llm\.general_prompt"
    ) as caught:
        hook.draft_agent_version("agent_1", llm=PROMPT)
    assert caught.value.fields == ("llm.general_prompt",)
    assert "New prompt" not in str(caught.value)


@pytest.fixture
def serve_dropping(emulator: Emulator, mocker: Any) -> None:
    """Let the emulator accept updates of LLMs and ignore them."""
    mocker.patch.object(emulator.organization.llm_backend, "change", lambda engine, _fields: engine)


def test_space_around_a_text_may_differ(hook: RetellHook, emulator: Emulator, mocker: Any) -> None:
    backend = emulator.organization.llm_backend
    change = backend.change
    mocker.patch.object(
        backend,
        "change",
        lambda engine, fields: change(
            engine, {k: v.strip() if isinstance(v, str) else v for k, v in fields.items()}
        ),
    )
    assert hook.draft_agent_version("agent_1", llm={"general_prompt": "New prompt\n"}).version == 2
    # The published prompt is the stripped one, so nothing is left to draft.
    hook.publish_agent_version("agent_1", version=2)
    assert hook.draft_agent_version("agent_1", llm={"general_prompt": "New prompt\n"}).version == 2


def test_a_misspelled_setting_is_rejected_by_retell(hook: RetellHook, emulator: Emulator) -> None:
    with pytest.raises(BadRequestError) as caught:
        hook.draft_agent_version("agent_1", llm={"general_promt": "pr1vate"})
    assert "pr1vate" not in str(caught.value)
    # The draft that was forked is used after the mistake is corrected.
    assert hook.draft_agent_version("agent_1", llm=PROMPT).version == 2


# -- phone numbers that follow the latest version


@pytest.mark.usefixtures("whole_log")
def test_numbers_that_follow_the_latest_version_are_named_in_a_warning(
    hook: RetellHook, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    for digits, version in (("0100", None), ("0101", "latest"), ("0102", "latest_published"), ("0103", 1)):
        bound = {"agent_id": "agent_1", "weight": 1} | ({} if version is None else {"agent_version": version})
        emulator.add_phone_number(f"+1415555{digits}", nickname=f"Line {digits}", inbound_agents=[bound])
    hook.draft_agent_version("agent_1", llm=PROMPT)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "calls of Line 0100 (…0100), Line 0101 (…0101) use draft 2 from now on" in warning
    assert "1415" not in caplog.text


def test_a_key_that_cannot_read_numbers_can_draft(hook: RetellHook, emulator: Emulator, connect: Any) -> None:
    emulator.add_key("key_agents", {"agent": "edit"})
    connect(emulator.url, password="key_agents")
    assert hook.draft_agent_version("agent_1", llm=PROMPT).version == 2
    assert emulator.count("list-phone-numbers", status=403) == 1


def test_discarding_needs_the_permission_to_read_numbers(
    hook: RetellHook, emulator: Emulator, connect: Any
) -> None:
    foreign(emulator)
    emulator.add_key("key_agents", {"agent": "edit"})
    connect(emulator.url, password="key_agents")
    with pytest.raises(PermissionDeniedError):
        hook.draft_agent_version("agent_1", llm=PROMPT, on_foreign_draft="discard")
    assert 2 in emulator.agents["agent_1"].versions


# -- invalid input


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, "set agent, llm or conversation_flow"),
        ({"llm": {}}, "llm must be a dict with at least one setting"),
        ({"llm": ["pr1vate"]}, "llm must be a dict with at least one setting"),
        ({"llm": PROMPT, "conversation_flow": {"nodes": []}}, "llm or conversation_flow, not both"),
        ({"llm": {"version": 3}}, "must not contain version: a draft cannot change that"),
        ({"agent": {"response_engine": {"type": "retell-llm"}}}, "must not contain response_engine"),
        ({"agent": {"version_title": "pr1vate"}}, "must not contain version_title"),
        ({"llm": {"general_prompt": b"pr1vate"}}, "general_prompt is bytes"),
        ({"llm": PROMPT, "on_foreign_draft": "keep"}, "on_foreign_draft must be one of"),
        ({"llm": PROMPT, "channel": "sms"}, "channel must be one of voice, chat"),
    ],
)
def test_invalid_input_is_rejected_before_a_request(
    hook: RetellHook, emulator: Emulator, changes: dict[str, Any], fault: str
) -> None:
    with pytest.raises(RetellInputError, match=fault) as caught:
        hook.draft_agent_version("agent_1", **changes)
    assert emulator.requests == []
    assert "pr1vate" not in str(caught.value)


def test_an_unknown_agent_is_not_found(client: Any, emulator: Emulator) -> None:
    with pytest.raises(NotFoundError):
        client.draft_agent_version("agent_none", llm=PROMPT)
    assert writes(emulator) == []


def test_the_settings_must_fit_the_engine_of_the_agent(hook: RetellHook, emulator: Emulator) -> None:
    engine = {"type": "custom-llm", "llm_websocket_url": "wss://llm.example.com"}
    emulator.add_agent(agent_id="agent_custom", response_engine=engine)
    for agent_id, changes in (
        ("agent_custom", {"llm": PROMPT}),
        ("agent_1", {"conversation_flow": {"global_prompt": "x"}}),
    ):
        with pytest.raises(RetellInputError, match="the agent has a response engine of the type"):
            hook.draft_agent_version(agent_id, **changes)
    assert writes(emulator) == []
    assert hook.draft_agent_version("agent_custom", agent={"voice_speed": 1.2}).version == 1
