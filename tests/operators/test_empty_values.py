"""A template without a value is an error before anything is sent, for example if an XCom was never pushed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tasks import run_try

from airflow_provider_retell import operators
from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.emulator import Emulator

FROM, TO = "+14155550100", "+14155550123"

CASES: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "CreatePhoneCallOperator",
        {"from_number": FROM, "to_number": TO},
        [
            "from_number",
            "to_number",
            "metadata",
            "retell_llm_dynamic_variables",
            "override_agent_id",
            "override_agent_version",
            "custom_sip_headers",
        ],
    ),
    (
        "CreateBatchCallOperator",
        {"from_number": FROM, "tasks": [{"to_number": TO}]},
        ["from_number", "tasks", "trigger_timestamp"],
    ),
    (
        "UpdateLiveCallOperator",
        {"call_id": "call_1", "trigger_response": True},
        ["metadata", "override_dynamic_variables", "additional_context"],
    ),
    (
        "UpdateCallOperator",
        {"call_id": "call_1", "data_storage_setting": "basic_attributes_only"},
        ["call_id", "metadata", "custom_attributes"],
    ),
    ("GetCallOperator", {"call_id": "call_1"}, ["call_id", "path"]),
    ("ListCallsOperator", {"path": "calls.jsonl", "by": None}, ["path"]),
    (
        "SyncTestCasesOperator",
        {"agent_id": "agent_1", "test_cases": [{}]},
        ["agent_id", "test_cases", "dry_run"],
    ),
    ("RunBatchTestOperator", {"agent_id": "agent_1"}, ["agent_id", "agent_version", "report_path"]),
    ("SnapshotAgentsOperator", {"path": "snapshot"}, ["path"]),
]


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    ("name", "arguments", "field"),
    [
        pytest.param(name, arguments, field, id=f"{name}-{field}")
        for name, arguments, fields in CASES
        for field in fields
    ],
)
def test_a_template_without_a_value_sends_nothing(
    emulator: Emulator, name: str, arguments: dict[str, Any], field: str, native: bool
) -> None:
    task = getattr(operators, name)(task_id="a_task", **{**arguments, field: "{{ none }}"})
    with pytest.raises(AirflowFailException, match=rf"\b{field} rendered to an empty value.*never pushed"):
        run_try(task, native=native, none=None)
    assert not emulator.requests
    assert not Path("None").exists()
