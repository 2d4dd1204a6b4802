"""Examples of the endpoints of response engines."""

from __future__ import annotations

from airflow_provider_retell.api.engines.models import (
    ConversationFlow,
    ConversationFlowComponent,
    ConversationFlowPage,
    RetellLlm,
    RetellLlmPage,
)
from wire import Example

EXAMPLES = [
    Example("get_retell_llm", ("llm_1",), {}, "GET /get-retell-llm/llm_1", None, 200, RetellLlm),
    Example(
        "get_retell_llm",
        ("llm_1",),
        {"version": 0},
        "GET /get-retell-llm/llm_1?version=0",
        None,
        200,
        RetellLlm,
    ),
    Example(
        "update_retell_llm",
        ("llm_1", {"general_prompt": "Hi {{name}}"}),
        {"version": 1},
        "PATCH /update-retell-llm/llm_1?version=1",
        {"general_prompt": "Hi {{name}}"},
        200,
        RetellLlm,
    ),
    Example("list_retell_llms_page", (), {}, "GET /v2/list-retell-llms", None, 200, RetellLlmPage),
    Example(
        "get_conversation_flow",
        ("conversation_flow_1",),
        {"version": 0},
        "GET /get-conversation-flow/conversation_flow_1?version=0",
        None,
        200,
        ConversationFlow,
    ),
    Example(
        "update_conversation_flow",
        ("conversation_flow_1", {"global_prompt": "Hi"}),
        {"version": 0},
        "PATCH /update-conversation-flow/conversation_flow_1?version=0",
        {"global_prompt": "Hi"},
        200,
        ConversationFlow,
    ),
    Example(
        "get_conversation_flow_component",
        ("component_1",),
        {},
        "GET /get-conversation-flow-component/component_1",
        None,
        200,
        ConversationFlowComponent,
    ),
    Example(
        "list_conversation_flows_page",
        (),
        {"limit": 2},
        "GET /v2/list-conversation-flows?limit=2",
        None,
        200,
        ConversationFlowPage,
    ),
]
