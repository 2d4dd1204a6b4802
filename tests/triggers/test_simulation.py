"""BatchTestTrigger: the condition, and its arguments."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from simulations import ENGINE, add_agent, add_case
from waits import common, payloads, stored, until

from airflow_provider_retell.triggers import BatchTestTrigger

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator


@pytest.fixture
def batch_test_id(emulator: Emulator) -> str:
    """A batch test of two test cases, on a frozen clock."""
    emulator.clock.freeze()
    add_agent(emulator)
    cases = [add_case(emulator, "Books"), add_case(emulator, "Cancels", "fail")]
    found: str = emulator.add_batch_test(ENGINE, cases)["test_case_batch_job_id"]
    return found


async def test_wait_ends_when_all_test_runs_have_ended_whatever_their_verdict(
    emulator: Emulator, batch_test_id: str
) -> None:
    running = asyncio.ensure_future(
        payloads(stored(BatchTestTrigger(batch_test_id=batch_test_id, **common())))
    )
    await until(lambda: emulator.count("get-batch-test") >= 2)
    assert not running.done()
    emulator.clock.advance(62)
    assert await asyncio.wait_for(running, 5) == [{"status": "done", "batch_test_id": batch_test_id}]


def test_an_unknown_batch_test_ends_the_wait_for_good(emulator: Emulator) -> None:
    [event] = asyncio.run(payloads(stored(BatchTestTrigger(batch_test_id="test_batch_x", **common()))))
    assert (event["status"], event["permanent"]) == ("error", True)
    assert "batch test test_batch_x to end" in event["message"]
