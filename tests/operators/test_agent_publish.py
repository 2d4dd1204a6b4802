"""PublishAgentVersionOperator: a version is published once, whatever crashes, is retried, cleared or repeated."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from crashes import FAULTS, killed_at_request, timeouts
from tasks import Ti, eventually, run_task, run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.operators import PublishAgentVersionOperator

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator

NUMBER = "+14155550100"
OTHER_NUMBER = "+14155550101"

# The requests of a task that publishes and binds one number, in order.
REQUESTS = (
    "get-agent",
    "get-agent",
    "publish-agent-version",
    "list-agent-versions",
    "get-agent",
    "list-phone-numbers",
    "update-phone-number",
)


@pytest.fixture(autouse=True)
def agent(emulator: Emulator) -> None:
    """An agent with the published version 0, the draft 1, and a number that is pinned to version 0."""
    emulator.add_agent(agent_id="agent_1")
    emulator.add_agent_version("agent_1")
    bound = [{"agent_id": "agent_1", "agent_version": 0, "weight": 1}]
    emulator.add_phone_number(NUMBER, nickname="Main line", inbound_agents=bound)


def publish(**parameters: Any) -> PublishAgentVersionOperator:
    parameters = {"agent_id": "agent_1", "version": 1, **parameters}
    return PublishAgentVersionOperator(task_id="publish", retries=3, **parameters)


def bound_version(emulator: Emulator) -> Any:
    return emulator.phone_numbers[NUMBER]["inbound_agents"][0]["agent_version"]


def times_published(emulator: Emulator) -> int:
    return emulator.agents["agent_1"].published.count(1)


@pytest.mark.usefixtures("whole_log")
def test_the_task_returns_the_versions_and_the_numbers(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    emulator.add_phone_number(OTHER_NUMBER, inbound_agents=[{"agent_id": "agent_1", "weight": 1}])
    assert run_try(publish()) == {
        "agent_id": "agent_1",
        "version": 1,
        "published_now": True,
        "latest_published": 1,
        "rebound": [],
        "pinned": ["Main line (…0100)"],
        "follow_latest": ["…0101"],
        "follow_tag": [],
    }
    assert "are pinned to another version: Main line (…0100)" in caplog.text
    assert "1415" not in caplog.text


@pytest.mark.parametrize("native", [False, True])
def test_parameters_can_be_templates(emulator: Emulator, native: bool) -> None:
    task = publish(
        agent_id="{{ params.agent }}",
        version="{{ params.draft['version'] }}",
        version_title="{{ params.revision }}",
        version_description="Released on {{ ds }}",
        rebind_numbers="{{ params.rebind }}",
    )
    params = {"agent": "agent_1", "draft": {"version": 1}, "revision": "98e7654", "rebind": True}
    ti = Ti()
    assert run_task(task, native=native, ti=ti, params=params, ds="2026-11-22")["published_now"]
    version = emulator.agents["agent_1"].versions[1]
    assert (version["version_title"], version["version_description"]) == ("98e7654", "Released on 2026-11-22")
    assert bound_version(emulator) == 1
    assert ti.xcom == {"retell_agent_id": "agent_1"}


def modified(emulator: Emulator) -> int:
    return emulator.agents["agent_1"].versions[1]["last_modification_timestamp"]


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("part", ["agent", "llm"])
def test_a_draft_that_was_changed_after_its_simulation_is_not_published(
    emulator: Emulator, part: str, native: bool
) -> None:
    since = modified(emulator)
    emulator.clock.advance(3600)
    change = {"agent_name": "x"} if part == "agent" else {"llm": {"general_prompt": "Not simulated."}}
    emulator.edit_agent("agent_1", **change)
    task = publish(unchanged_since="{{ since }}")
    with pytest.raises(
        AirflowFailException, match="version 1 must be unchanged since .*was changed since then"
    ):
        run_try(task, native=native, since=since)
    assert emulator.count("publish-agent-version") == 0


@pytest.mark.parametrize("channel", ["voice", "chat"])
@pytest.mark.parametrize("engine", ["llm", "conversation_flow", "custom"])
def test_a_draft_that_is_unchanged_since_its_simulation_is_published(
    emulator: Emulator, engine: str, channel: str
) -> None:
    custom = {"response_engine": {"type": "custom-llm", "llm_websocket_url": "wss://a.example"}}
    emulator.add_agent(
        agent_id="agent_2", channel=channel, **(custom if engine == "custom" else {engine: {}})
    )
    version = emulator.add_agent_version("agent_2")
    since = version["last_modification_timestamp"]
    task = publish(agent_id="agent_2", channel=channel, unchanged_since=since)
    assert run_try(task)["published_now"]
    emulator.clock.advance(3600)
    # The publication counts as a change of the version. A later try has nothing to publish.
    assert run_try(task, try_number=2)["published_now"] is False


def test_a_draft_whose_changes_retell_does_not_show_is_not_published(emulator: Emulator) -> None:
    since = modified(emulator)
    del emulator.agents["agent_1"].versions[1]["last_modification_timestamp"]
    llm_id = emulator.agents["agent_1"].versions[1]["response_engine"]["llm_id"]
    del emulator.llms[llm_id][1]["last_modification_timestamp"]
    with pytest.raises(AirflowFailException, match="does not show when it was changed last"):
        run_try(publish(unchanged_since=since))
    assert run_try(publish())["published_now"]


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"unchanged_since": "{{ none }}"}, "unchanged_since rendered to an empty value"),
        ({"unchanged_since": "yesterday"}, "unchanged_since must be epoch milliseconds"),
        ({"version": "{{ none }}"}, "version rendered to an empty value"),
        ({"version": "latest"}, "version must be a whole number"),
        ({"version": -1}, "version must be a whole number"),
        ({"version_title": "{{ '' }}"}, "version_title rendered to an empty value"),
        ({"rebind_numbers": "maybe"}, "rebind_numbers must be True or False"),
        ({"agent_id": "a b"}, "agent_id has ' '"),
    ],
)
def test_invalid_values_fail_for_good_before_a_request(
    emulator: Emulator, parameters: dict[str, Any], fault: str
) -> None:
    with pytest.raises(AirflowFailException, match=fault):
        run_try(publish(**parameters))
    assert emulator.requests == []


# -- published once

# The failure in the first try, and the requests to publish that Retell got by then and after the retry. Of the kills,
# the test that kills the worker at any request proves the numbers.
FAILURES = {
    "connection lost before Retell acted": (1, 2),
    "connection lost after Retell acted": (1, 1),
    "500": (1, 2),
    "response truncated": (1, 1),
    "timeout, Retell did not act": (1, 2),
    "timeout, Retell acted later": (1, 1),
}
KILLS = {
    "worker killed before the request": (0, 1),
    "worker killed after Retell acted": (1, 1),
    "worker killed before the proof": (1, 1),
    "worker killed before a number was bound": (1, 1),
    "worker killed after a number was bound": (1, 1),
}
AGAIN = {
    "none, and the task is cleared": (1, 1),
    "none, and another run publishes the same version": (1, 1),
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.usefixtures("no_sleep")
def test_a_retry_after_a_fault_publishes_exactly_once(emulator: Emulator, connect: Any, failure: str) -> None:
    connect(emulator, **timeouts(FAULTS[failure][0]))
    first, total = FAILURES[failure]
    emulator.faults.add(FAULTS[failure][0], route="publish-agent-version")
    if failure in ("connection lost after Retell acted", "response truncated"):
        assert run_try(publish(rebind_numbers=True))["published_now"]  # it reads the version
    else:
        with pytest.raises(RetellError) as error:
            run_try(publish(rebind_numbers=True))
        assert not error.value.permanent
    assert emulator.count("publish-agent-version") == first
    if failure == "timeout, Retell acted later":
        eventually(lambda: times_published(emulator) == 1)
    run_try(publish(rebind_numbers=True), try_number=2)
    assert emulator.count("publish-agent-version") == total
    assert (times_published(emulator), bound_version(emulator)) == (1, 1)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, len(REQUESTS) + 1))
def test_a_worker_killed_at_any_request_leaves_a_version_that_the_retry_publishes_once(
    emulator: Emulator, number: int, when: str
) -> None:
    killed_at_request(number, when, lambda: run_try(publish(rebind_numbers=True)))
    before_publication = number < 3 or (number, when) == (3, "before")
    assert emulator.count("publish-agent-version") == (0 if before_publication else 1)
    run_try(publish(rebind_numbers=True), try_number=2)
    assert (times_published(emulator), bound_version(emulator)) == (1, 1)
    assert emulator.count("publish-agent-version") == 1


def test_the_crash_tests_reach_every_request(emulator: Emulator) -> None:
    run_try(publish(rebind_numbers=True))
    assert tuple(request.route for request in emulator.requests) == REQUESTS


@pytest.mark.parametrize("again", AGAIN)
def test_a_clear_or_another_run_publishes_nothing(emulator: Emulator, again: str) -> None:
    assert run_try(publish())["published_now"]
    cleared = 1 if "cleared" in again else 0
    result = run_try(publish(), try_number=1 + cleared, cleared_at=cleared)
    assert not result["published_now"]
    assert emulator.count("publish-agent-version") == 1


def test_a_clear_does_not_undo_a_later_publication(emulator: Emulator) -> None:
    run_try(publish(rebind_numbers=True))
    emulator.add_agent_version("agent_1", published=True)
    emulator.phone_numbers[NUMBER]["inbound_agents"][0]["agent_version"] = 2
    result = run_try(publish(rebind_numbers=True), try_number=2, cleared_at=1)
    assert (result["published_now"], result["latest_published"], result["rebound"]) == (False, 2, [])
    assert emulator.agents["agent_1"].published == [0, 1, 2]
    assert bound_version(emulator) == 2


def test_the_table_in_the_guide_matches_these_scenarios() -> None:
    scenarios = FAILURES | KILLS | AGAIN
    rows = [f"| {name} | {first} | {total} | 1 |" for name, (first, total) in scenarios.items()]
    lines = (Path(__file__).parents[2] / "docs/release_agents.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if re.search(r"\| \d \| \d \| \d \|$", line)] == rows
