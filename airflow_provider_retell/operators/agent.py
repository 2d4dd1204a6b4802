"""Operators for agents: draft a version, publish it, and take snapshots of all versions."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import BaseOperatorLink
from airflow_provider_retell.api.choices import CHANNELS, ON_FOREIGN_DRAFT, Channel, OnForeignDraft
from airflow_provider_retell.api.errors import DriftError, RetellInputError
from airflow_provider_retell.common.paths import safe_path
from airflow_provider_retell.links.retell import RetellAgentLink, link_agent
from airflow_provider_retell.operators.base import RetellOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.masked import unmask
from airflow_provider_retell.params.rendered import (
    as_bool,
    as_id,
    as_list,
    as_object,
    as_text,
    as_whole_number,
)
from airflow_provider_retell.params.text_file import TextFile, read_files

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.agents.drift import Difference

log = logging.getLogger(__name__)


class AgentOperator(RetellOperator):
    """Base class of the operators that act on one agent. Their tasks link to the agent in Retell's dashboard.

    :param agent_id: the agent (templated).
    :param channel: ``"voice"`` (default), or ``"chat"`` for a chat agent.
    """

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
        link_agent(context, agent_id)
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
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
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
        return {
            "agent_id": draft.agent_id,
            "version": draft.version,
            "changed": list(draft.changed),
            "created": draft.created,
        }


class PublishAgentVersionOperator(AgentOperator):
    """Publish a version of an agent, once, and prove that it is published. This cannot be undone.

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
    :param channel: ``"voice"`` (default), or ``"chat"`` for a chat agent.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    :raises AirflowFailException: if a retry cannot help: invalid input (nothing was sent), an unknown agent or version,
        or a draft that is older than the published version.
    """

    template_fields: Sequence[str] = (
        "agent_id",
        "version",
        "version_title",
        "version_description",
        "rebind_numbers",
        "retell_conn_id",
    )
    text_names: Sequence[str] = ("version_title", "version_description")

    def __init__(
        self,
        *,
        agent_id: str | XComArg,
        version: int | str | XComArg,
        version_title: str | None = None,
        version_description: str | None = None,
        rebind_numbers: bool | str = False,
        channel: Channel = "voice",
        **kwargs: Any,
    ) -> None:
        super().__init__(agent_id=agent_id, channel=channel, **kwargs)
        self.version = version
        self.version_title = version_title
        self.version_description = version_description
        self.rebind_numbers = rebind_numbers

    def work(self, context: Context) -> dict[str, Any]:
        """Publish the version, prove it, and check the phone numbers."""
        publication = self.hook.publish_agent_version_checked(
            self.linked_agent_id(context),
            as_whole_number(self.version, "version", 0),
            channel=self.channel,
            version_title=self.rendered("version_title", as_text),
            version_description=self.rendered("version_description", as_text),
            rebind_numbers=as_bool(self.rebind_numbers, "rebind_numbers"),
        )
        numbers = publication.numbers
        return {
            "agent_id": publication.agent_id,
            "version": publication.version,
            "published_now": publication.sent,
            "latest_published": publication.latest_published,
            "rebound": None if numbers is None else [number.label for number in publication.rebound],
            "pinned": None if numbers is None else [number.label for number in numbers.pinned],
            "follow_latest": None if numbers is None else [number.label for number in numbers.follow_latest],
            "follow_tag": None if numbers is None else [number.label for number in numbers.follow_tag],
        }


class SnapshotAgentsOperator(RetellOperator):
    """Write the configuration of agents to a folder of JSON files, and compare it with an earlier snapshot.

    ::

        from airflow_provider_retell.operators import SnapshotAgentsOperator

        SnapshotAgentsOperator(
            task_id="snapshot",
            path="s3://bucket/agents/{{ ds }}",
            compare_with="s3://bucket/agents/{{ macros.ds_add(ds, -1) }}",
        )

    The files contain the published version and the open draft of each agent, with its response engine and its test
    cases, and the phone numbers with the versions that they are bound to. They have no timestamps and are sorted, so
    files of the same configuration are equal. The files are as private as the agents: they contain prompts, phone
    numbers, and the keys in the headers of tools.

    The task logs and returns names only: ``path``, the numbers of ``agents``, ``test_cases`` and ``phone_numbers``,
    ``compared_with``, ``drift`` (None without an earlier snapshot), ``changes`` (a list of ``kind``, ``id``, ``name``,
    ``change`` and ``fields``) and ``schema_version``.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/release_agents.html
    - API: https://docs.retellai.com/api-references/list-agents

    :param path: the folder of the snapshot, a local path or any URL of Airflow's ``ObjectStoragePath`` (templated).
        Files of an earlier snapshot there are replaced, and deleted if they have no successor.
    :param path_conn_id: the Airflow connection of that storage. Default: the storage's own default (templated).
    :param agent_ids: the agents, a list or a template that renders to one (templated). Default: all agents.
    :param compare_with: the folder of an earlier snapshot, in the same storage; it can be ``path`` (templated).
    :param fail_on_drift: True to fail if the configuration differs from the snapshot in ``compare_with``. If ``path``
        is the same folder, the snapshot there is not replaced then.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    :raises AirflowFailException: if a retry cannot help: an unknown agent, a folder without a snapshot in
        ``compare_with`` if ``fail_on_drift`` is True, or a difference from it.
    """

    template_fields: Sequence[str] = ("path", "path_conn_id", "agent_ids", "compare_with", "retell_conn_id")

    def __init__(
        self,
        *,
        path: str,
        path_conn_id: str | None = None,
        agent_ids: Sequence[str] | str | XComArg | None = None,
        compare_with: str | None = None,
        fail_on_drift: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        checks.flag(fail_on_drift=fail_on_drift)
        if fail_on_drift and compare_with is None:
            raise ValueError("fail_on_drift requires compare_with")
        self.path = path
        self.path_conn_id = path_conn_id
        self.agent_ids = agent_ids
        self.compare_with = compare_with
        self.fail_on_drift = fail_on_drift

    def work(self, context: Context) -> dict[str, Any]:
        """Read the agents, compare them, and write the files."""
        from airflow_provider_retell.api.agents.snapshot import PHONE_NUMBERS, read_snapshot
        from airflow_provider_retell.export.agent_snapshot import SCHEMA_VERSION, AgentSnapshot

        path = as_text(unmask(self.path), "path").rstrip("/")
        conn_id = self.rendered("path_conn_id", as_text)
        baseline = self.rendered("compare_with", _as_folder)
        files = self.hook.run(read_snapshot(self.rendered("agent_ids", _as_ids)))
        snapshot = AgentSnapshot(files)
        changes = None if baseline is None else snapshot.compare(baseline, conn_id)
        if baseline is not None:
            self._log_changes(baseline, changes)
        shown = safe_path(str(baseline))
        if self.fail_on_drift and changes is None and path != baseline:
            raise RetellInputError(
                f"there is no snapshot in {shown} to compare with. Write one with a task without fail_on_drift"
            )
        if not (self.fail_on_drift and changes and path == baseline):
            snapshot.write(path, conn_id)
        if self.fail_on_drift and changes:
            more = f"; and {len(changes) - 10} more" if len(changes) > 10 else ""
            raise DriftError(
                f"The configuration differs from the snapshot in {shown}: {'; '.join(map(str, changes[:10]))}{more}"
            )
        agents = [value for name, value in files.items() if name.endswith("/agent.json")]
        test_cases = [
            case for name, value in files.items() if name.endswith("/test_cases.json") for case in value
        ]
        return {
            "path": safe_path(path),
            "agents": len(agents),
            "test_cases": len(test_cases),
            "phone_numbers": len(files[PHONE_NUMBERS]),
            "compared_with": None if baseline is None or changes is None else shown,
            "drift": None if changes is None else bool(changes),
            "changes": [change.as_dict() for change in changes or ()],
            "schema_version": SCHEMA_VERSION,
        }

    def _log_changes(self, baseline: str, changes: Sequence[Difference] | None) -> None:
        if changes is None:
            log.warning("There is no snapshot in %s to compare with", baseline)
            return
        log.info("%d objects differ from the snapshot in %s", len(changes), baseline)
        for change in changes:
            log.info("  %s", change)


def _as_folder(value: Any, name: str) -> str:
    return as_text(value, name).rstrip("/")


def _as_ids(value: Any, name: str) -> list[str]:
    items = as_list(value, name)
    if not items:
        raise RetellInputError(f"{name} must have at least one entry")
    return [as_id(item, f"{name}[{index}]") for index, item in enumerate(items)]


def _as_settings(value: Any, name: str) -> Mapping[str, Any]:
    """Return settings as a dict, with the texts of files."""
    settings: Mapping[str, Any] = read_files(as_object(read_files(value), name))
    return settings
