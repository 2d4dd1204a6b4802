"""An organization: its settings, its rate limits, and its objects of every resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.agents.backend import AgentBackend
from airflow_provider_retell.emulator.agents.objects import AgentObjects
from airflow_provider_retell.emulator.calls.backend import CallBackend
from airflow_provider_retell.emulator.chats.backend import ChatBackend
from airflow_provider_retell.emulator.chats.objects import ChatObjects
from airflow_provider_retell.emulator.contacts.backend import ContactBackend
from airflow_provider_retell.emulator.contacts.imports import ContactImports
from airflow_provider_retell.emulator.contacts.objects import ContactObjects
from airflow_provider_retell.emulator.engines.backend import FLOW, LLM, EngineBackend
from airflow_provider_retell.emulator.engines.components import ComponentBackend
from airflow_provider_retell.emulator.knowledge_bases.backend import KnowledgeBaseBackend
from airflow_provider_retell.emulator.phone_numbers.backend import PhoneNumberBackend
from airflow_provider_retell.emulator.phone_numbers.objects import PhoneNumberObjects
from airflow_provider_retell.emulator.rate_limits import Limit, RateLimits
from airflow_provider_retell.emulator.recordings.links import Links
from airflow_provider_retell.emulator.simulations.backend import BatchTestBackend, TestCaseBackend
from airflow_provider_retell.emulator.simulations.objects import SimulationObjects
from airflow_provider_retell.emulator.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from airflow_provider_retell.emulator.backend import Backend
    from airflow_provider_retell.emulator.calls.vocabulary import Call
    from airflow_provider_retell.emulator.knowledge_bases.backend import KnowledgeBase
    from airflow_provider_retell.emulator.options import Options
    from airflow_provider_retell.emulator.webhooks import Webhooks


class Organization(AgentObjects, ChatObjects, ContactObjects, PhoneNumberObjects, SimulationObjects):
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
        custom_attributes: Collection[str] = (),
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
        self.call_backend = CallBackend(
            options,
            self.timeline,
            concurrency=lambda: self.concurrency,
            on_event=lambda event, call: webhooks.on_event(event, call, api_key),
            links=Links(name, options, api_key),
        )
        self.chat_backend = ChatBackend(
            options, self.timeline, on_event=lambda event, chat: webhooks.on_event(event, chat, api_key)
        )
        self.contact_backend = ContactBackend(options, self.org_id)
        self.contact_import_jobs = ContactImports(self.contact_backend, self.timeline)
        self.llm_backend = EngineBackend(LLM, options)
        self.flow_backend = EngineBackend(FLOW, options)
        self.agent_backend = AgentBackend(options, {LLM.type: self.llm_backend, FLOW.type: self.flow_backend})
        self.component_backend = ComponentBackend(options)
        self.number_backend = PhoneNumberBackend(options, self.agent_backend)
        self.test_case_backend = TestCaseBackend(options)
        self.batch_test_backend = BatchTestBackend(options, self.timeline, self.test_case_backend)
        self.knowledge_base_backend = KnowledgeBaseBackend(options, self.timeline)
        self.backends: dict[str, Backend] = {
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

    @property
    def calls(self) -> dict[str, Call]:
        """The calls by id, up to date with the clock. The dictionary is live: tests may change it."""
        self.catch_up()
        return self.call_backend.store.calls

    @property
    def placed(self) -> list[Call]:
        """The calls that create-phone-call and create-batch-call placed, oldest first."""
        self.catch_up()
        return self.call_backend.placed

    @property
    def reruns(self) -> int:
        """The number of analyses that were run and charged again."""
        return self.call_backend.reruns

    def add_call(self, *, progress: bool = False, minimal: bool = False, **fields: Any) -> Call:
        """Add a call and return it.

        Fields that are not given are filled as in a real call of that type and status. The default is a phone
        call that has ended and is analyzed. The returned dictionary is live: tests may change it.

        :param progress: let a call that is registered, ongoing or not analyzed yet continue its life cycle. Given
            fields, such as ``transcript``, stay as they are.
        :param minimal: leave out transcripts, recordings, costs, latencies and analysis, for tests with very
            many calls.
        :param fields: fields of the call; None leaves a field out.
        :raises ValueError: for a call id that exists, or a call type or status that Retell does not have.
        """
        return self.call_backend.add(progress=progress, minimal=minimal, **fields)

    def add_calls(self, call_ids: Iterable[str], *, minimal: bool = True, **fields: Any) -> None:
        """Add many calls that differ in their ids only.

        :param call_ids: an id for each call.
        :param minimal: as in ``add_call``, but True by default.
        :param fields: the fields of every call.
        """
        self.call_backend.add_many(call_ids, minimal=minimal, **fields)

    def edit_call(self, call_id: str, *, progress: bool = False, **fields: Any) -> Call:
        """Change fields of a call, whatever its status, and return it.

        Only the given fields change. A live call that gets an ended status gets an ``end_timestamp``, too, but no
        transcript and no analysis: ``progress=True`` adds these.

        :param call_id: the id of the call.
        :param progress: let the call continue its life cycle from its new status.
        :param fields: the new values; None removes a field.
        :raises LookupError: if there is no such call.
        :raises ValueError: for a call type or status that Retell does not have, or a new ``call_id``.
        """
        with self.options.clock.lock:
            call = self.call_backend.edit(call_id, progress=progress, **fields)
        self.catch_up()
        return call

    @property
    def knowledge_bases(self) -> dict[str, KnowledgeBase]:
        """The knowledge bases by id, up to date with the clock. The dictionary is live: tests may change it."""
        self.catch_up()
        return self.knowledge_base_backend.knowledge_bases

    def add_knowledge_base(self, **fields: Any) -> KnowledgeBase:
        """Add a knowledge base that is indexed, and return it.

        Fields that are not given are filled as in a real one, and so are the fields of its sources::

            add_knowledge_base(knowledge_base_sources=[{"type": "text", "title": "Opening hours"}])

        :param fields: fields of the knowledge base.
        :raises ValueError: for an id that exists, or a status or type of source that Retell does not have.
        """
        with self.options.clock.lock:
            return self.knowledge_base_backend.add(**fields)

    def edit_knowledge_base(self, knowledge_base_id: str, **fields: Any) -> KnowledgeBase:
        """Change fields of a knowledge base and return it. ``knowledge_base_sources`` replaces all sources.

        :param knowledge_base_id: the id of the knowledge base.
        :param fields: the new values.
        :raises LookupError: if there is no such knowledge base.
        :raises ValueError: for a status or type of source that Retell does not have, or a new id.
        """
        with self.options.clock.lock:
            return self.knowledge_base_backend.edit(knowledge_base_id, **fields)
