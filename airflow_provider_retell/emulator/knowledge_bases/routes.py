"""The routes of the endpoints of knowledge bases."""

from __future__ import annotations

from airflow_provider_retell.emulator.knowledge_bases import bodies, endpoints
from airflow_provider_retell.emulator.routing import Route

_READ = ("agent", "read")
_EDIT = ("agent", "edit")

ROUTES = (
    Route(
        "create-knowledge-base",
        "POST",
        "/create-knowledge-base",
        endpoints.create_knowledge_base,
        _EDIT,
        schema=bodies.CREATE,
        from_form=bodies.from_form,
    ),
    Route(
        "get-knowledge-base",
        "GET",
        "/get-knowledge-base/{knowledge_base_id}",
        endpoints.get_knowledge_base,
        _READ,
    ),
    Route(
        "list-knowledge-bases",
        "GET",
        "/list-knowledge-bases",
        endpoints.list_knowledge_bases,
        _READ,
        limiter="list",
    ),
    Route(
        "add-knowledge-base-sources",
        "POST",
        "/add-knowledge-base-sources/{knowledge_base_id}",
        endpoints.add_sources,
        _EDIT,
        schema=bodies.ADD_SOURCES,
        from_form=bodies.from_form,
    ),
    Route(
        "delete-knowledge-base-source",
        "DELETE",
        "/delete-knowledge-base-source/{knowledge_base_id}/source/{source_id}",
        endpoints.delete_source,
        _EDIT,
    ),
    Route(
        "delete-knowledge-base",
        "DELETE",
        "/delete-knowledge-base/{knowledge_base_id}",
        endpoints.delete_knowledge_base,
        _EDIT,
    ),
)
