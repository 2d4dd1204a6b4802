"""Checks of knowledge bases that only read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from airflow_provider_retell.api import parsing
from airflow_provider_retell.api.knowledge_bases import endpoints
from airflow_provider_retell.contract.check import Checks, page
from airflow_provider_retell.contract.findings import Finding, differs, holds
from airflow_provider_retell.contract.seeing import (
    body_of,
    describe,
    is_success,
    kind,
    see,
    unknown,
)

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

_UNKNOWN_ID = "knowledge_base_0000000000000000"


@CHECKS.add(
    "knowledge_bases.list_is_an_array",
    assumption="list-knowledge-bases returns all knowledge bases as an array, with the documented types.",
    matters="SyncKnowledgeBaseOperator finds a knowledge base by its name.",
    source=page("list-knowledge-bases"),
    otherwise="The task fails and names the field.",
)
def list_is_an_array(_target: Target) -> Flow[Finding]:
    """List the knowledge bases."""
    request = endpoints.list_knowledge_bases()
    response = yield from see(request)
    if not is_success(response):
        return differs(describe(response))
    try:
        request.parse(response.body)
    except ValidationError as fault:
        return differs(f"{kind(body_of(response))}: {parsing.describe(fault)}")
    return holds("an array")


@CHECKS.add(
    "knowledge_bases.unknown_id",
    assumption="get-knowledge-base rejects an unknown id with 404.",
    matters="The error message recommends checking the id.",
    source="an observed response",
    question="Does an unknown knowledge base get 404 or 422?",
    otherwise="422 has the same meaning. With another status, the task fails with another message.",
    options=("knowledge_bases.missing_status",),
)
def unknown_id(_target: Target) -> Flow[Finding]:
    """Read a knowledge base that does not exist."""
    return (
        yield from unknown(endpoints.get_knowledge_base(_UNKNOWN_ID), 404, "knowledge_bases.missing_status")
    )
