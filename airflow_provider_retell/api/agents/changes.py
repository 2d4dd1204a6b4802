"""Settings to set in a draft: their checks, their requests, and the verification of Retell's responses."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_retell.api.agents import endpoints
from airflow_provider_retell.api.agents.models import Agent
from airflow_provider_retell.api.agents.settings import AGENT, NOT_SETTINGS, VersionState, holds, listed
from airflow_provider_retell.api.choices import Channel
from airflow_provider_retell.api.encode import JsonValue, same_json, to_json
from airflow_provider_retell.api.engines import endpoints as engine_endpoints
from airflow_provider_retell.api.engines.models import ConversationFlow, RetellLlm
from airflow_provider_retell.api.errors import RetellInputError, UpdateMismatchError
from airflow_provider_retell.api.parsing import RepairedText
from airflow_provider_retell.api.request import Flow, Request

log = logging.getLogger(__name__)

Changes = Mapping[str, Mapping[str, JsonValue]]
"""The values to set, by part (``agent``, ``llm``, ``conversation_flow``) and name. None removes a setting."""


def checked_changes(where: str, fields: Any) -> dict[str, JsonValue]:
    """Return the settings of one part as JSON values.

    :param where: names the part in error messages.
    :raises RetellInputError: if *fields* is no dict, is empty, or has a field that a draft cannot change.
    """
    plain = to_json(fields, where)
    if not isinstance(plain, dict) or not plain:
        raise RetellInputError(f"{where} must be a dict with at least one setting")
    if fixed := sorted(plain.keys() & (NOT_SETTINGS | {"response_engine"})):
        raise RetellInputError(f"{where} must not contain {', '.join(fixed)}: a draft cannot change that")
    return plain


def missing(changes: Changes, state: VersionState) -> Changes:
    """Return the *changes* that *state* does not have yet."""
    found = {
        part: {
            name: value for name, value in fields.items() if not same_json(state.parts[part].get(name), value)
        }
        for part, fields in changes.items()
    }
    return {part: fields for part, fields in found.items() if fields}


def published_values(published: VersionState, names: frozenset[str]) -> Changes:
    """Return the changes that set the settings *names* back to their published values.

    :raises RetellInputError: if a value cannot be sent.
    """
    values: dict[str, dict[str, JsonValue]] = {}
    for full_name in names:
        part, _, name = full_name.partition(".")
        value = published.parts[part].get(name)
        if any(isinstance(text, RepairedText) for text in _leaves(value)):
            raise RetellInputError(
                f"the published value of {full_name} has half of a surrogate pair, which UTF-8 cannot encode, so it "
                "cannot be set back. Set on_foreign_draft='discard'"
            )
        values.setdefault(part, {})[name] = to_json(value, full_name)
    return values


def set_changes(
    draft: VersionState, channel: Channel, wanted: Changes, reset: Changes | None = None
) -> Flow[VersionState]:
    """Set *wanted* and *reset* in *draft*, one request per part, and return the draft as Retell stores it.

    :raises UpdateMismatchError: if the draft in a response does not have the values that were sent.
    """
    reset = reset or {}
    for part in sorted(wanted.keys() | reset.keys(), key=lambda part: part == AGENT):
        fields = {**reset.get(part, {}), **wanted.get(part, {})}
        draft = draft.with_part(part, (yield _update(draft, channel, part, fields)))
        names = listed(f"{part}.{name}" for name in fields)
        log.info("Agent %s: set %s in draft %d", draft.agent.agent_id, names, draft.version)
        stored = draft.parts[part]
        wrong = sorted(
            f"{part}.{name}" for name, value in fields.items() if not holds(stored.get(name), value)
        )
        if wrong:
            raise UpdateMismatchError(
                f"agent {draft.agent.agent_id}: Retell accepted the update of draft {draft.version}, but these "
                f"settings of the draft differ from the values sent: {listed(wrong)}. Check the names of the settings, "
                "and compare with the draft in Retell's dashboard",
                fields=tuple(wrong),
            )
    return draft


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    else:
        yield value


def _update(
    draft: VersionState, channel: Channel, part: str, fields: Mapping[str, Any]
) -> Request[Agent] | Request[RetellLlm] | Request[ConversationFlow]:
    agent_id, engine = draft.agent.agent_id, draft.agent.response_engine
    if part == AGENT:
        update = endpoints.update_agent if channel == "voice" else endpoints.update_chat_agent
        return update(agent_id, fields, version=draft.version)
    version = draft.agent.engine_version
    if part == "llm":
        return engine_endpoints.update_retell_llm(engine.llm_id or "", fields, version=version)
    return engine_endpoints.update_conversation_flow(
        engine.conversation_flow_id or "", fields, version=version
    )
