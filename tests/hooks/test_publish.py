"""Publications of agent versions: once, proved by the list of versions, and checked against the phone numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from broken_server import replace

from airflow_provider_retell.api.errors import (
    AgentVersionError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RetellConnectionError,
    RetellInputError,
    RetellResponseError,
)
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.hooks.retell import RetellHook

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("sleeps")

NUMBER = "+1415555"


@pytest.fixture
def emulator(retell_emulator: Emulator, retell_connection: str) -> Emulator:
    """An agent with the published version 0 and the draft 1."""
    retell_emulator.add_agent(agent_id="agent_1")
    retell_emulator.add_agent_version("agent_1")
    return retell_emulator


@pytest.fixture
def hook() -> Iterator[RetellHook]:
    with RetellHook() as hook:
        yield hook


def bind(
    emulator: Emulator, digits: str, *versions: Any, field: str = "inbound_agents", **fields: Any
) -> None:
    """Add a number that is bound to *versions* of the agent; None means a binding without a version."""
    bound = [
        {"agent_id": "agent_1", "weight": 1 / len(versions)}
        | ({} if version is None else {"agent_version": version})
        for version in versions
    ]
    emulator.add_phone_number(NUMBER + digits, nickname=f"Line {digits}", **{field: bound}, **fields)


def test_a_draft_is_published_and_read_back(client: Any, emulator: Emulator) -> None:
    done = client.publish_agent_version_checked(
        "agent_1", version=1, version_title="9f8a7c1", version_description="From git"
    )
    assert (done.version, done.sent, done.latest_published) == (1, True, 1)
    version = emulator.agents["agent_1"].versions[1]
    assert (version["is_published"], version["version_title"]) == (True, "9f8a7c1")
    assert version["version_description"] == "From git"
    assert [request.route for request in emulator.requests] == [
        "get-agent",
        "get-agent",
        "publish-agent-version",
        "list-agent-versions",
        "get-agent",
        "list-phone-numbers",
    ]


def test_a_published_version_is_not_published_again(client: Any, emulator: Emulator) -> None:
    client.publish_agent_version_checked("agent_1", version=1)
    again = client.publish_agent_version_checked("agent_1", version=1, version_title="Other")
    assert (again.sent, again.latest_published) == (False, 1)
    assert emulator.count("publish-agent-version") == 1
    assert "version_title" not in emulator.agents["agent_1"].versions[1]


def test_the_first_version_of_an_agent_can_be_published(hook: RetellHook, emulator: Emulator) -> None:
    emulator.add_agent(agent_id="agent_new", published=False)
    assert hook.publish_agent_version_checked("agent_new", version=0).sent


def test_a_chat_agent_is_published_in_the_same_way(hook: RetellHook, emulator: Emulator) -> None:
    emulator.add_agent(agent_id="agent_chat", channel="chat", published=False)
    assert hook.publish_agent_version_checked("agent_chat", version=0, channel="chat").sent


# -- the outcome of the request is unknown


def test_a_request_that_is_throttled_is_sent_again(hook: RetellHook, emulator: Emulator) -> None:
    emulator.faults.add(Fault.status(429), route="publish-agent-version", times=2)
    assert hook.publish_agent_version_checked("agent_1", version=1).sent
    assert emulator.count("publish-agent-version", status=200) == 1


def test_a_version_that_another_client_publishes_meanwhile_counts_as_published(
    hook: RetellHook, emulator: Emulator
) -> None:
    def published_first(endpoint: Any) -> Any:
        def publish(organization: Any, request: Any) -> Any:
            agents = organization.agent_backend
            agents.publish(agents.find("agent_1"), 1)
            return endpoint(organization, request)

        return publish

    replace("publish-agent-version", published_first)(emulator)
    done = hook.publish_agent_version_checked("agent_1", version=1)
    assert (done.sent, done.latest_published) == (False, 1)


def test_the_original_error_is_raised_if_the_version_cannot_be_read_back(
    hook: RetellHook, emulator: Emulator
) -> None:
    emulator.faults.add(Fault.drop(), route="publish-agent-version")
    emulator.faults.add(Fault.status(401), route="get-agent", after=2)
    with pytest.raises(RetellConnectionError):
        hook.publish_agent_version_checked("agent_1", version=1)


def test_a_success_that_the_list_of_versions_does_not_show_is_an_error(
    hook: RetellHook, emulator: Emulator
) -> None:
    emulator.faults.add(Fault.status(200), route="publish-agent-version")
    with pytest.raises(RetellResponseError, match="does not show the version as published") as caught:
        hook.publish_agent_version_checked("agent_1", version=1)
    assert not caught.value.permanent


# -- versions that must not be published


def test_a_draft_that_is_older_than_the_published_version_is_not_published(
    client: Any, emulator: Emulator
) -> None:
    emulator.add_agent_version("agent_1", published=True)
    with pytest.raises(AgentVersionError, match="was forked from version 0, but version 2 is published now"):
        client.publish_agent_version_checked("agent_1", version=1)
    assert emulator.count("publish-agent-version") == 0


@pytest.mark.parametrize(("later", "fails"), [(True, True), (False, False)])
def test_a_draft_without_a_base_version_is_older_if_its_number_is(
    hook: RetellHook, emulator: Emulator, later: bool, fails: bool
) -> None:
    del emulator.agents["agent_1"].versions[1]["base_version"]
    if later:
        emulator.add_agent_version("agent_1", published=True)
        with pytest.raises(AgentVersionError, match="version 1 is older, but version 2 is published now"):
            hook.publish_agent_version_checked("agent_1", version=1)
    else:
        assert hook.publish_agent_version_checked("agent_1", version=1).sent


@pytest.mark.parametrize(("agent_id", "version"), [("agent_none", 0), ("agent_1", 9)])
def test_an_unknown_agent_or_version_is_not_found(
    client: Any, emulator: Emulator, agent_id: str, version: int
) -> None:
    with pytest.raises(NotFoundError):
        client.publish_agent_version_checked(agent_id, version=version)
    assert emulator.count("publish-agent-version") == 0


@pytest.mark.parametrize(
    ("agent_id", "arguments"),
    [
        ("agent_1", {"version": -1}),
        ("agent_1", {"version": "1"}),
        ("agent_1", {"version": 1, "version_title": ""}),
        ("agent_1", {"version": 1, "channel": "sms"}),
        ("not an id", {"version": 1}),
    ],
)
def test_invalid_input_is_rejected_before_a_request(
    hook: RetellHook, emulator: Emulator, agent_id: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(RetellInputError):
        hook.publish_agent_version_checked(agent_id, **arguments)
    assert emulator.requests == []


# -- phone numbers


def labels(numbers: Any) -> list[str]:
    return [number.nickname for number in numbers]


@pytest.mark.usefixtures("whole_log")
def test_numbers_that_do_not_use_the_version_are_reported(
    client: Any, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    emulator.agents["agent_1"].tags.update(prod=1, old=0)
    bind(emulator, "0100", 0)
    bind(emulator, "0101", "0", field="outbound_sms_agents")
    bind(emulator, "0102", None)
    bind(emulator, "0103", "latest", field="outbound_agents")
    bind(emulator, "0104", "old")
    for digits, version in (("0105", 1), ("0106", "latest_published"), ("0107", "prod")):
        bind(emulator, digits, version)
    other = [{"agent_id": "agent_2", "agent_version": 0, "weight": 1}]
    emulator.add_phone_number(NUMBER + "0108", nickname="Line 0108", inbound_agents=other)
    done = client.publish_agent_version_checked("agent_1", version=1)
    assert labels(done.numbers.pinned) == ["Line 0100", "Line 0101"]
    assert labels(done.numbers.follow_latest) == ["Line 0102", "Line 0103"]
    assert labels(done.numbers.follow_tag) == ["Line 0104"]
    assert done.rebound == ()
    assert "Line 0100 (…0100), Line 0101 (…0101)" in caplog.text
    assert "1415" not in caplog.text
    assert emulator.count("update-phone-number") == 0


def test_pinned_numbers_are_rebound_and_keep_everything_else(client: Any, emulator: Emulator) -> None:
    emulator.add_agent(agent_id="agent_2")
    inbound = [
        {"agent_id": "agent_1", "agent_version": 0, "weight": 0.3},
        {"agent_id": "agent_1", "agent_version": "latest_published", "weight": 0.3},
        {"agent_id": "agent_2", "agent_version": 0, "weight": 0.4},
    ]
    outbound = [{"agent_id": "agent_2", "weight": 1}]
    emulator.add_phone_number(NUMBER + "0100", inbound_agents=inbound, outbound_agents=outbound)
    bind(emulator, "0101", None)
    done = client.publish_agent_version_checked("agent_1", version=1, rebind_numbers=True)
    assert [number.last_digits for number in done.rebound] == ["0100"]
    assert done.numbers.pinned == ()
    assert labels(done.numbers.follow_latest) == ["Line 0101"]
    number = emulator.phone_numbers[NUMBER + "0100"]
    assert number["inbound_agents"] == [{**inbound[0], "agent_version": 1}, *inbound[1:]]
    (update,) = [request for request in emulator.requests if request.route == "update-phone-number"]
    assert set(update.body) == {"inbound_agents"}


def test_an_interrupted_rebinding_is_finished_by_a_retry(hook: RetellHook, emulator: Emulator) -> None:
    for digits in ("0100", "0101", "0102"):
        bind(emulator, digits, 0)
    emulator.faults.add(Fault.status(402), route="update-phone-number", after=1)
    with pytest.raises(PaymentRequiredError):
        hook.publish_agent_version_checked("agent_1", version=1, rebind_numbers=True)
    done = hook.publish_agent_version_checked("agent_1", version=1, rebind_numbers=True)
    assert (done.sent, len(done.rebound)) == (False, 2)
    bound = [number["inbound_agents"][0]["agent_version"] for number in emulator.phone_numbers.values()]
    assert bound == [1, 1, 1]
    assert emulator.count("publish-agent-version") == 1


def test_numbers_are_not_bound_back_to_a_version_that_is_no_longer_live(
    hook: RetellHook, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    hook.publish_agent_version_checked("agent_1", version=1)
    emulator.add_agent_version("agent_1", published=True)
    bind(emulator, "0100", 2)
    done = hook.publish_agent_version_checked("agent_1", version=1, rebind_numbers=True)
    assert (done.latest_published, done.rebound) == (2, ())
    assert emulator.phone_numbers[NUMBER + "0100"]["inbound_agents"][0]["agent_version"] == 2
    assert "version 2 was published after it and is live" in caplog.text


def test_a_key_that_cannot_read_numbers_can_publish_but_not_rebind(
    hook: RetellHook, emulator: Emulator, connect: Any
) -> None:
    emulator.add_key("key_agents", {"agent": "edit"})
    connect(emulator.url, password="key_agents")
    done = hook.publish_agent_version_checked("agent_1", version=1)
    assert (done.sent, done.numbers) == (True, None)
    with pytest.raises(PermissionDeniedError):
        hook.publish_agent_version_checked("agent_1", version=1, rebind_numbers=True)
