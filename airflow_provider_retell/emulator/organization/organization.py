"""An organization: its settings, its rate limits, and its objects of every resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.agents.backend import AgentBackend
from airflow_provider_retell.emulator.agents.objects import AgentObjects
from airflow_provider_retell.emulator.calls.backend import CallBackend
from airflow_provider_retell.emulator.calls.objects import CallObjects
from airflow_provider_retell.emulator.calls.speakers import Speakers
from airflow_provider_retell.emulator.chats.backend import ChatBackend
from airflow_provider_retell.emulator.chats.objects import ChatObjects
from airflow_provider_retell.emulator.contacts.backend import ContactBackend
from airflow_provider_retell.emulator.contacts.imports import ContactImports
from airflow_provider_retell.emulator.contacts.objects import ContactObjects
from airflow_provider_retell.emulator.engines.backend import FLOW, LLM, EngineBackend
from airflow_provider_retell.emulator.engines.components import ComponentBackend
from airflow_provider_retell.emulator.knowledge_bases.backend import KnowledgeBaseBackend
from airflow_provider_retell.emulator.knowledge_bases.objects import KnowledgeBaseObjects
from airflow_provider_retell.emulator.phone_numbers.backend import PhoneNumberBackend
from airflow_provider_retell.emulator.phone_numbers.objects import PhoneNumberObjects
from airflow_provider_retell.emulator.rate_limits import Limit, RateLimits
from airflow_provider_retell.emulator.recordings.links import Links
from airflow_provider_retell.emulator.simulations.backend import BatchTestBackend, TestCaseBackend
from airflow_provider_retell.emulator.simulations.objects import SimulationObjects
from airflow_provider_retell.emulator.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from airflow_provider_retell.emulator.backend import Backend
    from airflow_provider_retell.emulator.options import Options
    from airflow_provider_retell.emulator.webhooks import Webhooks


class Organization(
    AgentObjects,
    CallObjects,
    ChatObjects,
    ContactObjects,
    KnowledgeBaseObjects,
    PhoneNumberObjects,
    SimulationObjects,
):
    """An organization (workspace) of the emulator.

    ``Emulator.add_organization`` creates more of them; ``Emulator.organization`` is the default one.

    :ivar name: its name.
    :ivar api_key: its full-access key.
    :ivar custom_attributes: the ids of its custom attributes, a set that tests may change.
    :ivar concurrency: its limit of live calls, which tests may change.
    :ivar do_not_call: a set of phone numbers that tests may change.
    """

    def __init__(
        self,
        name: str,
        options: Options,
        *,
        api_key: str,
        webhooks: Webhooks,
        routes: frozenset[str],
        custom_attributes: Collection[str],
        quotas: Mapping[str, Limit | None] | None,
        concurrency: int,
    ) -> None:
        if concurrency < 0:
            raise ValueError(f"concurrency must be 0 or more, not {concurrency}")
        self.name = name
        self.api_key = api_key
        self.org_id = f"org_{name}"
        self.options = options
        self.custom_attributes = set(custom_attributes)
        self.rate_limits = RateLimits(quotas, routes=routes)
        self.concurrency = concurrency
        self.do_not_call = set(options.do_not_call)
        self.timeline = Timeline()
        self.llm_backend = EngineBackend(LLM, options)
        self.flow_backend = EngineBackend(FLOW, options)
        self.agent_backend = AgentBackend(options, {LLM.type: self.llm_backend, FLOW.type: self.flow_backend})
        self.number_backend = PhoneNumberBackend(options, self.agent_backend)
        self.call_backend = CallBackend(
            options,
            self.timeline,
            concurrency=lambda: self.concurrency,
            on_event=lambda event, call: webhooks.on_event(event, call, api_key),
            links=Links(name, options, api_key),
            speakers=Speakers(self.agent_backend, self.number_backend),
        )
        self.chat_backend = ChatBackend(
            options, self.timeline, on_event=lambda event, chat: webhooks.on_event(event, chat, api_key)
        )
        self.contact_backend = ContactBackend(options, self.org_id)
        self.contact_import_jobs = ContactImports(self.contact_backend, self.timeline)
        self.component_backend = ComponentBackend(options)
        self.test_case_backend = TestCaseBackend(options)
        self.batch_test_backend = BatchTestBackend(options, self.timeline, self.test_case_backend)
        self.knowledge_base_backend = KnowledgeBaseBackend(options, self.timeline)
        self.backends: dict[str, Backend[Any]] = {
            "calls": self.call_backend,
            "chats": self.chat_backend,
            "contacts": self.contact_backend,
            "agents": self.agent_backend,
            "llms": self.llm_backend,
            "conversation-flows": self.flow_backend,
            "conversation-flow-components": self.component_backend,
            "phone-numbers": self.number_backend,
            "test-cases": self.test_case_backend,
            "batch-tests": self.batch_test_backend,
            "knowledge_bases": self.knowledge_base_backend,
        }

    @property
    def _owner(self) -> Organization:
        return self

    def catch_up(self) -> None:
        """Run everything that is due on the clock."""
        clock = self.options.clock
        with clock.lock:
            self.timeline.catch_up(clock.now)
            for backend in self.backends.values():
                backend.catch_up(clock.now)
            self.timeline.catch_up(clock.now)

    def clear(self) -> None:
        """Clear objects, schedules, charges and used quota; keep keys, attributes and limits."""
        with self.options.clock.lock:
            self.timeline.clear()
            for backend in self.backends.values():
                backend.clear()
            self.contact_import_jobs.clear()
            self.rate_limits.clear()
