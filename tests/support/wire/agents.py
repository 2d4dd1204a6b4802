"""Examples of the endpoints of agents."""

from __future__ import annotations

from airflow_provider_retell.api.agents.models import Agent, AgentPage, AgentVersionPage
from wire import Example

CHAT = {"channel": {"type": "string", "op": "eq", "value": "chat"}}

EXAMPLES = [
    Example("get_agent", ("agent_1",), {}, "GET /get-agent/agent_1", None, 200, Agent),
    Example("get_agent", ("agent_1",), {"version": 0}, "GET /get-agent/agent_1?version=0", None, 200, Agent),
    Example(
        "get_agent",
        ("agent_1",),
        {"version": "latest_published"},
        "GET /get-agent/agent_1?version=latest_published",
        None,
        200,
        Agent,
    ),
    Example("get_chat_agent", ("agent_chat",), {}, "GET /get-chat-agent/agent_chat", None, 200, Agent),
    Example(
        "update_agent",
        ("agent_1", {"voice_speed": 1.5, "volume": None}),
        {"version": 1},
        "PATCH /update-agent/agent_1?version=1",
        {"voice_speed": 1.5, "volume": None},
        200,
        Agent,
    ),
    Example(
        "update_chat_agent",
        ("agent_chat", {"auto_close_message": "Bye"}),
        {},
        "PATCH /update-chat-agent/agent_chat",
        {"auto_close_message": "Bye"},
        200,
        Agent,
    ),
    Example("list_agents_page", (), {}, "POST /v2/list-agents", {}, 200, AgentPage),
    Example(
        "list_agents_page",
        (),
        {"filter_criteria": CHAT, "limit": 5, "sort_order": "ascending"},
        "POST /v2/list-agents?limit=5&sort_order=ascending",
        {"filter_criteria": CHAT},
        200,
        AgentPage,
    ),
    Example(
        "list_agent_versions_page",
        ("agent_1",),
        {"limit": 5},
        "GET /list-agent-versions/agent_1?limit=5",
        None,
        200,
        AgentVersionPage,
    ),
    Example(
        "create_agent_version",
        ("agent_1",),
        {"base_version": 0},
        "POST /create-agent-version/agent_1",
        {"base_version": 0},
        201,
        Agent,
        sent_once=True,
    ),
    Example(
        "publish_agent_version",
        ("agent_1",),
        {"version": 1, "version_title": "9f8a7c1", "version_description": "From git"},
        "POST /publish-agent-version/agent_1",
        {"version": 1, "version_title": "9f8a7c1", "version_description": "From git"},
        200,
        None,
        sent_once=True,
    ),
    Example(
        "delete_agent_version",
        ("agent_1",),
        {"version": 1},
        "DELETE /delete-agent-version/agent_1?version=1",
        None,
        204,
        None,
    ),
]
