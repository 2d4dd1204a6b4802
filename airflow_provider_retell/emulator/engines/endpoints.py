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
def get_llm(org: Organization, request: Request) -> Response:
    """Return one version of an LLM."""
    return _get(org.llm_backend, request)


@ROUTES.add("GET", "/get-conversation-flow/{conversation_flow_id}", _READ)
def get_flow(org: Organization, request: Request) -> Response:
    """Return one version of a conversation flow."""
    return _get(org.flow_backend, request)


@ROUTES.add("PATCH", "/update-retell-llm/{llm_id}", _EDIT, bodies.UPDATE_LLM)
def update_llm(org: Organization, request: Request) -> Response:
    """Change a draft of an LLM. Retell refuses changes of a published version with this text."""
    return _update(org.llm_backend, request, "Cannot update published LLM")


@ROUTES.add("PATCH", "/update-conversation-flow/{conversation_flow_id}", _EDIT, bodies.UPDATE_FLOW)
def update_flow(org: Organization, request: Request) -> Response:
    """Change a draft of a conversation flow. The text of the refusal is our guess, after that of LLMs."""
    return _update(org.flow_backend, request, "Cannot update published conversation flow")


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


def _get(engines: EngineBackend, request: Request) -> Response:
    engine = engines.find_version(request.ids[engines.kind.id_name], _version(request))
    return json_response(200, engines.visible(engine))


def _update(engines: EngineBackend, request: Request, refusal: str) -> Response:
    engine = engines.find_version(request.ids[engines.kind.id_name], _version(request))
    if engine["is_published"]:
        raise ApiError(400, refusal)
    return json_response(200, engines.visible(engines.change(engine, request.body)))


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
