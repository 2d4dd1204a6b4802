"""An agent with a tool and test cases, and simulations of it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import tasks

from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.operators import RunBatchTestOperator

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator

AGENT = "agent_1"
ENGINE = {"type": "retell-llm", "llm_id": "llm_1", "version": 1}
BOOK = {"type": "custom", "name": "book", "url": "https://clinic.example/book"}
MOCK = {"tool_name": "book", "input_match_rule": {"type": "any"}, "output": "{}"}


def add_agent(emulator: Emulator) -> None:
    """Add an agent with a published version 0 and a draft 1, whose LLM has the tool ``book``."""
    emulator.add_agent(agent_id=AGENT, llm={"llm_id": "llm_1", "general_tools": [BOOK]})
    emulator.add_agent_version(AGENT)


def add_case(emulator: Emulator, name: str, *verdicts: str, **fields: Any) -> str:
    """Add a test case that calls the tool ``book``, which it mocks; return its id."""
    case: dict[str, Any] = {"tool_mocks": [MOCK], "tool_calls": [{"tool_name": "book"}], **fields}
    added = emulator.add_test_case(agent_id=AGENT, name=name, verdicts=verdicts, **case)
    case_id: str = added["test_case_definition_id"]
    return case_id


def simulation(**arguments: Any) -> RunBatchTestOperator:
    """Return an operator that waits in the worker."""
    given = {"agent_id": AGENT, "deferrable": False, "retries": 1, **arguments}
    return RunBatchTestOperator(task_id="a_task", **given)


def dag_run(started: datetime | None = None) -> SimpleNamespace:
    """Return a DAG run that has started now, or at *started*."""
    now = datetime.now(timezone.utc)
    return SimpleNamespace(start_date=started or now, run_after=now - timedelta(minutes=5))


def simulate(emulator: Emulator, operator: Any, **options: Any) -> Any:
    """Run *operator* as one try, while waits advance the emulator's clock."""
    with no_waiting(emulator.clock.advance):
        return tasks.run_try(operator, **{"dag_run": dag_run(), **options})
