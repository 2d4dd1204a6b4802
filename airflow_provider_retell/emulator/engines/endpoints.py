"""The endpoints that read and change response engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.emulator.engines import bodies
from airflow_provider_retell.emulator.paging import page
from airflow_provider_retell.emulator.responses import ApiError, Response, json_response
from airflow_provider_retell.emulator.routing import Request, Routes

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.engines.backend import EngineBackend
    from airflow_provider_retell.emulator.organization.organization import Organization

ROUTES = Routes()

_READ, _EDIT = ("agent", "read"), ("agent", "edit")


@ROUTES.add("GET", "/get-retell-llm/{llm_id}", _READ)
@ROUTES.add("GET", "/get-conversation-flow/{conversation_flow_id}", _READ)
def get_engine(org: Organization, request: Request) -> Response:
    """Return one version of an LLM or a conversation flow."""
    engines = _engines(org, request)
    engine = engines.find_version(request.ids[engines.kind.id_name], _version(request))
    return json_response(200, engines.visible(engine))


@ROUTES.add("PATCH", "/update-retell-llm/{llm_id}", _EDIT, bodies.UPDATE_LLM)
@ROUTES.add("PATCH", "/update-conversation-flow/{conversation_flow_id}", _EDIT, bodies.UPDATE_FLOW)
def update_engine(org: Organization, request: Request) -> Response:
    """Change a draft of an LLM or a conversation flow.

    Retell refuses changes of a published LLM with this text. That it does the same for flows is our guess.
    """
    engines = _engines(org, request)
    engine = engines.find_version(request.ids[engines.kind.id_name], _version(request))
    if engine["is_published"]:
        raise ApiError(400, f"Cannot update published {engines.noun}")
    return json_response(200, engines.visible(engines.change(engine, request.body)))


@ROUTES.add("GET", "/get-conversation-flow-component/{conversation_flow_component_id}", _READ)
def get_component(org: Organization, request: Request) -> Response:
    """Return a conversation flow component."""
    component_id = request.ids["conversation_flow_component_id"]
    return json_response(200, org.component_backend.find(component_id))


@ROUTES.add("GET", "/v2/list-retell-llms", _READ)
def list_llms(org: Organization, request: Request) -> Response:
    """Return one page of LLMs, each in its latest version, which is our guess."""
    return _list(org.llm_backend, request)


@ROUTES.add("GET", "/v2/list-conversation-flows", _READ)
def list_flows(org: Organization, request: Request) -> Response:
    """Return one page of conversation flows, each in its latest version, which is our guess."""
    return _list(org.flow_backend, request)


def _engines(org: Organization, request: Request) -> EngineBackend:
    return org.llm_backend if "llm_id" in request.ids else org.flow_backend


def _list(engines: EngineBackend, request: Request) -> Response:
    latest = {engine_id: engines.find_version(engine_id) for engine_id in engines.objects}
    items, rest = page(latest, request.query, order=lambda engine: engine["last_modification_timestamp"])
    return json_response(200, {"items": [engines.visible(engine) for engine in items], **rest})


def _version(request: Request) -> int | None:
    text = request.query.get("version")
    if text is None or text == "latest":
        return None
    if not text.isdigit():
        raise ApiError(400, "query/version must be integer")
    return int(text)
