"""The comparison of test cases with those of a response engine."""

from __future__ import annotations

from typing import Any

import pytest
from fake_hook import FakeHook

from airflow_provider_retell.api.simulations.response_engine import Engine
from airflow_provider_retell.api.simulations.simulation_plan import check_unchanged
from airflow_provider_retell.api.simulations.sync import sync_test_cases

ENGINE = Engine("retell-llm", "llm_1")
CASE = {"name": "Books", "user_prompt": "Book a table.", "metrics": ["Books."]}


def listed(**fields: Any) -> dict[str, Any]:
    stored = {**CASE, "test_case_definition_id": "test_case_1", "response_engine": ENGINE.fields(), **fields}
    return {"items": [stored], "has_more": False}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"dynamic_variables": {}, "tool_mocks": []},
        {"dynamic_variables": None, "tool_mocks": None},
    ],
)
def test_missing_variables_and_mocks_are_the_same_as_empty_ones(fields: dict[str, Any]) -> None:
    hook = FakeHook(listed(**fields))
    changes = hook.run(sync_test_cases(ENGINE, [CASE]))
    assert (changes.unchanged, changes.ids) == (["Books"], {"Books": "test_case_1"})
    assert hook.operations == ["list-test-case-definitions"]


def test_each_mock_is_compared() -> None:
    rule = {"type": "any"}
    mocks = [{"tool_name": name, "input_match_rule": rule, "output": "{}"} for name in ("book", "cancel")]
    wanted = {**CASE, "tool_mocks": mocks}
    for stored, differs in (
        ([{**mock, "added_by_retell": 1} for mock in mocks], False),
        (mocks[:1], True),
        ([mocks[0], {**mocks[1], "output": "other"}], True),
        (mocks[::-1], True),
        (None, True),
    ):
        hook = FakeHook(listed(tool_mocks=stored))
        changes = hook.run(sync_test_cases(ENGINE, [wanted], dry_run=True))
        assert changes.changed == ({"Books": ["tool_mocks"]} if differs else {})


def test_engine_whose_time_of_change_is_unknown_is_not_read() -> None:
    hook = FakeHook()
    hook.run(check_unchanged("agent_1", ENGINE, None))
    assert hook.operations == []
