"""Publish a version of an agent and verify it, without I/O.

Retell publishes a version at most once, so its list of versions is the checkpoint: a version that is published already
is not published again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_retell.api.agents import endpoints, listings
from airflow_provider_retell.api.agents.models import Agent
from airflow_provider_retell.api.agents.numbers import BoundNumbers, read_bound_numbers, rebind
from airflow_provider_retell.api.agents.settings import get_version, last_modified, read_engine
from airflow_provider_retell.api.choices import CHANNELS, Channel
from airflow_provider_retell.api.errors import (
    AgentVersionError,
    NotFoundError,
    PermissionDeniedError,
    RetellError,
    RetellInputError,
    RetellResponseError,
)
from airflow_provider_retell.api.phone_numbers.models import PhoneNumber
from airflow_provider_retell.api.request import Flow
from airflow_provider_retell.api.storable import Storable

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Publication(Storable):
    """A published version, and the phone numbers that do not use it.

    :ivar sent: True if this run published it, False if it was published already.
    :ivar latest_published: the version that was published last; another one if a later version is live.
    :ivar numbers: the phone numbers that are bound to the agent in another way; None if the key cannot read them.
    :ivar rebound: the phone numbers that this run has bound to the version.
    """

    agent_id: str
    version: int
    sent: bool
    latest_published: int
    numbers: BoundNumbers | None
    rebound: tuple[PhoneNumber, ...] = ()

    def slim(self) -> dict[str, Any]:
        """Return the publication as the operator does: phone numbers by nickname and last four digits."""
        numbers = self.numbers
        return {
            "agent_id": self.agent_id,
            "version": self.version,
            "published_now": self.sent,
            "latest_published": self.latest_published,
            "rebound": None if numbers is None else [number.label for number in self.rebound],
            "pinned": None if numbers is None else [number.label for number in numbers.pinned],
            "follow_latest": None if numbers is None else [number.label for number in numbers.follow_latest],
            "follow_tag": None if numbers is None else [number.label for number in numbers.follow_tag],
        }


@dataclass(frozen=True)
class _Publishing:
    """The valid input of a publication, and its steps."""

    agent_id: str
    version: int
    channel: Channel
    version_title: str | None
    version_description: str | None
    rebind_numbers: bool
    unchanged_since: float | None

    def apply(self) -> Flow[Publication]:
        """Publish the version unless it is published, verify it, and check the phone numbers."""
        agent: Agent = yield get_version(self.agent_id, self.channel, self.version)
        sent = not agent.is_published
        if sent:
            yield from self._check_current(agent)
            yield from self._check_unchanged(agent)
            sent = yield from self._publish()
        else:
            log.info("Agent %s: version %d is published already", self.agent_id, self.version)
        yield from self._prove()
        live: Agent = yield get_version(self.agent_id, self.channel, "latest_published")
        latest = self.version if live.version is None else live.version
        if latest != self.version:
            log.warning(
                "Agent %s: version %d is published, but version %d was published after it and is live",
                self.agent_id,
                self.version,
                latest,
            )
        numbers, rebound = yield from self._numbers(agent, live=latest == self.version)
        return Publication(self.agent_id, self.version, sent, latest, numbers, tuple(rebound))

    def _check_current(self, agent: Agent) -> Flow[None]:
        """Raise if another version was published after the draft was forked: publishing would undo its changes."""
        try:
            live: Agent = yield get_version(self.agent_id, self.channel, "latest_published")
        except NotFoundError:  # the agent was never published
            return
        if live.version is None or agent.base_version == live.version:
            return
        if agent.base_version is None and self.version > live.version:
            return
        origin = "is older" if agent.base_version is None else f"was forked from version {agent.base_version}"
        raise AgentVersionError(
            f"agent {self.agent_id}: version {self.version} {origin}, but version {live.version} is published now. "
            "Publishing the draft would undo the changes of that version. Draft the changes again, and publish the new "
            "draft"
        )

    def _check_unchanged(self, agent: Agent) -> Flow[None]:
        """Raise if the draft or its response engine was changed after ``unchanged_since``."""
        if self.unchanged_since is None:
            return
        engine = yield from read_engine(agent)
        modified = last_modified(
            agent.last_modification_timestamp, engine and engine.last_modification_timestamp
        )
        if modified is None or int(modified) > self.unchanged_since:
            change = (
                "does not show when it was changed last" if modified is None else "was changed since then"
            )
            raise AgentVersionError(
                f"agent {self.agent_id}: version {self.version} must be unchanged since {self.unchanged_since:.0f} "
                f"(epoch milliseconds), but {change}. It was not published. Simulate the present draft, and publish it "
                "with the modified_at of that simulation"
            )

    def _publish(self) -> Flow[bool]:
        """Send the request and return True, or return False if another client has published the version."""
        try:
            yield endpoints.publish_agent_version(
                self.agent_id,
                version=self.version,
                version_title=self.version_title,
                version_description=self.version_description,
            )
        except RetellError as error:
            # Either the response was lost or Retell refused. The version shows what happened.
            try:
                agent: Agent = yield get_version(self.agent_id, self.channel, self.version)
            except RetellError:
                raise error from None
            if not agent.is_published:
                raise
            log.info(
                "Agent %s: version %d is published (%s)", self.agent_id, self.version, type(error).__name__
            )
            return not error.not_processed
        return True

    def _prove(self) -> Flow[None]:
        """Raise unless the list of versions shows the version as published: Retell's response is empty."""
        versions = yield from listings.list_agent_versions(self.agent_id)
        if not any(entry.version == self.version and entry.is_published for entry in versions):
            raise RetellResponseError(
                f"agent {self.agent_id}: Retell accepted the publication of version {self.version}, but its list of "
                "versions does not show the version as published. Run the task again: it reads the list first"
            )
        log.info("Agent %s: version %d is in the list of published versions", self.agent_id, self.version)

    def _numbers(self, agent: Agent, *, live: bool) -> Flow[tuple[BoundNumbers | None, list[PhoneNumber]]]:
        try:
            numbers = yield from read_bound_numbers(agent)
        except PermissionDeniedError:
            if self.rebind_numbers:
                raise
            log.info(
                "Agent %s: the API key cannot read phone numbers, so they were not checked", self.agent_id
            )
            return None, []
        rebound: list[PhoneNumber] = []
        if self.rebind_numbers and live:
            for number in numbers.pinned:
                rebound.append((yield from rebind(number, self.agent_id, self.version)))
                log.info("Agent %s: bound %s to version %d", self.agent_id, number.label, self.version)
            numbers = BoundNumbers((), numbers.follow_latest, numbers.follow_tag)
        _warn(self.agent_id, "are pinned to another version", numbers.pinned)
        _warn(self.agent_id, "follow the latest version, which may be a draft", numbers.follow_latest)
        _warn(self.agent_id, "follow a tag of another version", numbers.follow_tag)
        return numbers, rebound


def _warn(agent_id: str, clause: str, numbers: Sequence[PhoneNumber]) -> None:
    if numbers:
        log.warning("Agent %s: %s: %s", agent_id, clause, ", ".join(number.label for number in numbers))


def publish_agent_version_checked(
    agent_id: str,
    *,
    version: int,
    channel: Channel = "voice",
    version_title: str | None = None,
    version_description: str | None = None,
    rebind_numbers: bool = False,
    unchanged_since: float | None = None,
) -> Flow[Publication]:
    """Publish a version unless it is published already, and verify it by reading the versions back.

    A draft is not published if another version was published since the draft was forked.

    ::

        hook.publish_agent_version_checked("agent_abc", version=5, version_title="9f8a7c1")

    :param agent_id: a voice or chat agent.
    :param version: the version to publish.
    :param channel: ``"voice"`` (default) or ``"chat"``.
    :param version_title: a title of the version, for example a git revision.
    :param version_description: a description of the version.
    :param rebind_numbers: True to bind phone numbers to this version that are pinned to another version of the agent.
    :param unchanged_since: epoch milliseconds. A draft that was changed later is not published. Default: no check.
    :raises RetellInputError: if the input is invalid; nothing was sent.
    :raises NotFoundError: if there is no such agent or version.
    :raises AgentVersionError: if another version was published since the draft was forked, or the draft was changed
        after ``unchanged_since``.
    :raises RetellResponseError: if the list of versions does not show the version as published.
    """
    if channel not in CHANNELS:
        raise RetellInputError(f"publish-agent-version: channel must be one of {', '.join(CHANNELS)}")
    # Builds the request for its checks.
    endpoints.publish_agent_version(
        agent_id, version=version, version_title=version_title, version_description=version_description
    )
    publishing = _Publishing(
        agent_id, version, channel, version_title, version_description, rebind_numbers, unchanged_since
    )
    return (yield from publishing.apply())
