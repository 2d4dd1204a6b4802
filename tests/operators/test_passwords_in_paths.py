"""A path with a password is an error that does not show it. Storages would quote the path in theirs."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from tasks import run_try

from airflow_provider_retell import operators
from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.documents import FileDocuments
from airflow_provider_retell.emulator import Emulator
from airflow_provider_retell.operators import TextFile

PATH = "s3://user:pr1vate@bucket/"

CASES: list[tuple[str, dict[str, Any]]] = [
    ("GetCallOperator", {"call_id": "call_1", "path": "{{ path }}a.json"}),
    ("GetChatOperator", {"chat_id": "chat_1", "path": "{{ path }}a.json"}),
    ("ListCallsOperator", {"by": None, "path": "{{ path }}a.jsonl"}),
    ("ListChatsOperator", {"by": None, "path": "{{ path }}a.parquet"}),
    ("ArchiveRecordingsOperator", {"rows": [], "path": "{{ path }}{call_id}.wav"}),
    ("SnapshotAgentsOperator", {"path": "{{ path }}"}),
    ("SnapshotAgentsOperator", {"path": "/snapshot", "compare_with": "{{ path }}"}),
    (
        "DraftAgentVersionOperator",
        {"agent_id": "agent_1", "llm": {"general_prompt": TextFile("{{ path }}a")}},
    ),
    ("SyncTestCasesOperator", {"agent_id": "agent_1", "test_cases": "{{ path }}*.yaml"}),
    ("SyncKnowledgeBaseOperator", {"knowledge_base_name": "Books", "documents": FileDocuments("{{ path }}")}),
]


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_a_password_in_a_path_is_an_error_that_does_not_show_it(
    emulator: Emulator, caplog: pytest.LogCaptureFixture, name: str, arguments: dict[str, Any]
) -> None:
    task = getattr(operators, name)(task_id="a_task", **arguments)
    with pytest.raises(AirflowFailException, match="must not contain a user name or password") as error:
        run_try(task, path=PATH)
    assert "pr1vate" not in "".join(traceback.format_exception(error.value)) + caplog.text
    assert not emulator.requests


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("GetCallOperator", {"call_id": "call_1", "path": f"{PATH}a.json"}),
        ("ListCallsOperator", {"path": f"{PATH}a.jsonl"}),
    ],
)
def test_a_password_in_a_dag_file_is_an_error_when_it_is_read(name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must not contain a user name or password") as error:
        getattr(operators, name)(task_id="a_task", **arguments)
    assert "pr1vate" not in str(error.value)
