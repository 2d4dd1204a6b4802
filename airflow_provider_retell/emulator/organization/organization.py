"""An organization: its settings, its rate limits, and its objects of every resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.agents.backend import AgentBackend
from airflow_provider_retell.emulator.calls.backend import CallBackend
from airflow_provider_retell.emulator.engines.backend import FLOW, LLM, EngineBackend
from airflow_provider_retell.emulator.phone_numbers.backend import PhoneNumberBackend
from airflow_provider_retell.emulator.rate_limits import Limit, RateLimits
from airflow_provider_retell.emulator.simulations.backend import BatchTestBackend, TestCaseBackend
from airflow_provider_retell.emulator.simulations.objects import SimulationObjects
from airflow_provider_retell.emulator.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from airflow_provider_retell.emulator.agents.backend import Agent
    from airflow_provider_retell.emulator.agents.vocabulary import Version
    from airflow_provider_retell.emulator.backend import Backend
    from airflow_provider_retell.emulator.calls.vocabulary import Call
    from airflow_provider_retell.emulator.engines.vocabulary import Engine
    from airflow_provider_retell.emulator.options import Options
    from airflow_provider_retell.emulator.phone_numbers.samples import Number


class Organization(SimulationObjects):
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
        self.call_backend = CallBackend(options, self.timeline, concurrency=lambda: self.concurrency)
        self.llm_backend = EngineBackend(LLM, options)
        self.flow_backend = EngineBackend(FLOW, options)
        self.agent_backend = AgentBackend(options, {LLM.type: self.llm_backend, FLOW.type: self.flow_backend})
        self.number_backend = PhoneNumberBackend(options, self.agent_backend)
        self.test_case_backend = TestCaseBackend(options)
        self.batch_test_backend = BatchTestBackend(options, self.timeline, self.test_case_backend)
        self.backends: dict[str, Backend] = {
            "calls": self.call_backend,
            "agents": self.agent_backend,
            "llms": self.llm_backend,
            "conversation-flows": self.flow_backend,
            "phone-numbers": self.number_backend,
            "test-cases": self.test_case_backend,
            "batch-tests": self.batch_test_backend,
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

        :param progress: let a call that is registered, ongoing or not analyzed yet continue its life cycle.
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

        Only the given fields change: a new ``call_status`` alone adds no timestamps, transcript or analysis.

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
    def agents(self) -> dict[str, Agent]:
        """The agents by id, each with all its versions. The objects are live: tests may change them."""
        return self.agent_backend.agents

    @property
    def llms(self) -> dict[str, dict[int, Engine]]:
        """The versions of Retell LLMs by id and version number. Tests may change them."""
        return self.llm_backend.engines

    @property
    def conversation_flows(self) -> dict[str, dict[int, Engine]]:
        """The versions of conversation flows by id and version number. Tests may change them."""
        return self.flow_backend.engines

    @property
    def phone_numbers(self) -> dict[str, Number]:
        """The phone numbers of the organization. Tests may change them."""
        return self.number_backend.numbers

    def add_agent(
        self,
        *,
        agent_id: str | None = None,
        channel: str = "voice",
        published: bool = True,
        tags: Mapping[str, int | None] | None = None,
        llm: Mapping[str, Any] | None = None,
        conversation_flow: Mapping[str, Any] | None = None,
        response_engine: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Version:
        """Add an agent with a response engine, and return its version 0. The returned dictionary is live.

        From the first agent on, create-phone-call responds with 404 to an ``override_agent_id`` that the
        organization does not have. Without agents, it accepts any.

        :param agent_id: its id. Default: a random one.
        :param channel: "voice" or "chat".
        :param published: False to leave version 0 a draft, as Retell does with a new agent.
        :param tags: the version number by tag; None for a tag that is not assigned.
        :param llm: the id and settings of its Retell LLM, as far as they differ from the sample.
        :param conversation_flow: the same for a conversation flow instead of a Retell LLM.
        :param response_engine: an engine that exists, or a custom LLM:
            ``{"type": "custom-llm", "llm_websocket_url": "wss://..."}``. The default is a new Retell LLM.
        :param fields: settings of the agent; None leaves one out.
        :raises ValueError: for an id that exists, or an unknown channel.
        """
        with self.options.clock.lock:
            return self.agent_backend.add(
                agent_id=agent_id,
                channel=channel,
                published=published,
                tags=tags,
                llm=llm,
                conversation_flow=conversation_flow,
                response_engine=response_engine,
                **fields,
            )

    def add_agent_version(
        self, agent_id: str, *, base_version: int | None = None, published: bool = False, **fields: Any
    ) -> Version:
        """Fork a version of an agent, change it, and return it.

        :param agent_id: the agent.
        :param base_version: the version to fork. Default: the version that was published last.
        :param published: True to publish the new version.
        :param fields: as for ``edit_agent``.
        :raises LookupError: if there is no such agent or version.
        """
        with self.options.clock.lock:
            agent = self.agents.get(agent_id)
            base = (
                agent.resolve("latest_published" if base_version is None else base_version) if agent else None
            )
            if agent is None or base is None:
                raise LookupError(f"there is no version {base_version} of agent {agent_id!r}")
            version = self.agent_backend.fork(agent, base)
            self.agent_backend.edit(agent_id, version=version["version"], **fields)
            if published:
                self.agent_backend.publish(agent, version["version"])
            return version

    def edit_agent(
        self,
        agent_id: str,
        *,
        version: int | None = None,
        llm: Mapping[str, Any] | None = None,
        conversation_flow: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Version:
        """Change settings of a version, published or not, and return it.

        :param agent_id: the agent.
        :param version: the version number. Default: the latest.
        :param llm: settings of its Retell LLM; None removes one.
        :param conversation_flow: settings of its conversation flow.
        :param fields: settings of the agent; None removes one.
        :raises LookupError: if there is no such agent, version or engine.
        """
        with self.options.clock.lock:
            return self.agent_backend.edit(
                agent_id, version=version, llm=llm, conversation_flow=conversation_flow, **fields
            )

    def add_phone_number(self, phone_number: str, **fields: Any) -> Number:
        """Add a phone number and return it. The returned dictionary is live.

        From the first number on, create-phone-call responds with 404 to a ``from_number`` that the organization
        does not have. Without numbers, it accepts any.

        :param phone_number: the number in E.164 format.
        :param fields: other fields, such as ``nickname`` and
            ``outbound_agents=[{"agent_id": ..., "agent_version": 3, "weight": 1}]``.
        :raises ValueError: if the number exists.
        """
        with self.options.clock.lock:
            return self.number_backend.add(phone_number=phone_number, **fields)
