"""Complete listings of response engines."""

from __future__ import annotations

from airflow_provider_retell.api.engines import endpoints
from airflow_provider_retell.api.engines.models import ConversationFlow, RetellLlm
from airflow_provider_retell.api.paging import read_all
from airflow_provider_retell.api.request import Flow


def list_retell_llms() -> Flow[list[RetellLlm]]:
    """Read all Retell LLMs, page by page."""
    return read_all(endpoints.list_retell_llms)


def list_conversation_flows() -> Flow[list[ConversationFlow]]:
    """Read all conversation flows, page by page."""
    return read_all(endpoints.list_conversation_flows)
