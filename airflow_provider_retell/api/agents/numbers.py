"""The phone numbers of an agent, by the version that their calls use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from airflow_provider_retell.api.agents.models import Agent
from airflow_provider_retell.api.phone_numbers import endpoints
from airflow_provider_retell.api.phone_numbers.listings import list_phone_numbers
from airflow_provider_retell.api.phone_numbers.models import BINDINGS, BoundAgent, PhoneNumber
from airflow_provider_retell.api.request import Flow
from airflow_provider_retell.api.versions import version_number


@dataclass(frozen=True)
class BoundNumbers:
    """The phone numbers that are bound to an agent but whose calls do not certainly use the version in question.

    :ivar pinned: numbers that are bound to another version by its number.
    :ivar follow_latest: numbers that use the version that was created last, which may be a draft.
    :ivar follow_tag: numbers that use a tag that is not assigned to the version.
    """

    pinned: tuple[PhoneNumber, ...] = ()
    follow_latest: tuple[PhoneNumber, ...] = ()
    follow_tag: tuple[PhoneNumber, ...] = ()


def read_bound_numbers(agent: Agent) -> Flow[BoundNumbers]:
    """Read all phone numbers and sort them by their bindings to *agent*, which is one version of an agent."""
    numbers = yield from list_phone_numbers()
    found: dict[str, dict[str, PhoneNumber]] = {"pinned": {}, "follow_latest": {}, "follow_tag": {}}
    for number in numbers:
        for _, bound in number.bindings():
            if bound.agent_id == agent.agent_id and (kind := _kind(bound, agent)):
                found[kind][number.phone_number] = number
    return BoundNumbers(
        **{
            kind: tuple(sorted(by_number.values(), key=lambda number: number.label))
            for kind, by_number in found.items()
        }
    )


def _kind(bound: BoundAgent, agent: Agent) -> str | None:
    reference = version_number(bound.agent_version)
    if isinstance(reference, int):
        return None if reference == agent.version else "pinned"
    if reference in (None, "latest"):
        return "follow_latest"
    return None if reference in ("latest_published", *(agent.assigned_tags or ())) else "follow_tag"


def numbers_pinned_to(numbers: Iterable[PhoneNumber], agent_id: str, version: int) -> list[PhoneNumber]:
    """Return the *numbers* that are bound to this version of the agent by its number."""
    return [
        number
        for number in numbers
        if any(
            bound.agent_id == agent_id and version_number(bound.agent_version) == version
            for _, bound in number.bindings()
        )
    ]


def rebind(number: PhoneNumber, agent_id: str, version: int) -> Flow[PhoneNumber]:
    """Bind *number* to *version* wherever it is pinned to another version of the agent. The weights stay.

    Retell replaces the whole list of agents, so the request contains the other agents too.
    """
    changes = {}
    for name in BINDINGS:
        agents: list[BoundAgent] = getattr(number, name) or []
        wanted = [_pinned(bound, version) if bound.agent_id == agent_id else bound for bound in agents]
        if wanted != agents:
            changes[name] = [bound.model_dump(exclude_none=True) for bound in wanted]
    updated: PhoneNumber = yield endpoints.update_phone_number(number.phone_number, changes)
    return updated


def _pinned(bound: BoundAgent, version: int) -> BoundAgent:
    if not isinstance(version_number(bound.agent_version), int):
        return bound
    return bound.model_copy(update={"agent_version": version})
