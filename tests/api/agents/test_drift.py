"""Differences between two snapshots."""

from __future__ import annotations

from typing import Any

from airflow_provider_retell.api.agents.drift import Difference, differences

AGENT = "agents/agent_1/agent.json"
LLM = "agents/agent_1/llm.json"
CASES = "agents/agent_1/test_cases.json"
NUMBERS = "phone_numbers.json"


def shown(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [str(each) for each in differences(old, new)]


def test_equal_files_have_no_difference() -> None:
    files = {
        AGENT: {"agent_name": "Desk", "published": {"n": 1}},
        LLM: {"published": {"n": 1}},
        CASES: [{"test_case_definition_id": "test_1", "name": "Books"}],
        NUMBERS: [{"phone_number": "+14155550100"}],
    }
    assert differences(files, files) == []
    assert differences({}, {}) == []


def test_agent_is_added_or_removed_with_its_test_cases() -> None:
    files = {
        AGENT: {"agent_name": "Desk"},
        LLM: {"published": {"n": 1}},
        CASES: [{"test_case_definition_id": "test_1", "name": "Books"}],
    }
    assert shown({}, files) == ["agent Desk (agent_1) added", "test case Books (test_1) added"]
    assert shown(files, {}) == ["agent Desk (agent_1) removed", "test case Books (test_1) removed"]


def test_changed_fields_of_agent_and_engine_are_named_by_version() -> None:
    old = {
        AGENT: {"agent_name": "Desk", "published": {"voice": "a", "n": 1}, "draft": None, "tags": {"x": 1}},
        LLM: {"published": {"prompt": "a"}, "draft": {"prompt": "a", "same": 1}},
    }
    new = {
        AGENT: {"agent_name": "Desk 2", "published": {"voice": "b", "n": 1.0}, "draft": {"n": 1}, "tags": {}},
        LLM: {"published": {"prompt": "b"}, "draft": {"prompt": "b", "same": 1, "extra": 1}},
    }
    assert differences(old, new) == [
        Difference(
            "agent",
            "agent_1",
            "Desk 2",
            "changed",
            (
                "agent_name",
                "draft",
                "draft.llm.extra",
                "draft.llm.prompt",
                "published.llm.prompt",
                "published.voice",
                "tags",
            ),
        )
    ]


def test_test_cases_and_numbers_are_compared_by_id() -> None:
    old = {
        CASES: [
            {"test_case_definition_id": "test_1", "name": "Books", "metrics": ["a"]},
            {"test_case_definition_id": "test_2", "name": "Cancels"},
        ],
        NUMBERS: [{"phone_number": "+14155550100", "nickname": "Line", "a": 1, "b": 1}],
    }
    new = {
        CASES: [
            {"test_case_definition_id": "test_3", "name": "Asks"},
            {"test_case_definition_id": "test_1", "name": "Books 2", "metrics": ["b"]},
        ],
        NUMBERS: [
            {"phone_number": "+14155550101"},
            {"phone_number": "+14155550100", "nickname": "Line", "a": 2, "b": 2},
        ],
    }
    assert shown(old, new) == [
        "test case Books 2 (test_1) changed: metrics, name",
        "test case Cancels (test_2) removed",
        "test case Asks (test_3) added",
        "phone number Line (…0100) changed: a, b",
        "phone number …0101 added",
    ]


def test_difference_is_plain_json_for_xcom() -> None:
    assert Difference("agent", "agent_1", None, "changed", ("a", "b")).as_dict() == {
        "kind": "agent",
        "id": "agent_1",
        "name": None,
        "change": "changed",
        "fields": ["a", "b"],
    }
