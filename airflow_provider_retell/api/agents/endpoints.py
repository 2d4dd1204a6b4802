"""The endpoints of agents and their versions, each a function that checks its arguments and returns a :class:`Request`.

Voice and chat agents share the endpoints of versions. Field meanings: https://docs.retellai.com/api-references.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_retell.api.agents.bodies import CreateAgentVersion, ListAgents, PublishAgentVersion
from airflow_provider_retell.api.agents.models import Agent, AgentPage, AgentVersionPage
from airflow_provider_retell.api.body import build, build_patch
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.parsing import no_result
from airflow_provider_retell.api.request import ObjectKind, Request, given, request_to

_AGENT = ObjectKind("agent", "agent_id")


def get_agent(agent_id: str, *, version: int | str | None = None) -> Request[Agent]:
    """Read one version of a voice agent.

    API: https://docs.retellai.com/api-references/get-agent

    :param agent_id: the agent.
    :param version: a version number, ``latest_published`` or a tag. Default: the version that was created last, which
        may be a draft.
    """
    return _get("get-agent", agent_id, version)


def get_chat_agent(agent_id: str, *, version: int | str | None = None) -> Request[Agent]:
    """Read one version of a chat agent; see :func:`get_agent`.

    API: https://docs.retellai.com/api-references/get-chat-agent
    """
    return _get("get-chat-agent", agent_id, version)


def update_agent(
    agent_id: str, changes: Mapping[str, Any], *, version: int | str | None = None
) -> Request[Agent]:
    """Change a draft version of a voice agent. Retell rejects changes of a published version, except of its title.

    API: https://docs.retellai.com/api-references/update-agent

    :param agent_id: the agent.
    :param changes: the fields to set. The others stay as they are. None removes a field.
    :param version: the version to change. Default: the version that was created last.
    :raises RetellInputError: if an argument is invalid.
    """
    return _update("update-agent", agent_id, changes, version)


def update_chat_agent(
    agent_id: str, changes: Mapping[str, Any], *, version: int | str | None = None
) -> Request[Agent]:
    """Change a draft version of a chat agent; see :func:`update_agent`.

    API: https://docs.retellai.com/api-references/update-chat-agent
    """
    return _update("update-chat-agent", agent_id, changes, version)


def list_agents(
    *,
    filter_criteria: Mapping[str, Any] | None = None,
    sort_order: str | None = None,
    limit: int | None = None,
    pagination_key: str | None = None,
) -> Request[AgentPage]:
    """Read one page of voice and chat agents.

    API: https://docs.retellai.com/api-references/list-agents

    :param filter_criteria: conditions on ``channel``, ``is_transfer_agent`` and ``query`` (a part of the name or id).
    :param sort_order: ``"ascending"`` or ``"descending"``.
    :param limit: agents per page.
    :param pagination_key: the key from the previous page.
    :raises RetellInputError: if an argument is invalid.
    """
    # Retell reads the page from the query, and the filter from the body.
    return request_to(
        "POST",
        "/v2/list-agents",
        AgentPage.read,
        body=build(ListAgents, "list-agents", given(filter_criteria=filter_criteria)),
        query={"limit": limit, "pagination_key": pagination_key, "sort_order": sort_order},
    )


def list_agent_versions(
    agent_id: str,
    *,
    sort_order: str | None = None,
    limit: int | None = None,
    pagination_key: str | None = None,
) -> Request[AgentVersionPage]:
    """Read one page of the versions of a voice or chat agent. Do not rely on their order.

    API: https://docs.retellai.com/api-references/list-agent-versions

    :param agent_id: the agent.
    :param sort_order: ``"ascending"`` or ``"descending"``.
    :param limit: versions per page.
    :param pagination_key: the key from the previous page.
    """
    return _AGENT.request(
        "GET",
        "/list-agent-versions",
        agent_id,
        AgentVersionPage.read,
        limit=limit,
        pagination_key=pagination_key,
        sort_order=sort_order,
    )


def create_agent_version(agent_id: str, *, base_version: int) -> Request[Agent]:
    """Fork a version into a new draft, together with its LLM or conversation flow.

    The request is sent again only if Retell certainly did not process it, because each request creates a draft.

    API: https://docs.retellai.com/api-references/create-agent-version

    :param agent_id: a voice or chat agent.
    :param base_version: the version to fork.
    :raises RetellInputError: if an argument is invalid.
    """
    return _AGENT.request(
        "POST",
        "/create-agent-version",
        agent_id,
        Agent.read,
        body=lambda name: build(CreateAgentVersion, name, {"base_version": base_version}),
        idempotent=False,
    )


def publish_agent_version(
    agent_id: str,
    *,
    version: int,
    version_title: str | None = None,
    version_description: str | None = None,
) -> Request[None]:
    """Publish a draft version. This cannot be undone.

    Retell's response is empty, so read the version to see the result. The request is sent again only if Retell
    certainly did not process it.

    API: https://docs.retellai.com/api-references/publish-agent-version

    :param agent_id: a voice or chat agent.
    :param version: the draft to publish.
    :param version_title: a title of the version.
    :param version_description: a description of the version.
    :raises RetellInputError: if an argument is invalid.
    """
    fields = given(version=version, version_title=version_title, version_description=version_description)
    return _AGENT.request(
        "POST",
        "/publish-agent-version",
        agent_id,
        no_result,
        body=lambda name: build(PublishAgentVersion, name, fields),
        idempotent=False,
    )


def delete_agent_version(agent_id: str, *, version: int) -> Request[None]:
    """Delete one version of a voice or chat agent.

    API: https://docs.retellai.com/api-references/delete-agent-version

    :param agent_id: the agent.
    :param version: the version to delete.
    :raises RetellInputError: if an argument is invalid.
    """
    if not _is_number(version):
        raise RetellInputError("version must be a version number of 0 or more")
    return _AGENT.request("DELETE", "/delete-agent-version", agent_id, no_result, version=version)


def _get(operation: str, agent_id: str, version: int | str | None) -> Request[Agent]:
    return _AGENT.request("GET", f"/{operation}", agent_id, Agent.read, version=_checked(version))


def _update(
    operation: str, agent_id: str, changes: Mapping[str, Any], version: int | str | None
) -> Request[Agent]:
    return _AGENT.request(
        "PATCH",
        f"/{operation}",
        agent_id,
        Agent.read,
        body=lambda name: build_patch(name, changes),
        version=_checked(version),
    )


def _checked(version: int | str | None) -> int | str | None:
    if version is None or _is_number(version) or (isinstance(version, str) and version.strip()):
        return version
    raise RetellInputError("version must be a version number of 0 or more, or the name of a version")


def _is_number(version: object) -> bool:
    return isinstance(version, int) and not isinstance(version, bool) and version >= 0
