"""Hook methods for knowledge bases."""

from __future__ import annotations

from airflow_provider_retell.api.knowledge_bases import endpoints
from airflow_provider_retell.hooks.endpoint import Endpoint


class KnowledgeBaseMethods:
    """The endpoints of knowledge bases."""

    create_knowledge_base = Endpoint(endpoints.create_knowledge_base)
    get_knowledge_base = Endpoint(endpoints.get_knowledge_base)
    list_knowledge_bases = Endpoint(endpoints.list_knowledge_bases)
    add_knowledge_base_sources = Endpoint(endpoints.add_knowledge_base_sources)
    delete_knowledge_base_source = Endpoint(endpoints.delete_knowledge_base_source)
    delete_knowledge_base = Endpoint(endpoints.delete_knowledge_base)
