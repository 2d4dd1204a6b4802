"""The agents that speak in placed calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.responses import ApiError

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.agents.backend import AgentBackend
    from airflow_provider_retell.emulator.phone_numbers.backend import PhoneNumberBackend

_FIELDS = {
    "agent_id": "agent_id",
    "agent_version": "version",
    "agent_name": "agent_name",
    "data_storage_setting": "data_storage_setting",
    "opt_in_signed_url": "opt_in_signed_url",
}
"""The fields of a call that its agent determines, and their names in a version of the agent."""


class Speakers:
    """Finds the agent of a call: the overriding one, or the first that the number is bound to.

    :param agents: the agents of the organization.
    :param numbers: its phone numbers.
    """

    def __init__(self, agents: AgentBackend, numbers: PhoneNumberBackend) -> None:
        self._agents = agents
        self._numbers = numbers

    def check(self, number: str, task: dict[str, Any]) -> None:
        """Raise the 404 that Retell sends for a number, agent or version that the organization does not have.

        An organization without numbers accepts any number, and one without agents any agent.

        :param number: the number that calls.
        :param task: the fields of the request that describe the call.
        """
        agents, overriding = self._agents.objects, task.get("override_agent_id")
        if self._numbers.objects and number not in self._numbers.objects:
            raise ApiError(404, f"Item {number} not found from phone-number")
        if agents and overriding is not None and overriding not in agents:
            raise ApiError(404, f"Item {overriding} not found from agent")
        agent_id, reference = self._find(number, task)
        if agent_id in agents and agents[agent_id].resolve(reference) is None:
            raise ApiError(404, f"Item {agent_id} version {reference} not found from agent")

    def fields(self, number: str, task: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a new call that its agent determines; the arguments are those of ``check``."""
        agent_id, reference = self._find(number, task)
        agent = self._agents.objects.get(agent_id)
        version = agent.resolve(reference) if agent else None
        if version is not None:
            return {name: version[source] for name, source in _FIELDS.items() if source in version}
        # Without the version, "latest", "latest_published" and tags cannot be resolved.
        known = {"agent_id": agent_id, "agent_version": reference if isinstance(reference, int) else None}
        return {name: value for name, value in known.items() if value is not None}

    def _find(self, number: str, task: dict[str, Any]) -> tuple[Any, Any]:
        """Return the id of the agent, and a reference to its version."""
        bound = (self._numbers.objects.get(number, {}).get("outbound_agents") or [{}])[0]
        default = {} if "override_agent_id" in task else bound
        return (
            task.get("override_agent_id", bound.get("agent_id")),
            task.get("override_agent_version", default.get("agent_version")),
        )
