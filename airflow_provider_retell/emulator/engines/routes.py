"""The routes of the endpoints of response engines."""

from __future__ import annotations

from airflow_provider_retell.emulator.engines import bodies, endpoints
from airflow_provider_retell.emulator.routing import Route

_READ, _EDIT = ("agent", "read"), ("agent", "edit")

ROUTES = (
    Route("get-retell-llm", "GET", "/get-retell-llm/{llm_id}", endpoints.get_llm, _READ),
    Route(
        "update-retell-llm",
        "PATCH",
        "/update-retell-llm/{llm_id}",
        endpoints.update_llm,
        _EDIT,
        schema=bodies.UPDATE_LLM,
    ),
    Route("list-retell-llms", "GET", "/v2/list-retell-llms", endpoints.list_llms, _READ, limiter="list"),
    Route(
        "get-conversation-flow",
        "GET",
        "/get-conversation-flow/{conversation_flow_id}",
        endpoints.get_flow,
        _READ,
    ),
    Route(
        "update-conversation-flow",
        "PATCH",
        "/update-conversation-flow/{conversation_flow_id}",
        endpoints.update_flow,
        _EDIT,
        schema=bodies.UPDATE_FLOW,
    ),
    Route(
        "get-conversation-flow-component",
        "GET",
        "/get-conversation-flow-component/{conversation_flow_component_id}",
        endpoints.get_component,
        _READ,
    ),
    Route(
        "list-conversation-flows",
        "GET",
        "/v2/list-conversation-flows",
        endpoints.list_flows,
        _READ,
        limiter="list",
    ),
)
