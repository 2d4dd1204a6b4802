"""Drafts of an agent that hold other changes than a task makes, for example changes made by hand."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from airflow_provider_retell.api.agents import endpoints
from airflow_provider_retell.api.agents.models import Agent, AgentVersion
from airflow_provider_retell.api.agents.numbers import numbers_pinned_to
from airflow_provider_retell.api.agents.settings import VersionState, get_version, listed
from airflow_provider_retell.api.choices import Channel
from airflow_provider_retell.api.deletion import delete
from airflow_provider_retell.api.errors import AgentVersionError
from airflow_provider_retell.api.phone_numbers.listings import list_phone_numbers
from airflow_provider_retell.api.request import Flow

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ForeignDraft:
    """A draft that a task must not publish.

    :ivar entry: its entry in the list of versions.
    :ivar state: its settings; None if it was forked from another version than the published one.
    :ivar names: the settings that differ from the published version and are not the task's.
    """

    entry: AgentVersion
    state: VersionState | None = None
    names: frozenset[str] = frozenset()

    def reason(self, published: int) -> str:
        """Return why the task must not publish it, as a clause for messages."""
        if self.state is not None:
            return f"draft {self.entry.version} has other changes than this task makes: {listed(self.names)}"
        base = self.entry.base_version
        origin = "is older than" if base is None else f"was forked from version {base}, not from"
        return f"draft {self.entry.version} {origin} the published version {published}"


def refuse(agent_id: str, published: int, drafts: Sequence[ForeignDraft]) -> AgentVersionError:
    """Return the error that names *drafts*."""
    reasons = "; ".join(draft.reason(published) for draft in drafts[:5])
    more = f"; and {len(drafts) - 5} more drafts" if len(drafts) > 5 else ""
    return AgentVersionError(
        f"agent {agent_id}: {reasons}{more}. Publish or delete the draft in Retell's dashboard, or set "
        "on_foreign_draft='overwrite' to set other changes back, or on_foreign_draft='discard' to delete such drafts"
    )


def discard(agent_id: str, channel: Channel, drafts: Sequence[ForeignDraft]) -> Flow[None]:
    """Delete *drafts*.

    :raises AgentVersionError: if a phone number or a tag uses one of them; none is deleted then.
    """
    if not drafts:
        return
    numbers = yield from list_phone_numbers()
    for draft in drafts:
        version = draft.entry.version
        pinned = numbers_pinned_to(numbers, agent_id, version)
        users = [f"phone number {number.label}" for number in pinned]
        if draft.state is None:
            agent: Agent = yield get_version(agent_id, channel, version)
        else:
            agent = draft.state.agent
        users += [f"the tag {tag!r}" for tag in agent.assigned_tags or ()]
        if users:
            raise AgentVersionError(
                f"agent {agent_id}: draft {version} is not deleted, because it is in use by {', '.join(users)}. Bind "
                "these to another version first"
            )
    for draft in drafts:
        yield from delete(endpoints.delete_agent_version(agent_id, version=draft.entry.version))
        log.info("Agent %s: deleted draft %d", agent_id, draft.entry.version)
