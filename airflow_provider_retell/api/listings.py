"""Complete listings of all kinds of objects, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_retell.api.agents import endpoints as agents
from airflow_provider_retell.api.agents.models import AgentSummary, AgentVersion
from airflow_provider_retell.api.calls import endpoints as calls
from airflow_provider_retell.api.calls.models import Call
from airflow_provider_retell.api.chats import endpoints as chats
from airflow_provider_retell.api.chats.models import Chat
from airflow_provider_retell.api.contacts import endpoints as contacts
from airflow_provider_retell.api.contacts.models import Contact
from airflow_provider_retell.api.engines import endpoints as engines
from airflow_provider_retell.api.engines.models import ConversationFlow, RetellLlm
from airflow_provider_retell.api.paging import Pages, read_all
from airflow_provider_retell.api.phone_numbers import endpoints as phone_numbers
from airflow_provider_retell.api.phone_numbers.models import PhoneNumber
from airflow_provider_retell.api.request import Flow, Request
from airflow_provider_retell.api.response_model import Page
from airflow_provider_retell.api.simulations import endpoints as simulations
from airflow_provider_retell.api.simulations.models import (
    BatchTest,
    TestCaseDefinition,
    TestRun,
    TestRunState,
)


def list_calls(
    *,
    filter_criteria: Mapping[str, Any] | None = None,
    sort_order: str | None = None,
    page_size: int = 1000,
) -> Pages[Page[Call]]:
    """Yield every matching call, without transcripts. Reads one page at a time.

    API: https://docs.retellai.com/api-references/list-calls

    :param filter_criteria: conditions, see :mod:`airflow_provider_retell.api.calls.filters`.
    :param sort_order: ``"ascending"`` or ``"descending"`` (Retell's default) by start time.
    :param page_size: calls per request, 1 to 1000. Default: 1000.
    :raises RetellResponseError: if Retell's paging would lose or repeat calls.
    """
    return Pages(calls.list_calls, filter_criteria=filter_criteria, sort_order=sort_order, limit=page_size)


def list_chats(
    *,
    filter_criteria: Mapping[str, Any] | None = None,
    sort_order: str | None = None,
    page_size: int = 1000,
) -> Pages[Page[Chat]]:
    """Yield every matching chat, without transcripts. Reads one page at a time.

    API: https://docs.retellai.com/api-references/list-chats

    :param filter_criteria: conditions, see :mod:`airflow_provider_retell.api.chats.filters`.
    :param sort_order: ``"ascending"`` or ``"descending"`` (Retell's default) by start time.
    :param page_size: chats per request, 1 to 1000. Default: 1000.
    :raises RetellResponseError: if Retell's paging would lose or repeat chats.
    """
    return Pages(chats.list_chats, filter_criteria=filter_criteria, sort_order=sort_order, limit=page_size)


def list_contacts(
    *,
    filter_criteria: Mapping[str, Any] | None = None,
    search_query: str | None = None,
    sort_order: str | None = None,
    page_size: int | None = None,
) -> Pages[Page[Contact]]:
    """Yield every matching contact. Reads one page at a time.

    API: https://docs.retellai.com/api-references/list-contacts

    :param filter_criteria: conditions, see :meth:`list_contacts_page`.
    :param search_query: text in the number, the names, the external id or the custom fields.
    :param sort_order: ``"asc"`` or ``"desc"`` (Retell's default) by the time of creation. With ``"asc"``, contacts
        that are created meanwhile shift no page.
    :param page_size: contacts per request. Retell does not document the largest number. Default: Retell's default.
    :raises RetellResponseError: if Retell's paging would lose or repeat contacts.
    """
    return Pages(
        contacts.list_contacts,
        filter_criteria=filter_criteria,
        search_query=search_query,
        sort_order=sort_order,
        limit=page_size,
    )


def list_agents(*, filter_criteria: Mapping[str, Any] | None = None) -> Flow[list[AgentSummary]]:
    """Read all voice and chat agents, page by page.

    :param filter_criteria: conditions on ``channel``, ``is_transfer_agent`` and ``query`` (a part of the name or id).
    """
    return read_all(agents.list_agents, filter_criteria=filter_criteria)


def list_agent_versions(agent_id: str) -> Flow[list[AgentVersion]]:
    """Read all versions of a voice or chat agent, newest first.

    :param agent_id: the agent.
    """
    versions = yield from read_all(agents.list_agent_versions, agent_id=agent_id)
    # Retell does not guarantee an order.
    return sorted(versions, key=lambda version: version.version, reverse=True)


def list_retell_llms() -> Flow[list[RetellLlm]]:
    """Read all Retell LLMs, page by page."""
    return read_all(engines.list_retell_llms)


def list_conversation_flows() -> Flow[list[ConversationFlow]]:
    """Read all conversation flows, page by page."""
    return read_all(engines.list_conversation_flows)


def list_phone_numbers() -> Flow[list[PhoneNumber]]:
    """Read all phone numbers of the organization, page by page."""
    return read_all(phone_numbers.list_phone_numbers)


def list_test_case_definitions(response_engine: Mapping[str, Any]) -> Flow[list[TestCaseDefinition]]:
    """Read all test cases of a response engine, page by page.

    :param response_engine: ``{"type": "retell-llm", "llm_id": ...}`` or ``{"type": "conversation-flow",
        "conversation_flow_id": ...}``.
    """
    return read_all(simulations.list_test_case_definitions, response_engine=response_engine)


def list_batch_tests(response_engine: Mapping[str, Any]) -> Flow[list[BatchTest]]:
    """Read all batch tests of a response engine, page by page.

    :param response_engine: as in ``list_test_case_definitions``. Without a ``version``, Retell uses the latest.
    """
    return read_all(simulations.list_batch_tests, response_engine=response_engine)


def list_test_runs(test_case_batch_job_id: str) -> Flow[list[TestRun]]:
    """Read all test runs of a batch test, with verdicts, explanations and transcripts, page by page.

    :param test_case_batch_job_id: the batch test.
    """
    return read_all(simulations.list_test_runs, test_case_batch_job_id=test_case_batch_job_id)


def list_test_run_states(test_case_batch_job_id: str) -> Flow[list[TestRunState]]:
    """Read ids and statuses of all test runs of a batch test. Transcripts are not parsed."""

    def page(**criteria: Any) -> Request[Page[TestRunState]]:
        return simulations.list_test_runs(test_case_batch_job_id, **criteria).with_parser(
            Page[TestRunState].read
        )

    return read_all(page)
