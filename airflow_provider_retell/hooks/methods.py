"""The methods of both hooks: one for each endpoint, and one for each sequence of requests.

They block in :class:`RetellHook` and are awaited in :class:`RetellAsyncHook`.
"""

from __future__ import annotations

from airflow_provider_retell.api import listings
from airflow_provider_retell.api.agents import drafts, publishing
from airflow_provider_retell.api.agents import endpoints as agents
from airflow_provider_retell.api.calls import endpoints as calls
from airflow_provider_retell.api.calls import update as calls_update
from airflow_provider_retell.api.chats import endpoints as chats
from airflow_provider_retell.api.chats import update as chats_update
from airflow_provider_retell.api.contacts import endpoints as contacts
from airflow_provider_retell.api.contacts import reading
from airflow_provider_retell.api.engines import endpoints as engines
from airflow_provider_retell.api.knowledge_bases import endpoints as knowledge_bases
from airflow_provider_retell.api.organization import endpoints as organization
from airflow_provider_retell.api.phone_numbers import endpoints as phone_numbers
from airflow_provider_retell.api.simulations import endpoints as simulations
from airflow_provider_retell.hooks.endpoint import Endpoint, Listing, Steps


class CallMethods:
    """The endpoints of calls. ``list_calls`` reads all pages."""

    update_call_checked = Steps(calls_update.update_call_checked)
    update_call = Endpoint(calls.update_call)
    update_live_call = Endpoint(calls.update_live_call)
    get_call = Endpoint(calls.get_call)
    list_calls_page = Endpoint(calls.list_calls)
    list_calls = Listing(listings.list_calls)
    create_phone_call = Endpoint(calls.create_phone_call)
    create_batch_call = Endpoint(calls.create_batch_call)
    stop_call = Endpoint(calls.stop_call)
    delete_call = Endpoint(calls.delete_call)
    rerun_call_analysis = Endpoint(calls.rerun_call_analysis)


class ChatMethods:
    """The endpoints of chats. ``list_chats`` reads all pages."""

    update_chat_checked = Steps(chats_update.update_chat_checked)
    update_chat = Endpoint(chats.update_chat)
    get_chat = Endpoint(chats.get_chat)
    list_chats_page = Endpoint(chats.list_chats)
    list_chats = Listing(listings.list_chats)
    end_chat = Endpoint(chats.end_chat)
    delete_chat = Endpoint(chats.delete_chat)
    rerun_chat_analysis = Endpoint(chats.rerun_chat_analysis)


class ContactMethods:
    """The endpoints of contacts. ``list_contacts`` reads all pages."""

    find_contact = Steps(reading.find_contact)
    get_contact = Endpoint(contacts.get_contact)
    list_contacts_page = Endpoint(contacts.list_contacts)
    list_contacts = Listing(listings.list_contacts)
    create_contact = Endpoint(contacts.create_contact)
    update_contact = Endpoint(contacts.update_contact)
    delete_contact = Endpoint(contacts.delete_contact)
    upload_contact_import_file = Endpoint(contacts.upload_contact_import_file)
    create_contact_import = Endpoint(contacts.create_contact_import)
    get_contact_import = Endpoint(contacts.get_contact_import)


class AgentMethods:
    """The endpoints of voice and chat agents, which share those of versions. The ``list_*`` methods read all pages."""

    draft_agent_version = Steps(drafts.draft_agent_version)
    publish_agent_version_checked = Steps(publishing.publish_agent_version_checked)
    get_agent = Endpoint(agents.get_agent)
    update_agent = Endpoint(agents.update_agent)
    get_chat_agent = Endpoint(agents.get_chat_agent)
    update_chat_agent = Endpoint(agents.update_chat_agent)
    list_agents_page = Endpoint(agents.list_agents)
    list_agents = Steps(listings.list_agents)
    list_agent_versions_page = Endpoint(agents.list_agent_versions)
    list_agent_versions = Steps(listings.list_agent_versions)
    create_agent_version = Endpoint(agents.create_agent_version)
    publish_agent_version = Endpoint(agents.publish_agent_version)
    delete_agent_version = Endpoint(agents.delete_agent_version)


class EngineMethods:
    """The endpoints of Retell LLMs and conversation flows. The ``list_*`` methods read all pages."""

    get_retell_llm = Endpoint(engines.get_retell_llm)
    update_retell_llm = Endpoint(engines.update_retell_llm)
    list_retell_llms_page = Endpoint(engines.list_retell_llms)
    list_retell_llms = Steps(listings.list_retell_llms)
    get_conversation_flow = Endpoint(engines.get_conversation_flow)
    update_conversation_flow = Endpoint(engines.update_conversation_flow)
    get_conversation_flow_component = Endpoint(engines.get_conversation_flow_component)
    list_conversation_flows_page = Endpoint(engines.list_conversation_flows)
    list_conversation_flows = Steps(listings.list_conversation_flows)


class SimulationMethods:
    """The endpoints of test cases, batch tests and test runs. The ``list_*`` methods read all pages."""

    create_test_case_definition = Endpoint(simulations.create_test_case_definition)
    update_test_case_definition = Endpoint(simulations.update_test_case_definition)
    get_test_case_definition = Endpoint(simulations.get_test_case_definition)
    delete_test_case_definition = Endpoint(simulations.delete_test_case_definition)
    list_test_case_definitions_page = Endpoint(simulations.list_test_case_definitions)
    list_test_case_definitions = Steps(listings.list_test_case_definitions)
    create_batch_test = Endpoint(simulations.create_batch_test)
    get_batch_test = Endpoint(simulations.get_batch_test)
    list_batch_tests_page = Endpoint(simulations.list_batch_tests)
    list_batch_tests = Steps(listings.list_batch_tests)
    get_test_run = Endpoint(simulations.get_test_run)
    list_test_runs_page = Endpoint(simulations.list_test_runs)
    list_test_runs = Steps(listings.list_test_runs)


class KnowledgeBaseMethods:
    """The endpoints of knowledge bases."""

    create_knowledge_base = Endpoint(knowledge_bases.create_knowledge_base)
    get_knowledge_base = Endpoint(knowledge_bases.get_knowledge_base)
    list_knowledge_bases = Endpoint(knowledge_bases.list_knowledge_bases)
    add_knowledge_base_sources = Endpoint(knowledge_bases.add_knowledge_base_sources)
    delete_knowledge_base_source = Endpoint(knowledge_bases.delete_knowledge_base_source)
    delete_knowledge_base = Endpoint(knowledge_bases.delete_knowledge_base)


class PhoneNumberMethods:
    """The endpoints of phone numbers. ``list_phone_numbers`` reads all pages."""

    get_phone_number = Endpoint(phone_numbers.get_phone_number)
    update_phone_number = Endpoint(phone_numbers.update_phone_number)
    list_phone_numbers_page = Endpoint(phone_numbers.list_phone_numbers)
    list_phone_numbers = Steps(listings.list_phone_numbers)


class OrganizationMethods:
    """The endpoints of the organization."""

    get_concurrency = Endpoint(organization.get_concurrency)
    get_api_key_info = Endpoint(organization.get_api_key_info)


class ResourceMethods(
    CallMethods,
    ChatMethods,
    ContactMethods,
    AgentMethods,
    EngineMethods,
    SimulationMethods,
    KnowledgeBaseMethods,
    PhoneNumberMethods,
    OrganizationMethods,
):
    """The endpoints of all resources. They block in :class:`RetellHook` and are awaited in :class:`RetellAsyncHook`."""
