"""The endpoints of response engines, each a function that checks its arguments and returns a :class:`Request`.

There is no endpoint that creates a version of an engine: ``create_agent_version`` forks the engine with its agent.
Field meanings: https://docs.retellai.com/api-references.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_retell.api.body import build_patch
from airflow_provider_retell.api.engines.models import (
    ConversationFlow,
    ConversationFlowComponent,
    ConversationFlowPage,
    RetellLlm,
    RetellLlmPage,
)
from airflow_provider_retell.api.request import ObjectKind, Request, request_to

_LLM = ObjectKind("LLM", "llm_id")
_FLOW = ObjectKind("conversation flow", "conversation_flow_id")
_COMPONENT = ObjectKind("conversation flow component", "conversation_flow_component_id")


def get_retell_llm(llm_id: str, *, version: int | None = None) -> Request[RetellLlm]:
    """Read one version of a Retell LLM.

    API: https://docs.retellai.com/api-references/get-retell-llm

    :param llm_id: the LLM.
    :param version: the version number. Default: the latest version, which may be a draft.
    """
    return _LLM.request("GET", "/get-retell-llm", llm_id, RetellLlm.read, version=version)


def update_retell_llm(
    llm_id: str, changes: Mapping[str, Any], *, version: int | None = None
) -> Request[RetellLlm]:
    """Change a draft version of a Retell LLM. Retell rejects changes of a published version.

    API: https://docs.retellai.com/api-references/update-retell-llm

    :param llm_id: the LLM.
    :param changes: the fields to set. The others stay as they are. None removes a field.
    :param version: the version to change. Default: the latest version.
    :raises RetellInputError: if an argument is invalid.
    """
    return _LLM.request(
        "PATCH",
        "/update-retell-llm",
        llm_id,
        RetellLlm.read,
        body=lambda name: build_patch(name, changes),
        version=version,
    )


def list_retell_llms(
    *, sort_order: str | None = None, limit: int | None = None, pagination_key: str | None = None
) -> Request[RetellLlmPage]:
    """Read one page of Retell LLMs.

    API: https://docs.retellai.com/api-references/list-retell-llms

    :param sort_order: ``"ascending"`` or ``"descending"``.
    :param limit: LLMs per page.
    :param pagination_key: the key from the previous page.
    """
    page = {"limit": limit, "pagination_key": pagination_key, "sort_order": sort_order}
    return request_to("GET", "/v2/list-retell-llms", RetellLlmPage.read, query=page)


def get_conversation_flow(
    conversation_flow_id: str, *, version: int | None = None
) -> Request[ConversationFlow]:
    """Read one version of a conversation flow.

    API: https://docs.retellai.com/api-references/get-conversation-flow

    :param conversation_flow_id: the conversation flow.
    :param version: the version number. Default: the latest version, which may be a draft.
    """
    return _FLOW.request(
        "GET", "/get-conversation-flow", conversation_flow_id, ConversationFlow.read, version=version
    )


def update_conversation_flow(
    conversation_flow_id: str, changes: Mapping[str, Any], *, version: int | None = None
) -> Request[ConversationFlow]:
    """Change a draft version of a conversation flow. Retell rejects changes of a published version.

    API: https://docs.retellai.com/api-references/update-conversation-flow

    :param conversation_flow_id: the conversation flow.
    :param changes: the fields to set. The others stay as they are. None removes a field.
    :param version: the version to change. Default: the latest version.
    :raises RetellInputError: if an argument is invalid.
    """
    return _FLOW.request(
        "PATCH",
        "/update-conversation-flow",
        conversation_flow_id,
        ConversationFlow.read,
        body=lambda name: build_patch(name, changes),
        version=version,
    )


def list_conversation_flows(
    *, sort_order: str | None = None, limit: int | None = None, pagination_key: str | None = None
) -> Request[ConversationFlowPage]:
    """Read one page of conversation flows.

    API: https://docs.retellai.com/api-references/list-conversation-flows

    :param sort_order: ``"ascending"`` or ``"descending"``.
    :param limit: conversation flows per page.
    :param pagination_key: the key from the previous page.
    """
    page = {"limit": limit, "pagination_key": pagination_key, "sort_order": sort_order}
    return request_to("GET", "/v2/list-conversation-flows", ConversationFlowPage.read, query=page)


def get_conversation_flow_component(
    conversation_flow_component_id: str,
) -> Request[ConversationFlowComponent]:
    """Read a component that several conversation flows share.

    API: https://docs.retellai.com/api-references/get-conversation-flow-component

    :param conversation_flow_component_id: the component.
    """
    return _COMPONENT.request(
        "GET",
        "/get-conversation-flow-component",
        conversation_flow_component_id,
        ConversationFlowComponent.read,
    )
