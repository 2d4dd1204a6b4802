"""Sample data: complete response engines."""

from __future__ import annotations

import uuid
from typing import Any

Engine = dict[str, Any]
"""One version of a response engine as the emulator stores it: Retell's object."""


def new_id(prefix: str) -> str:
    """Return a random id in Retell's format."""
    return f"{prefix}_{uuid.uuid4().hex}"


def llm() -> Engine:
    """Return the settings of a Retell LLM with one tool that only ends the call."""
    return {
        "model": "gpt-4.1",
        "model_temperature": 0,
        "tool_call_strict_mode": True,
        "start_speaker": "agent",
        "begin_message": "Hello, this is the front desk.",
        "general_prompt": "You move appointments for a clinic.",
        "general_tools": [
            {
                "type": "end_call",
                "name": "end_call",
                "description": "End the call when the caller says goodbye.",
            }
        ],
        "knowledge_base_ids": [],
        "default_dynamic_variables": {},
    }


def conversation_flow() -> Engine:
    """Return the settings of a conversation flow with two nodes."""
    instruction: dict[str, Any] = {"type": "prompt", "text": "Ask for the new date of the appointment."}
    return {
        "model_choice": {"type": "cascading", "model": "gpt-4.1"},
        "model_temperature": 0,
        "tool_call_strict_mode": True,
        "start_speaker": "agent",
        "global_prompt": "You move appointments for a clinic.",
        "nodes": [
            {
                "id": "start",
                "type": "conversation",
                "instruction": instruction,
                "edges": [
                    {
                        "id": "edge_1",
                        "destination_node_id": "end",
                        "transition_condition": {"type": "prompt", "prompt": "The caller has named a date."},
                    }
                ],
            },
            {"id": "end", "type": "end", "instruction": {"type": "prompt", "text": "Say goodbye."}},
        ],
        "start_node_id": "start",
        "tools": [],
        "knowledge_base_ids": [],
        "default_dynamic_variables": {},
    }
