"""Checks that create a draft version of an agent, change it, and delete it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.api.agents import endpoints
from airflow_provider_retell.contract.check import (
    NOT_DOCUMENTED,
    CannotTellError,
    Checks,
    Finding,
    Flag,
    SkipError,
    differs,
    holds,
    page,
)
from airflow_provider_retell.contract.seeing import (
    NOT_FOUND,
    REJECTED,
    ask,
    describe,
    is_success,
    result,
    see,
)

if TYPE_CHECKING:
    from airflow_provider_retell.api.agents.models import Agent, AgentVersionPage
    from airflow_provider_retell.api.request import Flow, Response
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

DRAFT = Flag(
    "--draft-agent-id",
    "a voice agent of which the checks may create a draft version, change it and delete it",
    "ID",
)


def _fork(target: Target) -> Flow[tuple[Agent, Agent]]:
    """Create a draft; return the version that it was forked from, and the draft."""
    agent_id = target.values(DRAFT)[0]
    base: Agent = yield from ask(endpoints.get_agent(agent_id))
    if base.version is None:
        raise CannotTellError("get-agent: no version")
    draft: Agent = yield from ask(endpoints.create_agent_version(agent_id, base_version=base.version))
    number = draft.version
    if number is not None and number != base.version:
        target.clean_up(
            lambda: _delete_if_there(agent_id, number),
            f"the draft version {number} could not be deleted: delete it in Retell's dashboard",
        )
    return base, draft


def _delete_if_there(agent_id: str, version: int) -> Flow[bool]:
    read: Response = yield endpoints.get_agent(agent_id, version=version).observe()
    if read.status in NOT_FOUND:
        return True
    deleted: Response = yield endpoints.delete_agent_version(agent_id, version=version).observe()
    return is_success(deleted)


@CHECKS.add(
    "agents.fork_is_a_draft",
    assumption="create-agent-version creates a new draft, and names the version that it was forked from.",
    matters="Every draft starts with this request.",
    source=page("create-agent-version"),
    otherwise="The task fails before it changes anything.",
    flags=(DRAFT,),
)
def fork_is_a_draft(target: Target) -> Flow[Finding]:
    """Fork the latest version."""
    base, draft = yield from target.once(_fork)
    if draft.version is None or draft.version <= (base.version or 0):
        return differs("no new version")
    if draft.is_published is not False:
        return differs("not a draft")
    if draft.base_version != base.version:
        return differs("another base_version or none", handled=draft.base_version is None)
    return holds("a draft with base_version")


@CHECKS.add(
    "agents.fork_has_its_own_engine",
    assumption="create-agent-version also forks the response engine, with the same version number.",
    matters="Changes of a prompt in a draft do not affect the published version.",
    source="an observed response",
    otherwise="The task fails, because Retell rejects changes of a published engine.",
    flags=(DRAFT,),
)
def fork_has_its_own_engine(target: Target) -> Flow[Finding]:
    """Compare the numbers of the draft."""
    base, draft = yield from target.once(_fork)
    if draft.response_engine.engine_id is None:
        raise SkipError("the agent in --draft-agent-id has a custom LLM")
    if draft.response_engine.engine_id != base.response_engine.engine_id:
        return differs("another engine")
    return holds("equal") if draft.response_engine.version == draft.version else differs("another number")


@CHECKS.add(
    "agents.update_keeps_other_fields",
    assumption="update-agent changes the given fields of a draft and keeps the others.",
    matters="Drafts send only the settings that differ.",
    source=page("update-agent"),
    otherwise="The task fails, because the draft has other settings than expected.",
    flags=(DRAFT,),
)
def update_keeps_other_fields(target: Target) -> Flow[Finding]:
    """Change the title of the draft."""
    _, draft = yield from target.once(_fork)
    request = endpoints.update_agent(
        draft.agent_id, {"version_title": "contract check"}, version=draft.version
    )
    response = yield from see(request)
    if not is_success(response):
        return differs(describe(response))
    before, after = draft.model_dump(), result(request, response).model_dump()
    ignored = {"version_title", "last_modification_timestamp"}
    changed = [name for name in before.keys() - ignored if before[name] != after.get(name)]
    if after.get("version_title") != "contract check":
        return differs("the field has not changed")
    return differs(f"{len(changed)} other fields") if changed else holds("only this field")


@CHECKS.add(
    "agents.published_version_is_immutable",
    assumption="update-agent rejects changes of a published version.",
    matters="A published version stays as it was tested.",
    source="an observed response",
    otherwise="Nothing changes, because the package changes only drafts.",
    flags=(DRAFT,),
)
def published_version_is_immutable(target: Target) -> Flow[Finding]:
    """Set the name of a published version to its present name."""
    request = endpoints.get_agent(target.values(DRAFT)[0], version="latest_published")
    response = yield from see(request)
    if response.status in NOT_FOUND:
        raise SkipError("the agent in --draft-agent-id has no published version")
    agent = result(request, response)
    changes = {"agent_name": agent.agent_name}
    response = yield from see(endpoints.update_agent(agent.agent_id, changes, version=agent.version))
    if response.status in REJECTED:
        return holds(describe(response))
    return differs(describe(response), handled=is_success(response))


@CHECKS.add(
    "agents.draft_can_be_deleted",
    assumption="delete-agent-version deletes a draft, and the list no longer contains it.",
    matters="The hook deletes versions.",
    source=NOT_DOCUMENTED,
    otherwise="The request fails, or the draft remains.",
    flags=(DRAFT,),
)
def draft_can_be_deleted(target: Target) -> Flow[Finding]:
    """Delete the draft."""
    _, draft = yield from target.once(_fork)
    response = yield from see(endpoints.delete_agent_version(draft.agent_id, version=draft.version or 0))
    if not is_success(response):
        return differs(describe(response))
    found: AgentVersionPage = yield from ask(endpoints.list_agent_versions(draft.agent_id, limit=1000))
    if any(entry.version == draft.version for entry in found.items):
        return differs(f"{response.status}, still listed")
    return holds(f"{response.status}, not listed")
