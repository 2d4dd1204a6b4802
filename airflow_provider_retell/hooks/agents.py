"""Methods of the hooks for agents and their versions."""

from __future__ import annotations

from airflow_provider_retell.api.agents import drafts, endpoints, listings, publishing
from airflow_provider_retell.hooks.endpoint import Endpoint, Steps


class AgentMethods:
    """The endpoints of voice and chat agents, which share those of versions. The ``list_*`` methods read all pages."""

    draft_agent_version = Steps(drafts.draft_agent_version)
    publish_agent_version_checked = Steps(publishing.publish_agent_version_checked)
    get_agent = Endpoint(endpoints.get_agent)
    update_agent = Endpoint(endpoints.update_agent)
    get_chat_agent = Endpoint(endpoints.get_chat_agent)
    update_chat_agent = Endpoint(endpoints.update_chat_agent)
    list_agents_page = Endpoint(endpoints.list_agents)
    list_agents = Steps(listings.list_agents)
    list_agent_versions_page = Endpoint(endpoints.list_agent_versions)
    list_agent_versions = Steps(listings.list_agent_versions)
    create_agent_version = Endpoint(endpoints.create_agent_version)
    publish_agent_version = Endpoint(endpoints.publish_agent_version)
    delete_agent_version = Endpoint(endpoints.delete_agent_version)
