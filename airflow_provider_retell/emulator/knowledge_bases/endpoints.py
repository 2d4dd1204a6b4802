"""The endpoints of knowledge bases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.knowledge_bases import bodies
from airflow_provider_retell.emulator.knowledge_bases.backend import Source, new_source
from airflow_provider_retell.emulator.responses import ApiError, Response, json_response
from airflow_provider_retell.emulator.routing import Request, Routes

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.knowledge_bases.backend import KnowledgeBaseBackend
    from airflow_provider_retell.emulator.organization.organization import Organization

ROUTES = Routes()

_READ, _EDIT = ("agent", "read"), ("agent", "edit")

_SOURCE_FIELDS = ("knowledge_base_texts", "knowledge_base_urls", "knowledge_base_files")


@ROUTES.add("POST", "/create-knowledge-base", _EDIT, bodies.CREATE, from_form=bodies.from_form)
def create_knowledge_base(org: Organization, request: Request) -> Response:
    """Create a knowledge base. Names need not be unique."""
    backend = org.knowledge_base_backend
    sources = _sources(backend, request.body, existing=())
    if not sources and not backend.settings.allows_empty:
        raise ApiError(400, "Knowledge base must have at least one source")
    fields = {name: value for name, value in request.body.items() if name not in _SOURCE_FIELDS}
    if not fields.get("min_chunk_size", 400) < fields.get("max_chunk_size", 2000):
        raise ApiError(400, "min_chunk_size must be less than max_chunk_size")
    return json_response(201, backend.visible(backend.create(fields, sources)))


@ROUTES.add("GET", "/get-knowledge-base/{knowledge_base_id}", _READ)
def get_knowledge_base(org: Organization, request: Request) -> Response:
    """Return the knowledge base with the sources that are indexed."""
    backend = org.knowledge_base_backend
    return json_response(200, backend.visible(backend.find(request.ids["knowledge_base_id"])))


@ROUTES.add("GET", "/list-knowledge-bases", _READ)
def list_knowledge_bases(org: Organization, request: Request) -> Response:
    """Return all knowledge bases as a bare array."""
    backend = org.knowledge_base_backend
    return json_response(200, [backend.visible(item) for item in backend.all()])


@ROUTES.add(
    "POST",
    "/add-knowledge-base-sources/{knowledge_base_id}",
    _EDIT,
    bodies.ADD_SOURCES,
    from_form=bodies.from_form,
)
def add_sources(org: Organization, request: Request) -> Response:
    """Start to index new sources. The 400 for a request without sources is our guess."""
    backend = org.knowledge_base_backend
    knowledge_base = backend.find(request.ids["knowledge_base_id"])
    sources = _sources(backend, request.body, existing=knowledge_base["knowledge_base_sources"])
    if not sources:
        raise ApiError(400, "No sources were given")
    backend.index(knowledge_base, sources)
    return json_response(201, backend.visible(knowledge_base))


@ROUTES.add("DELETE", "/delete-knowledge-base-source/{knowledge_base_id}/source/{source_id}", _EDIT)
def delete_source(org: Organization, request: Request) -> Response:
    """Delete a source and return the knowledge base."""
    backend = org.knowledge_base_backend
    knowledge_base = backend.find(request.ids["knowledge_base_id"])
    backend.delete_source(knowledge_base, request.ids["source_id"])
    return json_response(200, backend.visible(knowledge_base))


@ROUTES.add("DELETE", "/delete-knowledge-base/{knowledge_base_id}", _EDIT)
def delete_knowledge_base(org: Organization, request: Request) -> Response:
    """Delete a knowledge base for good."""
    backend = org.knowledge_base_backend
    knowledge_base = backend.find(request.ids["knowledge_base_id"])
    del backend.objects[knowledge_base["knowledge_base_id"]]
    return Response(204)


def _sources(
    backend: KnowledgeBaseBackend, body: dict[str, Any], existing: list[Source] | tuple[()]
) -> list[Source]:
    """Return the new sources in a request body, or raise the 400 for too many. Its message is our guess."""
    sources = [
        new_source({"type": "text", "title": item["title"], "_text": item["text"]})
        for item in body.get("knowledge_base_texts", ())
    ]
    for file in body.get("knowledge_base_files", ()):
        fields = {
            "type": "document",
            "filename": backend.stored_name(file["filename"]),
            "file_size": file["size"],
            "_sha256": file.get("sha256"),
        }
        sources.append(new_source(fields))
    sources += [new_source({"type": "url", "url": url}) for url in body.get("knowledge_base_urls", ())]
    for kind, limit in backend.settings.limits.items():
        count = sum(source["type"] == kind for source in (*sources, *existing))
        if count > limit:
            raise ApiError(400, f"Knowledge base can have at most {limit} sources of the type {kind}")
    return sources
