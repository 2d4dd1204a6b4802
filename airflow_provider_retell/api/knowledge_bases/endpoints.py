"""The endpoints of knowledge bases, each a function that checks its arguments and returns a :class:`Request`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.knowledge_bases.bodies import (
    KnowledgeBaseFile,
    KnowledgeBaseText,
    check_settings,
    form,
)
from airflow_provider_retell.api.knowledge_bases.models import KnowledgeBase, KnowledgeBaseList
from airflow_provider_retell.api.multipart import Multipart
from airflow_provider_retell.api.parsing import no_result
from airflow_provider_retell.api.request import ObjectKind, Request, check_id, request_to

_KNOWLEDGE_BASE = ObjectKind("knowledge base", "knowledge_base_id")


def create_knowledge_base(
    knowledge_base_name: str,
    *,
    knowledge_base_texts: Sequence[KnowledgeBaseText | Mapping[str, str]] = (),
    knowledge_base_files: Sequence[KnowledgeBaseFile] = (),
    knowledge_base_urls: Sequence[str] = (),
    enable_auto_refresh: bool | None = None,
    min_chunk_size: int | None = None,
    max_chunk_size: int | None = None,
) -> Request[KnowledgeBase]:
    """Create a knowledge base. Retell indexes its sources afterwards.

    The request is sent again only if Retell certainly did not process it. Names need not be unique.

    API: https://docs.retellai.com/api-references/create-knowledge-base

    :param knowledge_base_name: the name, at most 39 characters.
    :param knowledge_base_texts: texts, as dicts with ``title`` and ``text``.
    :param knowledge_base_files: up to 25 files of at most 50 MB each. They are read while they are sent.
    :param knowledge_base_urls: pages that Retell reads.
    :param enable_auto_refresh: True to make Retell read URLs and connected files again every day.
    :param min_chunk_size: the smallest chunk in characters; cannot change later. Retell's default: 400.
    :param max_chunk_size: the largest chunk in characters; cannot change later. Retell's default: 2000.
    :raises RetellInputError: if an argument is invalid; the message has no contents.
    """
    operation = "create-knowledge-base"
    settings = check_settings(
        operation,
        knowledge_base_name=knowledge_base_name,
        enable_auto_refresh=enable_auto_refresh,
        min_chunk_size=min_chunk_size,
        max_chunk_size=max_chunk_size,
    )
    body = form(operation, settings, knowledge_base_texts, knowledge_base_files, knowledge_base_urls)
    return request_to("POST", "/create-knowledge-base", KnowledgeBase.read, body=body, idempotent=False)


def get_knowledge_base(knowledge_base_id: str) -> Request[KnowledgeBase]:
    """Read a knowledge base: its status, its sources and the errors of single sources.

    API: https://docs.retellai.com/api-references/get-knowledge-base
    """
    return _KNOWLEDGE_BASE.request("GET", "/get-knowledge-base", knowledge_base_id, KnowledgeBase.read)


def list_knowledge_bases() -> Request[list[KnowledgeBase]]:
    """Read all knowledge bases of the organization. The listing has no pages.

    API: https://docs.retellai.com/api-references/list-knowledge-bases
    """
    return request_to("GET", "/list-knowledge-bases", KnowledgeBaseList.read)


def add_knowledge_base_sources(
    knowledge_base_id: str,
    *,
    knowledge_base_texts: Sequence[KnowledgeBaseText | Mapping[str, str]] = (),
    knowledge_base_files: Sequence[KnowledgeBaseFile] = (),
    knowledge_base_urls: Sequence[str] = (),
) -> Request[KnowledgeBase]:
    """Add sources to a knowledge base. Retell indexes them afterwards; the other sources stay available.

    The request is sent again only if Retell certainly did not process it: a second one would add the sources twice.

    API: https://docs.retellai.com/api-references/add-knowledge-base-sources

    :param knowledge_base_id: the knowledge base.
    :param knowledge_base_texts: texts, as dicts with ``title`` and ``text``.
    :param knowledge_base_files: up to 25 files of at most 50 MB each. They are read while they are sent.
    :param knowledge_base_urls: pages that Retell reads.
    :raises RetellInputError: if an argument is invalid or no source is given; the message has no contents.
    """

    def body(operation: str) -> Multipart:
        if not (knowledge_base_texts or knowledge_base_files or knowledge_base_urls):
            raise RetellInputError(f"{operation}: set at least one source")
        return form(operation, {}, knowledge_base_texts, knowledge_base_files, knowledge_base_urls)

    return _KNOWLEDGE_BASE.request(
        "POST",
        "/add-knowledge-base-sources",
        knowledge_base_id,
        KnowledgeBase.read,
        body=body,
        idempotent=False,
    )


def delete_knowledge_base_source(knowledge_base_id: str, source_id: str) -> Request[KnowledgeBase]:
    """Delete a source from a knowledge base.

    API: https://docs.retellai.com/api-references/delete-knowledge-base-source
    """
    knowledge_base_id = check_id(knowledge_base_id, "knowledge_base_id")
    source_id = check_id(source_id, "source_id")
    return Request(
        operation="delete-knowledge-base-source",
        method="DELETE",
        path=f"/delete-knowledge-base-source/{knowledge_base_id}/source/{source_id}",
        parse=KnowledgeBase.read,
        subject=f"source {source_id} of knowledge base {knowledge_base_id}",
    )


def delete_knowledge_base(knowledge_base_id: str) -> Request[None]:
    """Permanently delete a knowledge base with its sources.

    API: https://docs.retellai.com/api-references/delete-knowledge-base
    """
    return _KNOWLEDGE_BASE.request("DELETE", "/delete-knowledge-base", knowledge_base_id, no_result)
