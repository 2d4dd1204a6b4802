"""The endpoints that read, change, fork, publish and delete versions of agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.agents import bodies
from airflow_provider_retell.emulator.agents.vocabulary import FREE_AFTER_PUBLISHING
from airflow_provider_retell.emulator.conditions import compile_condition
from airflow_provider_retell.emulator.paging import page
from airflow_provider_retell.emulator.responses import ApiError, Response, json_response
from airflow_provider_retell.emulator.routing import Request, Routes

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.agents.backend import Agent
    from airflow_provider_retell.emulator.organization.organization import Organization

ROUTES = Routes()

_READ, _EDIT = ("agent", "read"), ("agent", "edit")

_VERSION_FIELDS = (
    "version",
    "is_published",
    "base_version",
    "version_title",
    "version_description",
    "last_modification_timestamp",
)


@ROUTES.add("GET", "/get-agent/{agent_id}", _READ)
def get_agent(org: Organization, request: Request) -> Response:
    """Return one version of a voice agent."""
    return _get(org, request, "voice")


@ROUTES.add("GET", "/get-chat-agent/{agent_id}", _READ)
def get_chat_agent(org: Organization, request: Request) -> Response:
    """Return one version of a chat agent."""
    return _get(org, request, "chat")


@ROUTES.add("PATCH", "/update-agent/{agent_id}", _EDIT, bodies.UPDATE_AGENT)
def update_agent(org: Organization, request: Request) -> Response:
    """Change a draft of a voice agent."""
    return _update(org, request, "voice")


@ROUTES.add("PATCH", "/update-chat-agent/{agent_id}", _EDIT, bodies.UPDATE_CHAT_AGENT)
def update_chat_agent(org: Organization, request: Request) -> Response:
    """Change a draft of a chat agent."""
    return _update(org, request, "chat")


@ROUTES.add("POST", "/v2/list-agents", _READ, bodies.LIST_AGENTS)
def list_agents(org: Organization, request: Request) -> Response:
    """Return one page of agents. The page is in the query, the filter in the body."""
    criteria: dict[str, Any] = request.body.get("filter_criteria", {})
    agents = {
        agent_id: agent for agent_id, agent in org.agent_backend.objects.items() if _matches(agent, criteria)
    }
    items, rest = page(agents, request.query, order=_modified)
    return json_response(200, {"items": [_summary(agent) for agent in items], **rest})


@ROUTES.add("GET", "/list-agent-versions/{agent_id}", _READ)
def list_versions(org: Organization, request: Request) -> Response:
    """Return one page of versions, ordered by their last change, because Retell guarantees no order."""
    agent = org.agent_backend.find(request.ids["agent_id"])
    versions = {str(number): version for number, version in agent.versions.items()}
    items, rest = page(versions, request.query, order=lambda version: version["last_modification_timestamp"])
    shown = [{name: item[name] for name in _VERSION_FIELDS if name in item} for item in items]
    return json_response(200, {"items": shown, **rest})


@ROUTES.add("POST", "/create-agent-version/{agent_id}", _EDIT, bodies.CREATE_VERSION)
def create_version(org: Organization, request: Request) -> Response:
    """Fork a version and its engine into a draft with the next number."""
    agents = org.agent_backend
    agent = agents.find(request.ids["agent_id"])
    base = agents.find_version(agent, int(request.body["base_version"]))
    return json_response(201, agents.visible(agent, agents.fork(agent, base)))


@ROUTES.add("POST", "/publish-agent-version/{agent_id}", _EDIT, bodies.PUBLISH_VERSION)
def publish_version(org: Organization, request: Request) -> Response:
    """Publish a draft in place. The response is empty. The refusal of a published version is our guess."""
    agents, body = org.agent_backend, request.body
    agent = agents.find(request.ids["agent_id"])
    version = agents.find_version(agent, int(body["version"]))
    if version["is_published"]:
        raise ApiError(400, f"Agent version {version['version']} is already published")
    names = ("version_title", "version_description")
    agents.change(version, {name: body[name] for name in names if name in body})
    agents.publish(agent, version["version"])
    return Response(200)


@ROUTES.add("DELETE", "/delete-agent-version/{agent_id}", _EDIT)
def delete_version(org: Organization, request: Request) -> Response:
    """Delete a version. The refusal of published versions and of the only version is our guess."""
    agents = org.agent_backend
    agent = agents.find(request.ids["agent_id"])
    text = request.query.get("version", "")
    if not text.isdigit():
        raise ApiError(400, "query/version must be integer")
    version = agents.find_version(agent, int(text))
    if version["is_published"] or len(agent.versions) == 1:
        raise ApiError(400, f"Cannot delete agent version {version['version']}")
    agents.delete_version(agent, version["version"])
    return Response(204)


def _get(org: Organization, request: Request, channel: str) -> Response:
    agents = org.agent_backend
    agent = agents.find(request.ids["agent_id"], channel)
    version = agents.find_version(agent, request.query.get("version"))
    return json_response(200, agents.visible(agent, version))


def _update(org: Organization, request: Request, channel: str) -> Response:
    agents, body = org.agent_backend, request.body
    agent = agents.find(request.ids["agent_id"], channel)
    version = agents.find_version(agent, request.query.get("version"))
    if version["is_published"] and body.keys() - FREE_AFTER_PUBLISHING:
        raise ApiError(422, "Cannot update published agent other than version title")
    engine = body.get("response_engine")
    if engine and engine.get("version", version["version"]) != version["version"]:
        raise ApiError(400, "response_engine version must be equal to the version of the agent")
    return json_response(200, agents.visible(agent, agents.change(version, body)))


def _modified(agent: Agent) -> int:
    return max(int(version["last_modification_timestamp"]) for version in agent.versions.values())


def _matches(agent: Agent, criteria: dict[str, Any]) -> bool:
    latest = agent.latest
    text = criteria.get("query", "")
    if text.lower() not in latest.get("agent_name", "").lower() and text not in agent.agent_id:
        return False
    values = {"channel": agent.channel, "is_transfer_agent": latest.get("is_transfer_agent", False)}
    return all(compile_condition(criteria[name])(value) for name, value in values.items() if name in criteria)


def _summary(agent: Agent) -> dict[str, Any]:
    return {
        "agent_id": agent.agent_id,
        "agent_name": agent.latest.get("agent_name", ""),
        "channel": agent.channel,
        "is_suspended": agent.is_suspended,
        "tags": {tag: {} if number is None else {"version": number} for tag, number in agent.tags.items()},
        "user_modified_timestamp": _modified(agent),
    }
