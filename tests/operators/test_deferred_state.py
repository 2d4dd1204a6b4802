"""Deferred tasks continue although ``airflow dags test`` drops the keyword arguments of ``resume``."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from tasks import run_deferred

from airflow_provider_retell.operators import (
    CreatePhoneCallOperator,
    RunBatchTestOperator,
    SyncKnowledgeBaseOperator,
)

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator


@pytest.mark.usefixtures("no_sleep")
def test_a_batch_test_is_evaluated_and_not_started_again(emulator: Emulator) -> None:
    emulator.add_agent(agent_id="agent_1")
    emulator.add_test_case(agent_id="agent_1", name="moves")

    def simulate() -> Any:
        return RunBatchTestOperator(task_id="simulate", agent_id="agent_1", deferrable=True, poll_interval=1)

    result = run_deferred(simulate, by_event=True)
    assert (result["passed"], len(result["batch_test_ids"])) == (1, 1)
    assert emulator.count("create-batch-test") == 1


@pytest.mark.usefixtures("no_sleep")
def test_a_refresh_continues_with_its_counts(emulator: Emulator) -> None:
    emulator.add_knowledge_base(knowledge_base_id="kb_1")

    def refresh() -> Any:
        return SyncKnowledgeBaseOperator(
            task_id="refresh",
            knowledge_base_id="kb_1",
            documents=[{"title": "Opening hours", "text": "We are open."}],
            deferrable=True,
            poll_interval=1,
        )

    result = run_deferred(refresh, by_event=True)
    assert (result["added"], result["unchanged"]) == (1, 0)


@pytest.mark.usefixtures("no_sleep")
def test_the_log_of_a_phone_call_has_the_time_since_the_start_of_the_wait(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def call() -> Any:
        return CreatePhoneCallOperator(
            task_id="call",
            from_number="+14155550100",
            to_number="+14155550101",
            wait_until="ended",
            deferrable=True,
            poll_interval=1,
        )

    result = run_deferred(call, by_event=True, on_deferral=lambda _: caplog.clear())
    assert result["call_status"] == "ended"
    [line] = [line for line in caplog.messages if "aiting for call" in line]
    assert line.startswith("Finished waiting for call")
    assert " after 0" not in line
