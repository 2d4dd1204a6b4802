"""Checks that create a draft version of an agent, change it, and delete it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.agents import endpoints
from airflow_provider_retell.api.agents.listings import list_agent_versions
from airflow_provider_retell.api.engines import endpoints as engine_endpoints
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, Checks, page
from airflow_provider_retell.contract.creation import Creation
from airflow_provider_retell.contract.findings import CannotTellError, Finding, SkipError, differs, holds
from airflow_provider_retell.contract.flags import Flag
from airflow_provider_retell.contract.seeing import (
    NOT_FOUND,
    REJECTED,
    ask,
    describe,
    is_success,
    result,
    see,
    succeeds,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_provider_retell.api.agents.models import Agent, AgentVersionPage
    from airflow_provider_retell.api.request import Flow, Request
    from airflow_provider_retell.api.response_model import ResponseModel
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

DRAFT = Flag(
    "--draft-agent-id",
    "a voice agent of which the checks may create a draft version, change it and its response engine, and delete it",
    "ID",
)

_OF_A_VERSION = {
    "assigned_tags",
    "base_version",
    "is_published",
    "last_modification_timestamp",
    "version",
    "version_description",
    "version_title",
}

_CUSTOM_LLM = "the agent in --draft-agent-id has a custom LLM"


def _fork(target: Target) -> Flow[tuple[Agent, Agent]]:
    """Create a draft; return the version that it was forked from, and the draft."""
    agent_id = target.values(DRAFT)[0]
    base: Agent = yield from ask(endpoints.get_agent(agent_id))
    if base.version is None:
        raise CannotTellError("get-agent: no version")
    existing = {version.version for version in (yield from list_agent_versions(agent_id))}
    existing.add(base.version)
    created = Creation(
        "version", partial(_forks, base, existing), partial(_delete, agent_id), existing=existing
    )
    target.clean_up(
        created.undo_all,
        f"a draft that was forked from version {base.version} of the agent in --draft-agent-id may still exist: "
        "delete it in Retell's dashboard",
    )
    request = endpoints.create_agent_version(agent_id, base_version=base.version)
    return base, result(request, (yield from created.send(request)))


def _forks(base: Agent, existing: Collection[int]) -> Flow[list[int]]:
    """Return the number of a new draft without changes, or nothing if there are several."""
    numbers = [
        version.version
        for version in (yield from list_agent_versions(base.agent_id))
        if version.version not in existing and not version.is_published
    ]
    if len(numbers) != 1:
        return []
    draft: Agent = yield from ask(endpoints.get_agent(base.agent_id, version=numbers[0]))
    # Another client may have forked the agent for changes of its own.
    return numbers if _settings(draft) == _settings(base) else []


def _settings(agent: Agent) -> dict[str, Any]:
    """Return the fields that are the same in an unchanged fork."""
    settings = agent.model_dump(exclude=_OF_A_VERSION)
    return {**settings, "response_engine": agent.response_engine.model_dump(exclude={"version"})}


def _delete(agent_id: str, number: int) -> Flow[bool]:
    yield from see(endpoints.delete_agent_version(agent_id, version=number))
    return all(version.version != number for version in (yield from list_agent_versions(agent_id)))


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
        raise SkipError(_CUSTOM_LLM)
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
    return (yield from _changes_one_field(request, draft.model_dump(), "version_title", "contract check"))


def _changes_one_field(
    request: Request[Any], before: dict[str, Any], name: str, value: object
) -> Flow[Finding]:
    """Send *request*, which sets the field *name* to *value*, and compare the response with *before*."""
    response = yield from see(request)
    if not is_success(response):
        return differs(describe(response))
    after = result(request, response).model_dump()
    if after.get(name) != value:
        return differs("the field has not changed")
    others = before.keys() - {name, "last_modification_timestamp"}
    changed = sum(before[other] != after.get(other) for other in others)
    return differs(f"{changed} other fields") if changed else holds("only this field")


@CHECKS.add(
    "agents.engine_update_keeps_other_fields",
    assumption="update-retell-llm and update-conversation-flow change the given fields of a draft and keep the others.",
    matters="Drafts send only the settings that differ.",
    source=page("update-retell-llm"),
    otherwise="The draft loses the other settings of its response engine.",
    flags=(DRAFT,),
)
def engine_update_keeps_other_fields(target: Target) -> Flow[Finding]:
    """Add a default variable to the response engine of the draft."""
    _, draft = yield from target.once(_fork)
    engine_id, version = draft.response_engine.engine_id, draft.engine_version
    if engine_id is None:
        raise SkipError(_CUSTOM_LLM)
    if version != draft.version:
        raise SkipError("the draft has no response engine of its own")
    is_llm = draft.response_engine.llm_id is not None
    read = engine_endpoints.get_retell_llm if is_llm else engine_endpoints.get_conversation_flow
    update = engine_endpoints.update_retell_llm if is_llm else engine_endpoints.update_conversation_flow
    engine: ResponseModel = yield from ask(read(engine_id, version=version))
    before = engine.model_dump()
    name = "default_dynamic_variables"
    value = before.get(name) or {}
    changed = {**value, "contract_check": "1"}
    restore = partial(
        _restore_engine, read(engine_id, version=version), update(engine_id, {name: value}, version=version)
    )
    # Retell does not document that the engine is deleted with the draft.
    target.clean_up(
        restore,
        "the response engine of the draft of the agent in --draft-agent-id may still have the default variable "
        "'contract_check': remove it in Retell's dashboard",
    )
    request = update(engine_id, {name: changed}, version=version)
    finding = yield from _changes_one_field(request, before, name, changed)
    yield from restore()
    return finding


def _restore_engine(read: Request[ResponseModel], update: Request[ResponseModel]) -> Flow[bool]:
    """Remove the default variable of the check; return True if the response engine does not have it."""
    response = yield from see(read)
    if response.status in NOT_FOUND:
        return True
    if "contract_check" not in (result(read, response).model_dump().get("default_dynamic_variables") or {}):
        return True
    return (yield from succeeds(update))


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
