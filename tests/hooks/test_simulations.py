"""Listings, waits and the search for batch tests, through both hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.errors import NotFoundError, RetellInputError
from airflow_provider_retell.api.simulations.response_engine import Engine
from airflow_provider_retell.api.simulations.search import find_batch_test
from airflow_provider_retell.api.simulations.simulation_plan import plan_simulation, read_agent
from airflow_provider_retell.api.simulations.waits import BatchTestEnded
from airflow_provider_retell.emulator import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_retell.emulator import Emulator

LLM = {"type": "retell-llm", "llm_id": "llm_1", "version": 0}
ENGINE = Engine("retell-llm", "llm_1", 0)


@pytest.fixture
def frozen(emulate: Callable[..., Emulator]) -> Emulator:
    return emulate(clock=Clock(frozen=True))


def test_all_pages_of_a_listing_are_read(client: Any, emulator: Emulator) -> None:
    for number in range(60):
        emulator.add_test_case(agent_id="agent_1", name=f"case {number}")
    assert len(client.list_test_case_definitions(LLM)) == 61
    ids = list(emulator.test_cases)
    batch = client.create_batch_test(ids, LLM)
    assert len(client.list_test_runs(batch.test_case_batch_job_id)) == 61
    assert len(client.list_batch_tests(LLM)) == 2
    assert emulator.count() == 6


def test_a_batch_test_ends_when_all_runs_have_a_final_status(client: Any, frozen: Emulator) -> None:
    condition = BatchTestEnded("test_batch_1")
    poll = client.run(condition.poll())
    assert (poll.done, poll.state) == (False, "in_progress, 0 of 1 test runs ended")
    frozen.clock.advance(62)
    poll = client.run(condition.poll())
    assert (poll.done, poll.state) == (True, "complete, 1 of 1 test runs ended")
    assert poll.result == {"batch_test_id": "test_batch_1"}
    assert str(condition) == "batch test test_batch_1 to end"


def test_a_complete_batch_test_whose_runs_lag_behind_has_not_ended(
    client: Any, emulate: Callable[..., Emulator]
) -> None:
    emulator = emulate(clock=Clock(frozen=True), test_run_list_delay=20)
    emulator.clock.advance(62)
    poll = client.run(BatchTestEnded("test_batch_1").poll())
    assert (poll.done, poll.state) == (False, "complete, 0 of 1 test runs ended")
    emulator.clock.advance(20)
    assert client.run(BatchTestEnded("test_batch_1").poll()).done


@pytest.mark.parametrize("fields", [{"total_count": 2}, {"runs": []}, {"runs": [], "total_count": None}])
def test_a_complete_batch_test_without_all_its_runs_has_not_ended(
    client: Any, frozen: Emulator, fields: dict[str, Any]
) -> None:
    frozen.clock.advance(62)
    frozen.batch_tests["test_batch_1"].update(fields)
    assert not client.run(BatchTestEnded("test_batch_1").poll()).done


def test_a_status_that_retell_adds_later_is_not_an_end(client: Any, frozen: Emulator) -> None:
    frozen.clock.advance(62)
    frozen.batch_tests["test_batch_1"]["status"] = "paused"
    assert not client.run(BatchTestEnded("test_batch_1").poll()).done
    frozen.batch_tests["test_batch_1"]["status"] = "complete"
    frozen.batch_tests["test_batch_1"]["runs"][0]["status"] = "judging"
    assert not client.run(BatchTestEnded("test_batch_1").poll()).done


def test_a_batch_test_is_found_by_its_engine_and_test_cases(client: Any, frozen: Emulator) -> None:
    frozen.add_test_case(agent_id="agent_1", test_case_definition_id="test_case_2")

    def found(*ids: str, engine: Engine = ENGINE, **criteria: Any) -> str | None:
        batch = client.run(find_batch_test(engine, ids, **{"created_after": 0, **criteria}))
        return batch and batch.test_case_batch_job_id

    assert found("test_case_1") == "test_batch_1"
    assert found("test_case_2") is None
    assert found("test_case_1", "test_case_2") is None
    assert found("test_case_1", engine=Engine("retell-llm", "llm_1", 1)) is None
    assert found("test_case_1", exclude=["test_batch_1"]) is None
    created = frozen.batch_tests["test_batch_1"]["creation_timestamp"]
    assert found("test_case_1", created_after=created) == "test_batch_1"
    assert found("test_case_1", created_after=created + 1) is None
    frozen.clock.advance(1)
    second = frozen.add_batch_test(LLM, ["test_case_1"])["test_case_batch_job_id"]
    assert found("test_case_1") == "test_batch_1"
    assert found("test_case_1", exclude=["test_batch_1"]) == second
    both = frozen.add_batch_test(LLM, ["test_case_2", "test_case_1"])["test_case_batch_job_id"]
    assert found("test_case_1", "test_case_2") == both


@pytest.mark.parametrize("status", [404, 422])
def test_chat_agents_are_read_too(client: Any, emulate: Callable[..., Emulator], status: int) -> None:
    emulate(missing_asset_status=status)
    assert client.run(read_agent("agent_chat")).agent_id == "agent_chat"
    assert client.run(read_agent("agent_1", 1)).version == 1
    for missing in (("agent_x",), ("agent_1", 7), ("agent_chat", "latest_published")):
        with pytest.raises(NotFoundError, match=f"get-agent of agent {missing[0]}"):
            client.run(read_agent(*missing))


def test_a_plan_has_the_version_of_the_engine(client: Any, emulator: Emulator) -> None:
    plan = client.run(plan_simulation("agent_1"))
    assert (plan.agent_version, plan.engine) == (2, Engine("retell-llm", "llm_1", 2))
    assert [test.name for test in plan.tests] == ["Books"]
    plan = client.run(plan_simulation("agent_1", version="latest_published", test_ids=["test_case_1"]))
    assert (plan.agent_version, plan.engine.version) == (0, 0)


def test_an_engine_without_a_version_of_its_own_has_that_of_the_agent(
    client: Any, emulator: Emulator
) -> None:
    del emulator.agents["agent_1"].versions[1]["response_engine"]["version"]
    assert client.run(plan_simulation("agent_1", version=1)).engine.version == 1


def test_shared_components_are_read_with_those_that_they_contain(client: Any, emulator: Emulator) -> None:
    def component(number: int) -> dict[str, Any]:
        return {
            "id": f"node_{number}",
            "type": "component",
            "component_type": "shared",
            "component_id": f"component_{number}",
        }

    emulator.edit_agent("agent_2", conversation_flow={"nodes": [component(1)]})
    sms = {"id": "sms_node", "type": "sms"}
    emulator.organization.component_backend.edit("component_1", nodes=[component(2), component(1)])
    emulator.organization.component_backend.add(
        conversation_flow_component_id="component_2", nodes=[sms, component(3)]
    )
    emulator.add_test_case(agent_id="agent_2", name="Pays")
    with pytest.raises(RetellInputError, match="would call real tools") as error:
        client.run(plan_simulation("agent_2"))
    assert "'sms_node' (sms node)" in str(error.value)
    assert "'component_3' (shared component)" in str(error.value)
    assert emulator.count("get-conversation-flow-component") == 3
    allowed = ["sms_node", "component_3"]
    assert client.run(plan_simulation("agent_2", allow_unmocked_tools=allowed)).agent_id == "agent_2"
