"""Sample data: complete test cases, batch tests and test runs."""

from __future__ import annotations

import copy
import uuid
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.simulations.vocabulary import SCRIPT

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.simulations.vocabulary import BatchTest, TestCase, TestRun

EXPLANATIONS = {
    "pass": "The agent met every metric.",
    "fail": "The agent did not confirm the appointment.",
    "error": "The simulation timed out.",
}
"""The explanation of each verdict."""


def new_id(kind: str) -> str:
    """Return a random id.

    :param kind: its prefix, such as "test_case".
    """
    return f"{kind}_{uuid.uuid4().hex[:12]}"


def test_case(now_ms: int) -> TestCase:
    """Return a complete test case of an LLM."""
    return {
        "test_case_definition_id": new_id("test_case"),
        "type": "simulation",
        "name": "Books an appointment",
        "response_engine": {"type": "retell-llm", "llm_id": "llm_8f21c0d6a7e94b35"},
        "user_prompt": "You want an appointment on Monday morning.",
        "metrics": ["The agent confirms the appointment."],
        "dynamic_variables": {},
        "llm_model": "gpt-4.1",
        "tool_mocks": [],
        "creation_timestamp": now_ms,
        "user_modified_timestamp": now_ms,
    }


def batch_test(engine: dict[str, Any], total: int, now_ms: int) -> BatchTest:
    """Return a batch test that has just started, without its runs."""
    return {
        "test_case_batch_job_id": new_id("test_batch"),
        "status": "in_progress",
        "response_engine": engine,
        "total_count": total,
        "pass_count": 0,
        "fail_count": 0,
        "error_count": 0,
        "creation_timestamp": now_ms,
        "user_modified_timestamp": now_ms,
    }


def test_run(case: TestCase, now_ms: int) -> TestRun:
    """Return a test run that is queued."""
    snapshot = {name: copy.deepcopy(value) for name, value in case.items() if name not in SCRIPT}
    return {
        "test_case_job_id": new_id("test_run"),
        "status": "pending",
        "test_case_definition_id": case["test_case_definition_id"],
        "test_case_definition_snapshot": snapshot,
        "creation_timestamp": now_ms,
        "user_modified_timestamp": now_ms,
    }


def transcript(case: TestCase, tool_calls: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the transcript of a simulated conversation.

    :param tool_calls: the tool calls with their outputs.
    """
    turns = [
        {"role": "user", "content": case["user_prompt"]},
        *(
            {"role": "tool_call_result", "tool_name": call["tool_name"], "content": call["output"]}
            for call in tool_calls
        ),
        {"role": "agent", "content": "Your appointment is on Monday at nine."},
    ]
    return {"messages": turns, "call_ended": True}
