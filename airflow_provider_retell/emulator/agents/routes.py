"""The routes of the agent endpoints."""

from __future__ import annotations

from airflow_provider_retell.emulator.agents import bodies, endpoints
from airflow_provider_retell.emulator.routing import Route

_READ, _EDIT = ("agent", "read"), ("agent", "edit")

ROUTES = (
    Route("get-agent", "GET", "/get-agent/{agent_id}", endpoints.get_agent, _READ),
    Route("get-chat-agent", "GET", "/get-chat-agent/{agent_id}", endpoints.get_chat_agent, _READ),
    Route(
        "update-agent",
        "PATCH",
        "/update-agent/{agent_id}",
        endpoints.update_agent,
        _EDIT,
        schema=bodies.UPDATE_AGENT,
    ),
    Route(
        "update-chat-agent",
        "PATCH",
        "/update-chat-agent/{agent_id}",
        endpoints.update_chat_agent,
        _EDIT,
        schema=bodies.UPDATE_CHAT_AGENT,
    ),
    Route(
        "list-agents",
        "POST",
        "/v2/list-agents",
        endpoints.list_agents,
        _READ,
        limiter="list",
        schema=bodies.LIST_AGENTS,
        body_optional=True,
    ),
    Route(
        "list-agent-versions",
        "GET",
        "/list-agent-versions/{agent_id}",
        endpoints.list_versions,
        _READ,
        limiter="list",
    ),
    Route(
        "create-agent-version",
        "POST",
        "/create-agent-version/{agent_id}",
        endpoints.create_version,
        _EDIT,
        schema=bodies.CREATE_VERSION,
    ),
    Route(
        "publish-agent-version",
        "POST",
        "/publish-agent-version/{agent_id}",
        endpoints.publish_version,
        _EDIT,
        schema=bodies.PUBLISH_VERSION,
    ),
    Route(
        "delete-agent-version",
        "DELETE",
        "/delete-agent-version/{agent_id}",
        endpoints.delete_version,
        _EDIT,
    ),
)
