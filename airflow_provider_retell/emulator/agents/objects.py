"""The agents of an organization and their response engines, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_retell.emulator.agents.backend import Agent
    from airflow_provider_retell.emulator.agents.vocabulary import Version
    from airflow_provider_retell.emulator.engines.samples import Engine


class AgentObjects(Objects):
    """Agents and their response engines, for tests."""

    @property
    def agents(self) -> dict[str, Agent]:
        """The agents by id, each with all its versions. The objects are live: tests may change them."""
        return self._owner.agent_backend.objects

    @property
    def llms(self) -> dict[str, dict[int, Engine]]:
        """The versions of Retell LLMs by id and version number. Tests may change them."""
        return self._owner.llm_backend.objects

    @property
    def conversation_flows(self) -> dict[str, dict[int, Engine]]:
        """The versions of conversation flows by id and version number. Tests may change them."""
        return self._owner.flow_backend.objects

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
        with self._owner.options.clock.lock:
            return self._owner.agent_backend.add(
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
        with self._owner.options.clock.lock:
            agent = self.agents.get(agent_id)
            base = (
                agent.resolve("latest_published" if base_version is None else base_version) if agent else None
            )
            if agent is None or base is None:
                raise LookupError(f"there is no version {base_version} of agent {agent_id!r}")
            version = self._owner.agent_backend.fork(agent, base)
            self._owner.agent_backend.edit(agent_id, version=version["version"], **fields)
            if published:
                self._owner.agent_backend.publish(agent, version["version"])
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
        with self._owner.options.clock.lock:
            return self._owner.agent_backend.edit(
                agent_id, version=version, llm=llm, conversation_flow=conversation_flow, **fields
            )
