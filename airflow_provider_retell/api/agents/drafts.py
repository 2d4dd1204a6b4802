"""Bring a draft version of an agent to the published settings plus a set of changes, without I/O.

Retell's versions are the only state: the draft of an interrupted try is found by its content, and used again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from airflow_provider_retell.api.agents import endpoints, listings
from airflow_provider_retell.api.agents.changes import (
    Changes,
    checked_changes,
    missing,
    published_values,
    set_changes,
)
from airflow_provider_retell.api.agents.foreign_drafts import ForeignDraft, discard, refuse
from airflow_provider_retell.api.agents.models import Agent, AgentVersion
from airflow_provider_retell.api.agents.numbers import read_bound_numbers
from airflow_provider_retell.api.agents.settings import (
    VersionState,
    differing,
    get_version,
    listed,
    read_state,
)
from airflow_provider_retell.api.choices import CHANNELS, ON_FOREIGN_DRAFT, Channel, OnForeignDraft
from airflow_provider_retell.api.deletion import delete
from airflow_provider_retell.api.errors import (
    AgentVersionError,
    NotFoundError,
    RetellError,
    RetellInputError,
)
from airflow_provider_retell.api.request import Flow, check_id, given
from airflow_provider_retell.api.storable import Storable

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Draft(Storable):
    """The version of an agent that has the wanted settings.

    :ivar version: the draft, or the published version if nothing differs from it.
    :ivar changed: the settings in which it differs from the published version, such as ``llm.general_prompt``.
    :ivar created: True if this run created the draft.
    """

    agent_id: str
    version: int
    changed: tuple[str, ...] = ()
    created: bool = False

    def slim(self) -> dict[str, Any]:
        """Return the draft as the operator does: its settings are not in it."""
        return {**asdict(self), "changed": list(self.changed)}


@dataclass(frozen=True)
class _Drafting:
    """Valid changes of an agent, and the steps that bring a draft to them."""

    agent_id: str
    channel: Channel
    changes: Changes = field(repr=False)
    on_foreign_draft: OnForeignDraft

    @property
    def names(self) -> frozenset[str]:
        """The names of the settings that the changes set."""
        return frozenset(f"{part}.{name}" for part, fields in self.changes.items() for name in fields)

    def apply(self) -> Flow[Draft]:
        """Find or create the draft, set what differs, and verify Retell's responses."""
        published = yield from self._read_published()
        if published is None:
            return (yield from self._change_first_draft())
        self._check_engine(published)
        if not missing(self.changes, published):
            log.info("Agent %s: published version %d has all settings", self.agent_id, published.version)
            return Draft(self.agent_id, published.version)
        draft, reset = yield from self._find_draft(published)
        created = draft is None
        if draft is None:
            draft = yield from self._fork(published)
        yield from self._warn_of_live_numbers(draft)
        draft = yield from set_changes(draft, self.channel, missing(self.changes, draft), reset)
        changed = differing(published, draft)
        if not changed:
            # Retell stores the settings in another form than they were given, which is that of the published version.
            if created:
                yield from delete(endpoints.delete_agent_version(self.agent_id, version=draft.version))
            log.info("Agent %s: Retell stores the settings as they are published", self.agent_id)
            return Draft(self.agent_id, published.version)
        return Draft(self.agent_id, draft.version, tuple(sorted(changed)), created)

    def _read_published(self) -> Flow[VersionState | None]:
        try:
            agent: Agent = yield get_version(self.agent_id, self.channel, "latest_published")
        except NotFoundError as missing:
            versions = yield from listings.list_agent_versions(self.agent_id)
            if not any(version.is_published for version in versions):
                return None
            other = "chat" if self.channel == "voice" else "voice"
            raise NotFoundError(
                f"{missing} The agent has published versions, so it may be a {other} agent: set channel={other!r}.",
                status=missing.status,
                detail=missing.detail,
            ) from missing
        return (yield from read_state(agent))

    def _check_engine(self, state: VersionState) -> None:
        for part in self.changes.keys() - state.parts.keys():
            raise RetellInputError(
                f"draft of agent {self.agent_id}: {part} cannot be set, because the agent has a response engine of the "
                f"type {state.agent.response_engine.type!r}"
            )

    def _find_draft(self, published: VersionState) -> Flow[tuple[VersionState | None, Changes]]:
        """Return the draft to use, or None, and the settings to set back in it."""
        versions = yield from listings.list_agent_versions(self.agent_id)
        foreign: list[ForeignDraft] = []
        for entry in versions:
            if entry.is_published:
                continue
            if _is_outdated(entry, published.version):
                foreign.append(ForeignDraft(entry))
                continue
            state = yield from self._read_draft(entry)
            if state is None:
                continue
            names = differing(published, state) - self.names
            if not names:
                log.info("Agent %s: using draft %d", self.agent_id, entry.version)
                return state, {}
            foreign.append(ForeignDraft(entry, state, names))
        if foreign and self.on_foreign_draft == "fail":
            raise refuse(self.agent_id, published.version, foreign)
        if self.on_foreign_draft == "discard":
            yield from discard(self.agent_id, self.channel, foreign)
            return None, {}
        # An outdated draft cannot be published safely, so it stays as it is, and a new one is forked.
        usable = next((draft for draft in foreign if draft.state), None)
        if usable is None or usable.state is None:
            return None, {}
        log.info(
            "Agent %s: setting back %s in draft %d",
            self.agent_id,
            listed(usable.names),
            usable.entry.version,
        )
        return usable.state, published_values(published, usable.names)

    def _read_draft(self, entry: AgentVersion) -> Flow[VersionState | None]:
        try:
            agent: Agent = yield get_version(self.agent_id, self.channel, entry.version)
            return (yield from read_state(agent))
        except NotFoundError:  # deleted in the meantime
            return None

    def _fork(self, published: VersionState) -> Flow[VersionState]:
        agent: Agent = yield endpoints.create_agent_version(self.agent_id, base_version=published.version)
        draft = yield from read_state(agent)
        log.info("Agent %s: forked version %d to draft %d", self.agent_id, published.version, draft.version)
        return draft

    def _warn_of_live_numbers(self, draft: VersionState) -> Flow[None]:
        try:
            numbers = yield from read_bound_numbers(draft.agent)
        except RetellError as error:
            # The key may lack the permission, and the warning is no part of the work.
            log.info("Agent %s: its phone numbers were not read (%s)", self.agent_id, type(error).__name__)
            return
        if numbers.follow_latest:
            log.warning(
                "Agent %s: calls of %s use draft %d from now on, because the number follows the latest version. Bind "
                "it to 'latest_published'",
                self.agent_id,
                ", ".join(number.label for number in numbers.follow_latest),
                draft.version,
            )

    def _change_first_draft(self) -> Flow[Draft]:
        """Change the latest draft of an agent that was never published."""
        agent: Agent = yield get_version(self.agent_id, self.channel)
        draft = yield from read_state(agent)
        self._check_engine(draft)
        if self.on_foreign_draft != "overwrite":
            raise AgentVersionError(
                f"agent {self.agent_id} was never published, so draft {draft.version} cannot be compared with a "
                "published version. Publish it once, or set on_foreign_draft='overwrite' to change this draft and "
                "keep its other settings"
            )
        draft = yield from set_changes(draft, self.channel, missing(self.changes, draft))
        return Draft(self.agent_id, draft.version, tuple(sorted(self.names)))


def draft_agent_version(
    agent_id: str,
    *,
    agent: Mapping[str, Any] | None = None,
    llm: Mapping[str, Any] | None = None,
    conversation_flow: Mapping[str, Any] | None = None,
    channel: Channel = "voice",
    on_foreign_draft: OnForeignDraft = "fail",
) -> Flow[Draft]:
    """Bring a draft to the published settings plus the given changes, and verify Retell's responses.

    If the published version has all settings already, nothing is sent. A draft that was forked from the published
    version and differs from it only in settings that the changes set is used again. Published versions are not changed.

    ::

        draft = hook.draft_agent_version("agent_abc", llm={"general_prompt": prompt})

    :param agent_id: the agent.
    :param agent: settings of the agent, such as ``{"voice_speed": 1.1}``. None as a value removes a setting.
    :param llm: settings of its Retell LLM.
    :param conversation_flow: settings of its conversation flow.
    :param channel: ``"voice"`` (default) or ``"chat"``.
    :param on_foreign_draft: what happens if the agent has a draft with other changes: ``"fail"`` (default),
        ``"overwrite"`` or ``"discard"``.
    :raises RetellInputError: if the input is invalid; nothing was sent.
    :raises AgentVersionError: if the agent has a draft with other changes, or was never published.
    :raises UpdateMismatchError: if the draft does not have the values that were sent.
    """
    agent_id = check_id(agent_id, "agent_id")
    where = f"draft of agent {agent_id}"
    for name, value, allowed in (
        ("channel", channel, CHANNELS),
        ("on_foreign_draft", on_foreign_draft, ON_FOREIGN_DRAFT),
    ):
        if value not in allowed:
            raise RetellInputError(f"{where}: {name} must be one of {', '.join(allowed)}")
    parts = given(agent=agent, llm=llm, conversation_flow=conversation_flow)
    if not parts:
        raise RetellInputError(f"{where}: set agent, llm or conversation_flow")
    if llm is not None and conversation_flow is not None:
        raise RetellInputError(f"{where}: set llm or conversation_flow, not both: an agent has one of them")
    changes = {part: checked_changes(f"{where}: {part}", fields) for part, fields in parts.items()}
    return (yield from _Drafting(agent_id, channel, changes, on_foreign_draft).apply())


def _is_outdated(entry: AgentVersion, published: int) -> bool:
    """Return True if a draft was forked from another version than the *published* one."""
    if entry.base_version is None:  # Retell does not say which: an older number cannot be a fork
        return entry.version < published
    return entry.base_version != published
