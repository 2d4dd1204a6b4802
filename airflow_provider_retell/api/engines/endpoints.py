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
from airflow_provider_retell.api.request import Request, check_id, with_query


def get_retell_llm(llm_id: str, *, version: int | None = None) -> Request[RetellLlm]:
    """Read one version of a Retell LLM.

    API: https://docs.retellai.com/api-references/get-retell-llm

    :param llm_id: the LLM.
    :param version: the version number. Default: the latest version, which may be a draft.
    """
    llm_id = check_id(llm_id, "llm_id")
    return Request(
        operation="get-retell-llm",
        method="GET",
        path=with_query(f"/get-retell-llm/{llm_id}", version=version),
        parse=RetellLlm.read,
        subject=f"LLM {llm_id}",
    )


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
    llm_id = check_id(llm_id, "llm_id")
    return Request(
        operation="update-retell-llm",
        method="PATCH",
        path=with_query(f"/update-retell-llm/{llm_id}", version=version),
        body=build_patch(f"update-retell-llm of LLM {llm_id}", changes),
        parse=RetellLlm.read,
        subject=f"LLM {llm_id}",
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
    path = with_query(
        "/v2/list-retell-llms", limit=limit, pagination_key=pagination_key, sort_order=sort_order
    )
    return Request(operation="list-retell-llms", method="GET", path=path, parse=RetellLlmPage.read)


def get_conversation_flow(
    conversation_flow_id: str, *, version: int | None = None
) -> Request[ConversationFlow]:
    """Read one version of a conversation flow.

    API: https://docs.retellai.com/api-references/get-conversation-flow

    :param conversation_flow_id: the conversation flow.
    :param version: the version number. Default: the latest version, which may be a draft.
    """
    flow_id = check_id(conversation_flow_id, "conversation_flow_id")
    return Request(
        operation="get-conversation-flow",
        method="GET",
        path=with_query(f"/get-conversation-flow/{flow_id}", version=version),
        parse=ConversationFlow.read,
        subject=f"conversation flow {flow_id}",
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
    flow_id = check_id(conversation_flow_id, "conversation_flow_id")
    return Request(
        operation="update-conversation-flow",
        method="PATCH",
        path=with_query(f"/update-conversation-flow/{flow_id}", version=version),
        body=build_patch(f"update-conversation-flow of conversation flow {flow_id}", changes),
        parse=ConversationFlow.read,
        subject=f"conversation flow {flow_id}",
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
    return Request(
        operation="list-conversation-flows",
        method="GET",
        path=with_query(
            "/v2/list-conversation-flows", limit=limit, pagination_key=pagination_key, sort_order=sort_order
        ),
        parse=ConversationFlowPage.read,
    )


def get_conversation_flow_component(
    conversation_flow_component_id: str,
) -> Request[ConversationFlowComponent]:
    """Read a component that several conversation flows share.

    API: https://docs.retellai.com/api-references/get-conversation-flow-component

    :param conversation_flow_component_id: the component.
    """
    component_id = check_id(conversation_flow_component_id, "conversation_flow_component_id")
    return Request(
        operation="get-conversation-flow-component",
        method="GET",
        path=f"/get-conversation-flow-component/{component_id}",
        parse=ConversationFlowComponent.read,
        subject=f"conversation flow component {component_id}",
    )
