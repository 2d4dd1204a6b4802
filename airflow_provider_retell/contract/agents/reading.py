"""Checks of agents and their versions that only read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.api.agents import endpoints
from airflow_provider_retell.contract.check import Checks, page
from airflow_provider_retell.contract.findings import Finding, SkipError, differs, holds
from airflow_provider_retell.contract.seeing import (
    NOT_FOUND,
    ask,
    describe,
    documented,
    result,
    see,
    unknown,
)
from airflow_provider_retell.contract.target import one

if TYPE_CHECKING:
    from airflow_provider_retell.api.agents.models import Agent, AgentVersionPage
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

_UNKNOWN_ID = "agent_00000000000000000000"
_SAMPLE = 50


def voice_agents(target: Target) -> Flow[list[str]]:
    """Return the ids of voice agents."""
    found: list[str] = yield from target.once(_voice_agents)
    return found


def _voice_agents(_target: Target) -> Flow[list[str]]:
    found = yield from ask(endpoints.list_agents(limit=_SAMPLE))
    ids = [agent.agent_id for agent in found.items if agent.channel == "voice"]
    one(ids, "the organization has no voice agent")
    return ids


def _newest(target: Target) -> Flow[Agent]:
    """Return the latest version of a voice agent."""
    agent_id = (yield from voice_agents(target))[0]
    agent: Agent = yield from ask(endpoints.get_agent(agent_id))
    return agent


@CHECKS.add(
    "agents.list_has_documented_form",
    assumption="list-agents reads the page from the query, and returns `items`, `has_more` and the documented types.",
    matters="SnapshotAgentsOperator lists all agents.",
    source=page("list-agents"),
    otherwise="The task fails and names the field.",
)
def list_has_documented_form(_target: Target) -> Flow[Finding]:
    """List one agent."""
    found = yield from documented(endpoints.list_agents(limit=1))
    if len(found.items) > 1:
        return differs("more agents than the limit")
    return differs("a malformed agent") if found.malformed else holds("items and has_more")


@CHECKS.add(
    "agents.unknown_id",
    assumption="get-agent rejects an unknown id with 404.",
    matters="The error message recommends checking the id.",
    source="an observed response",
    question="Does an unknown agent get 404 or 422?",
    otherwise="422 has the same meaning. With another status, the task fails with another message.",
    options=("missing_asset_status",),
)
def unknown_id(_target: Target) -> Flow[Finding]:
    """Read an agent that does not exist."""
    return (yield from unknown(endpoints.get_agent(_UNKNOWN_ID), 404, "missing_asset_status"))


@CHECKS.add(
    "agents.version_has_documented_form",
    assumption="get-agent returns a version with its number, its response engine and `is_published`.",
    matters="Drafts and publications compare versions.",
    source=page("get-agent"),
    otherwise="The task fails and names the field.",
)
def version_has_documented_form(target: Target) -> Flow[Finding]:
    """Read the latest version of an agent."""
    agent = yield from documented(endpoints.get_agent((yield from voice_agents(target))[0]))
    missing = [name for name in ("version", "is_published") if getattr(agent, name) is None]
    return differs(f"without {', '.join(missing)}") if missing else holds("all fields")


@CHECKS.add(
    "agents.engine_has_version_of_agent",
    assumption="A response engine at Retell has the same version number as its agent.",
    matters="The package reads and changes the engine of a draft by this number.",
    source="an observed response",
    otherwise="The package uses the number in the response engine, if it has one.",
)
def engine_has_version_of_agent(target: Target) -> Flow[Finding]:
    """Compare the numbers of the latest version."""
    agent = yield from target.once(_newest)
    engine = agent.response_engine
    if engine.engine_id is None:
        raise SkipError("the agent has a custom LLM")
    if engine.version is None:
        return differs("no version in the engine", handled=True)
    return holds("equal") if engine.version == agent.version else differs("another number", handled=True)


@CHECKS.add(
    "agents.versions_are_listed",
    assumption="list-agent-versions contains the latest version, with `is_published`.",
    matters="PublishAgentVersionOperator proves a publication with this list.",
    source=page("list-agent-versions"),
    otherwise="The task fails although the version is published.",
)
def versions_are_listed(target: Target) -> Flow[Finding]:
    """List the versions of an agent."""
    agent = yield from target.once(_newest)
    found: AgentVersionPage = yield from ask(endpoints.list_agent_versions(agent.agent_id, limit=1000))
    same = [entry for entry in found.items if entry.version == agent.version]
    if not same:
        return differs("the latest version is missing", handled=found.has_more)
    return holds("the version") if same[0].is_published == agent.is_published else differs("another state")


@CHECKS.add(
    "agents.latest_published_exists",
    assumption="`latest_published` is the version that was published last, and gets 404 if there is none.",
    matters="Drafts start from this version.",
    source="an observed response",
    otherwise="The task fails, or a draft starts from another version.",
)
def latest_published_exists(target: Target) -> Flow[Finding]:
    """Read the version that was published last."""
    agent_id = (yield from voice_agents(target))[0]
    request = endpoints.get_agent(agent_id, version="latest_published")
    response = yield from see(request)
    if response.status in NOT_FOUND:
        return holds(describe(response))
    return holds("a published version") if result(request, response).is_published else differs("a draft")
