"""The operators that draft and publish versions of an agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import BaseOperatorLink
from airflow_provider_retell.api.choices import CHANNELS, ON_FOREIGN_DRAFT, Channel, OnForeignDraft
from airflow_provider_retell.links.retell import RetellAgentLink, link_agent
from airflow_provider_retell.operators.base import RetellOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.rendered import (
    as_bool,
    as_epoch_milliseconds,
    as_id,
    as_object,
    as_text,
    as_whole_number,
)
from airflow_provider_retell.params.text_file import TextFile, read_files

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context


class AgentOperator(RetellOperator):
    """Base class of the operators that act on one agent. Their tasks link to the agent in Retell's dashboard."""

    template_fields: Sequence[str] = ("agent_id", *RetellOperator.template_fields)
    operator_extra_links: Sequence[BaseOperatorLink] = (RetellAgentLink(),)

    def __init__(self, *, agent_id: str | XComArg, channel: Channel = "voice", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        checks.one_of("channel", channel, CHANNELS)
        self.agent_id = agent_id
        self.channel = channel

    def linked_agent_id(self, context: Context) -> str:
        """Return the rendered agent id, and link the task to the agent."""
        agent_id = as_id(self.agent_id, "agent_id")
        link_agent(self, context, agent_id)
        return agent_id


class DraftAgentVersionOperator(AgentOperator):
    """Bring a draft of an agent to the published settings plus the given ones. Published versions are never changed.

    ::

        from airflow_provider_retell.operators import DraftAgentVersionOperator, TextFile

        DraftAgentVersionOperator(
            task_id="draft",
            agent_id="agent_abc",
            llm={"general_prompt": TextFile("s3://bucket/prompts/front_desk.md")},
        )

    The task compares the published version with the given settings. If nothing differs, it creates no draft. Otherwise
    it forks the published version, or uses an open draft that was forked from it and differs from it only in settings
    that the task sets, for example the draft of an earlier try. It sends only differences, in one request for the agent
    and one for its response engine, and verifies Retell's responses. Values are neither logged nor shown, only names.

    The task returns ``agent_id``, ``version`` (the draft, or the published version if nothing differs), ``changed``
    (names such as ``llm.general_prompt``) and ``created`` (True if this try created the draft).

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/release_agents.html
    - API: https://docs.retellai.com/api-references/create-agent-version

    :param agent_id: the agent (templated).
    :param agent: settings of the agent by name, such as ``{"voice_speed": 1.1}``: a dict, or a template that renders to
        a JSON object (templated). None as a value removes a setting. A
        :class:`~airflow_provider_retell.params.text_file.TextFile` can be the value of a setting, or all settings as
        JSON.
    :param llm: settings of the agent's Retell LLM, as for ``agent``.
    :param conversation_flow: settings of the agent's conversation flow, as for ``agent``.
    :param on_foreign_draft: what happens if the agent has another draft, one with other changes or one that was forked
        from another version, and no draft of the task's own. ``"fail"`` (default): the task fails and names the
        settings. ``"overwrite"``: the task sets the other changes back to their published values. ``"discard"``: the
        task deletes such drafts, unless a phone number or a tag uses them, and forks a new one.
    :param channel: ``"voice"`` (default), or ``"chat"`` for a chat agent.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if a retry cannot help: invalid input (nothing was sent), an unknown agent, a foreign
        draft, or a response that differs from the values sent.
    """

    template_fields: Sequence[str] = ("agent_id", "agent", "llm", "conversation_flow", "retell_conn_id")
    template_fields_renderers = {  # noqa: RUF012 - Airflow's form
        "agent": "json",
        "llm": "json",
        "conversation_flow": "json",
    }
    masked_fields: Sequence[str] = ("agent", "llm", "conversation_flow")
    agent_fields: Sequence[str] = masked_fields

    def __init__(
        self,
        *,
        agent_id: str | XComArg,
        agent: Mapping[str, Any] | TextFile | str | XComArg | None = None,
        llm: Mapping[str, Any] | TextFile | str | XComArg | None = None,
        conversation_flow: Mapping[str, Any] | TextFile | str | XComArg | None = None,
        on_foreign_draft: OnForeignDraft = "fail",
        channel: Channel = "voice",
        **kwargs: Any,
    ) -> None:
        super().__init__(agent_id=agent_id, channel=channel, **kwargs)
        checks.one_of("on_foreign_draft", on_foreign_draft, ON_FOREIGN_DRAFT)
        checks.exclusive(llm=llm, conversation_flow=conversation_flow)
        if agent is None and llm is None and conversation_flow is None:
            raise ValueError("agent, llm or conversation_flow must be set")
        self.agent = agent
        self.llm = llm
        self.conversation_flow = conversation_flow
        self.on_foreign_draft = on_foreign_draft

    def work(self, context: Context) -> dict[str, Any]:
        """Find or create the draft and set what differs."""
        agent_id = self.linked_agent_id(context)
        draft = self.hook.draft_agent_version(
            agent_id,
            agent=self.rendered("agent", _as_settings),
            llm=self.rendered("llm", _as_settings),
            conversation_flow=self.rendered("conversation_flow", _as_settings),
            channel=self.channel,
            on_foreign_draft=self.on_foreign_draft,
        )
        return draft.slim()


class PublishAgentVersionOperator(AgentOperator):
    """Publish a version of an agent, once, and verify that it is published. This cannot be undone.

    ::

        from airflow_provider_retell.operators import PublishAgentVersionOperator

        PublishAgentVersionOperator(
            task_id="publish",
            agent_id="agent_abc",
            version="{{ ti.xcom_pull('draft')['version'] }}",
            version_title="{{ dag_run.conf['git_revision'] }}",
            rebind_numbers=True,
        )

    A version that is published already is not published again, so the task can be retried and cleared at any time. A
    draft is not published if another version was published since it was forked. Retell's response is empty, so the
    task reads the list of versions as proof. Then it checks the phone numbers of the agent, and logs a warning for
    those that do not use the version, with nickname and last four digits.

    The task returns ``agent_id``, ``version``, ``published_now`` (False if it was published already),
    ``latest_published`` (another version if a later one is live) and lists of phone numbers: ``rebound``, ``pinned``
    (to another version), ``follow_latest`` (use the version that was created last, which may be a draft) and
    ``follow_tag`` (use a tag of another version). The lists are None if the API key cannot read phone numbers.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/release_agents.html
    - API: https://docs.retellai.com/api-references/publish-agent-version

    :param agent_id: the agent (templated).
    :param version: the version to publish (templated).
    :param version_title: a title of the version, for example a git revision (templated). It is set only if this task
        publishes the version.
    :param version_description: a description of the version, likewise (templated).
    :param rebind_numbers: True to bind the phone numbers that are pinned to another version of the agent to this
        version (templated). Numbers are not bound to a version that is no longer the latest published one.
    :param unchanged_since: a time in epoch milliseconds, such as ``modified_at`` in the result of
        ``RunBatchTestOperator`` (templated). If the draft or its response engine was changed later, the task fails for
        good and publishes nothing. Default: no check.
    :param channel: ``"voice"`` (default), or ``"chat"`` for a chat agent.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if a retry cannot help: invalid input (nothing was sent), an unknown agent or version,
        a draft that is older than the published version, or a draft that was changed after ``unchanged_since``.
    """

    template_fields: Sequence[str] = (
        "agent_id",
        "version",
        "version_title",
        "version_description",
        "rebind_numbers",
        "unchanged_since",
        "retell_conn_id",
    )
    text_names: Sequence[str] = ("version_title", "version_description")

    def __init__(
        self,
        *,
        agent_id: str | XComArg,
        version: int | str | XComArg,
        version_title: str | XComArg | None = None,
        version_description: str | XComArg | None = None,
        rebind_numbers: bool | str | XComArg = False,
        unchanged_since: float | str | XComArg | None = None,
        channel: Channel = "voice",
        **kwargs: Any,
    ) -> None:
        super().__init__(agent_id=agent_id, channel=channel, **kwargs)
        self.version = version
        self.version_title = version_title
        self.version_description = version_description
        self.rebind_numbers = rebind_numbers
        self.unchanged_since = unchanged_since

    def work(self, context: Context) -> dict[str, Any]:
        """Publish the version, verify it, and check the phone numbers."""
        publication = self.hook.publish_agent_version_checked(
            self.linked_agent_id(context),
            version=as_whole_number(self.version, "version", 0),
            channel=self.channel,
            version_title=self.rendered("version_title", as_text),
            version_description=self.rendered("version_description", as_text),
            rebind_numbers=as_bool(self.rebind_numbers, "rebind_numbers"),
            unchanged_since=self.rendered("unchanged_since", as_epoch_milliseconds),
        )
        return publication.slim()


def _as_settings(value: Any, name: str) -> Mapping[str, Any]:
    """Return settings as a dict, with the texts of files."""
    settings: Mapping[str, Any] = read_files(as_object(read_files(value), name))
    return settings
