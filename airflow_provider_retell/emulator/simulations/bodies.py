"""The request bodies of the simulation endpoints, as schemas."""

from __future__ import annotations

from airflow_provider_retell.emulator.schema import STRING, STRING_MAP, Schema, closed

_NAME: Schema = {"type": "string", "minLength": 1}
_VERSION: Schema = {"type": ("number", "null")}


def _const(value: str) -> Schema:
    return {"type": "string", "enum": (value,)}


RESPONSE_ENGINE: Schema = {
    "discriminator": "type",
    "anyOf": (
        closed({"type": _const("retell-llm"), "llm_id": STRING, "version": _VERSION}, "type", "llm_id"),
        closed(
            {"type": _const("conversation-flow"), "conversation_flow_id": STRING, "version": _VERSION},
            "type",
            "conversation_flow_id",
        ),
    ),
}

_TOOL_MOCK = closed(
    {
        "tool_name": STRING,
        "input_match_rule": {
            "discriminator": "type",
            "anyOf": (
                closed({"type": _const("any")}, "type"),
                closed({"type": _const("partial_match"), "args": {"type": "object"}}, "type", "args"),
            ),
        },
        "output": STRING,
        "result": {"type": ("boolean", "null")},
    },
    "tool_name",
    "input_match_rule",
    "output",
)

_TEST_CASE = {
    "name": _NAME,
    "response_engine": RESPONSE_ENGINE,
    "user_prompt": STRING,
    "metrics": {"type": "array", "items": STRING},
    "dynamic_variables": STRING_MAP,
    "llm_model": STRING,
    "tool_mocks": {"type": "array", "items": _TOOL_MOCK},
}

CREATE_TEST_CASE = closed(_TEST_CASE, "name", "response_engine", "user_prompt", "metrics")

UPDATE_TEST_CASE = closed(_TEST_CASE)

CREATE_BATCH_TEST = closed(
    {
        "response_engine": RESPONSE_ENGINE,
        "test_case_definition_ids": {"type": "array", "minItems": 1, "items": STRING},
    },
    "response_engine",
    "test_case_definition_ids",
)
