"""Methods of the hooks for the response engines of agents."""

from __future__ import annotations

from airflow_provider_retell.api.engines import endpoints, listings
from airflow_provider_retell.hooks.endpoint import Endpoint, Steps


class EngineMethods:
    """The endpoints of Retell LLMs and conversation flows. The ``list_*`` methods read all pages."""

    get_retell_llm = Endpoint(endpoints.get_retell_llm)
    update_retell_llm = Endpoint(endpoints.update_retell_llm)
    list_retell_llms_page = Endpoint(endpoints.list_retell_llms)
    list_retell_llms = Steps(listings.list_retell_llms)
    get_conversation_flow = Endpoint(endpoints.get_conversation_flow)
    update_conversation_flow = Endpoint(endpoints.update_conversation_flow)
    get_conversation_flow_component = Endpoint(endpoints.get_conversation_flow_component)
    list_conversation_flows_page = Endpoint(endpoints.list_conversation_flows)
    list_conversation_flows = Steps(listings.list_conversation_flows)
