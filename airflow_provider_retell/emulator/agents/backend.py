"""The agents of one organization, with all their versions."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.agents import samples
from airflow_provider_retell.emulator.agents.vocabulary import CHANNELS, Version
from airflow_provider_retell.emulator.backend import Backend, assign
from airflow_provider_retell.emulator.engines.samples import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_retell.emulator.engines.backend import EngineBackend
    from airflow_provider_retell.emulator.options import Options


@dataclass(eq=False)
class Agent:
    """An agent and its versions.

    :ivar channel: "voice" or "chat".
    :ivar versions: the versions by number. Tests may change them.
    :ivar published: the numbers of the published versions, in the order of publishing.
    :ivar tags: the version number by tag; None for a tag that is not assigned.
    :ivar is_suspended: True if Retell has suspended the agent, which only list-agents shows. Tests may change it.
    """

    agent_id: str
    channel: str
    versions: dict[int, Version] = field(default_factory=dict)
    published: list[int] = field(default_factory=list)
    tags: dict[str, int | None] = field(default_factory=dict)
    is_suspended: bool = False

    @property
    def latest(self) -> Version:
        """The version that was created last."""
        return self.versions[max(self.versions)]

    def resolve(self, reference: int | str | None) -> Version | None:
        """Return the version that *reference* means: a number, "latest", "latest_published", a tag, or None for latest.

        A tag that exists but is not assigned means the latest version, as documented.
        """
        if reference is None or reference == "latest":
            return self.latest
        if reference == "latest_published":
            return self.versions[self.published[-1]] if self.published else None
        if isinstance(reference, str) and not reference.isdigit():
            if reference not in self.tags:
                return None
            tagged = self.tags[reference]
            return self.latest if tagged is None else self.versions[tagged]
        return self.versions.get(int(reference))


class AgentBackend(Backend[Agent]):
    """The agents of one organization. Each version has a version of its response engine with the same number.

    :param engines: the response engines by type.
    """

    table = "agent"

    def __init__(self, options: Options, engines: Mapping[str, EngineBackend]) -> None:
        super().__init__(options)
        self.engines = engines

    def find(self, agent_id: str, channel: str | None = None) -> Agent:
        """Return an agent, or raise the 404 for an unknown one.

        :param channel: the channel of the endpoint; None if it serves both. That an agent of the other channel is
            unknown to it is our guess.
        """
        agent = super().find(agent_id)
        if channel not in (None, agent.channel):
            raise self.missing(agent_id)
        return agent

    def find_version(self, agent: Agent, reference: int | str | None) -> Version:
        """Return one version of an agent, or raise the 404 for an unknown one."""
        version = agent.resolve(reference)
        if version is None:
            raise self.missing(f"{agent.agent_id} version {reference}")
        return version

    def visible(self, agent: Agent, version: Version) -> Version:
        """Return *version* as the API shows it."""
        number = version["version"]
        return {**version, "assigned_tags": [tag for tag, tagged in agent.tags.items() if tagged == number]}

    def all(self) -> list[dict[str, Any]]:
        """Return all agents with their versions."""
        return [dataclasses.asdict(agent) for agent in self.objects.values()]

    def add(
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
        """Add an agent and return its version 0; see ``Organization.add_agent``."""
        if channel not in CHANNELS:
            raise ValueError(f"channel must be one of {', '.join(CHANNELS)}, not {channel!r}")
        agent = Agent(agent_id or new_id("agent"), channel, tags=dict(tags or {}))
        if agent.agent_id in self.objects:
            raise ValueError(f"agent {agent.agent_id!r} exists already")
        engine = (
            self._add_engine(llm, conversation_flow) if response_engine is None else dict(response_engine)
        )
        version = {
            "agent_id": agent.agent_id,
            "version": 0,
            "is_published": False,
            "response_engine": engine,
            "last_modification_timestamp": self.options.clock.now_ms(),
            **samples.settings(channel),
            **fields,
        }
        agent.versions[0] = {name: value for name, value in version.items() if value is not None}
        self.objects[agent.agent_id] = agent
        if published:
            self.publish(agent, 0)
        return agent.versions[0]

    def _add_engine(self, llm: Mapping[str, Any] | None, flow: Mapping[str, Any] | None) -> dict[str, Any]:
        if llm is not None and flow is not None:
            raise ValueError("llm and conversation_flow exclude each other: give one of them")
        engines = self.engines["retell-llm" if flow is None else "conversation-flow"]
        engine = engines.add(**(llm or flow or {}))
        id_name = engines.kind.id_name
        return {"type": engines.kind.type, id_name: engine[id_name], "version": engine["version"]}

    def edit(
        self,
        object_id: str,
        *,
        version: int | None = None,
        llm: Mapping[str, Any] | None = None,
        conversation_flow: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Version:
        """Change fields of a version and return it; see ``Organization.edit_agent``."""
        agent = self.objects.get(object_id)
        found = agent.resolve(version) if agent else None
        if found is None:
            raise LookupError(f"there is no version {version} of agent {object_id!r}")
        changes = llm if conversation_flow is None else conversation_flow
        if changes is not None:
            engines, engine_id = self.engine_of(found)
            engines.edit(engine_id, version=found["response_engine"].get("version"), **changes)
        return self.change(found, fields)

    def engine_of(self, version: Version) -> tuple[EngineBackend, str]:
        """Return the engines of the kind of *version*, and the id of its engine; LookupError for a custom LLM."""
        engine = version["response_engine"]
        if engine["type"] not in self.engines:
            raise LookupError(f"agent {version['agent_id']!r} has a {engine['type']}")
        engines = self.engines[engine["type"]]
        return engines, engine[engines.kind.id_name]

    def change(self, version: Version, fields: Mapping[str, Any]) -> Version:
        """Set *fields*; None removes a field. That null removes a field of any name is our guess."""
        assign(version, fields)
        version["last_modification_timestamp"] = self.options.clock.now_ms()
        return version

    def fork(self, agent: Agent, base: Version) -> Version:
        """Add a draft that is a copy of *base*, with a copy of its engine, and return it."""
        number = max(agent.versions) + 1
        version = {
            **copy.deepcopy(base),
            "version": number,
            "base_version": base["version"],
            "is_published": False,
            "last_modification_timestamp": self.options.clock.now_ms(),
        }
        for name in ("version_title", "version_description"):
            version.pop(name, None)
        if base["response_engine"]["type"] in self.engines:
            engines, engine_id = self.engine_of(base)
            engines.fork(engine_id, base["response_engine"].get("version"), number)
            version["response_engine"]["version"] = number
        agent.versions[number] = version
        return version

    def publish(self, agent: Agent, number: int) -> None:
        """Publish a version and its engine."""
        version = agent.versions[number]
        version["is_published"] = True
        version["last_modification_timestamp"] = self.options.clock.now_ms()
        agent.published.append(number)
        if version["response_engine"]["type"] in self.engines:
            engines, engine_id = self.engine_of(version)
            engines.find_version(engine_id, version["response_engine"].get("version"))["is_published"] = True

    def delete_version(self, agent: Agent, number: int) -> None:
        """Remove a version. That its engine's version goes too, and tags lose it, is our guess."""
        version = agent.versions.pop(number)
        if version["response_engine"]["type"] in self.engines:
            engines, engine_id = self.engine_of(version)
            engines.objects[engine_id].pop(version["response_engine"].get("version", number), None)
        agent.tags.update({tag: None for tag, tagged in agent.tags.items() if tagged == number})
