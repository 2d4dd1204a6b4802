"""The hook methods of all resources."""

from __future__ import annotations

from airflow_provider_retell.hooks.agents import AgentMethods
from airflow_provider_retell.hooks.calls import CallMethods
from airflow_provider_retell.hooks.chats import ChatMethods
from airflow_provider_retell.hooks.contacts import ContactMethods
from airflow_provider_retell.hooks.engines import EngineMethods
from airflow_provider_retell.hooks.knowledge_bases import KnowledgeBaseMethods
from airflow_provider_retell.hooks.organization import OrganizationMethods
from airflow_provider_retell.hooks.phone_numbers import PhoneNumberMethods
from airflow_provider_retell.hooks.simulations import SimulationMethods


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
