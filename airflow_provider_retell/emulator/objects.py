"""The base of the classes that give tests the objects of a resource."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.agents.backend import AgentBackend
    from airflow_provider_retell.emulator.calls.backend import CallBackend
    from airflow_provider_retell.emulator.chats.backend import ChatBackend
    from airflow_provider_retell.emulator.contacts.backend import ContactBackend
    from airflow_provider_retell.emulator.contacts.imports import ContactImports
    from airflow_provider_retell.emulator.engines.backend import EngineBackend
    from airflow_provider_retell.emulator.knowledge_bases.backend import KnowledgeBaseBackend
    from airflow_provider_retell.emulator.options import Options
    from airflow_provider_retell.emulator.phone_numbers.backend import PhoneNumberBackend
    from airflow_provider_retell.emulator.simulations.backend import BatchTestBackend, TestCaseBackend


class Owner(Protocol):
    """The parts of an organization that its objects need."""

    options: Options
    agent_backend: AgentBackend
    batch_test_backend: BatchTestBackend
    call_backend: CallBackend
    chat_backend: ChatBackend
    contact_backend: ContactBackend
    contact_import_jobs: ContactImports
    flow_backend: EngineBackend
    knowledge_base_backend: KnowledgeBaseBackend
    llm_backend: EngineBackend
    number_backend: PhoneNumberBackend
    test_case_backend: TestCaseBackend

    def catch_up(self) -> None:
        """Run everything that is due on the clock."""


class Objects(ABC):
    """The methods of an organization, and of the emulator for its default organization."""

    @property
    @abstractmethod
    def _owner(self) -> Owner:
        """The organization."""
