"""The endpoints of batch tests and test runs, driven by the vendor's SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import retell
from retell.types import BatchTestResponse
from retell.types import TestCaseJobResponse as RunResponse

from airflow_provider_retell.emulator import Simulation

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Make, Send

ENGINE: Any = {"type": "retell-llm", "llm_id": "llm_1", "version": 0}
ANY: Any = {"tool_name": "book", "input_match_rule": {"type": "any"}, "output": "mocked"}
MONDAY: Any = {
    "tool_name": "book",
    "input_match_rule": {"type": "partial_match", "args": {"day": "Monday"}},
    "output": "mocked",
}


def with_agent(emulator: Emulator) -> Emulator:
    emulator.add_agent(agent_id="agent_1", llm={"llm_id": "llm_1"})
    return emulator


@pytest.fixture(autouse=True)
def agent(emulator: Emulator) -> None:
    with_agent(emulator)


def case(emulator: Emulator, **fields: Any) -> str:
    case_id: str = emulator.add_test_case(agent_id="agent_1", **fields)["test_case_definition_id"]
    return case_id


def start(client: Retell, *ids: str) -> BatchTestResponse:
    return client.tests.create_batch_test(response_engine=ENGINE, test_case_definition_ids=list(ids))


def statuses(client: Retell, batch: BatchTestResponse) -> list[str]:
    runs = client.tests.list_test_runs(batch.test_case_batch_job_id).items
    return sorted(run.status for run in runs)


def test_a_batch_test_runs_on_the_clock(emulator: Emulator, client: Retell) -> None:
    batch = start(
        client, case(emulator), case(emulator, verdicts=["fail"]), case(emulator, verdicts=["error"])
    )
    BatchTestResponse.model_validate(batch.model_dump())
    assert (batch.status, batch.total_count, statuses(client, batch)) == ("in_progress", 3, ["pending"] * 3)
    emulator.clock.advance(2)
    assert statuses(client, batch) == ["in_progress"] * 3
    emulator.clock.advance(59.9)
    assert client.tests.get_batch_test(batch.test_case_batch_job_id).status == "in_progress"
    emulator.clock.advance(0.1)
    done = client.tests.get_batch_test(batch.test_case_batch_job_id)
    assert (done.status, done.pass_count, done.fail_count, done.error_count) == ("complete", 1, 1, 1)
    assert statuses(client, batch) == ["error", "fail", "pass"]


def test_the_durations_are_an_option(make: Make, connect: Any) -> None:
    emulator = with_agent(make(simulation=Simulation(queue=0, talk=5)))
    client = connect(emulator)
    batch = start(client, case(emulator))
    emulator.clock.advance(5)
    assert client.tests.get_batch_test(batch.test_case_batch_job_id).status == "complete"
    with pytest.raises(ValueError, match="queue and talk"):
        Simulation(talk=-1)


def test_a_run_has_its_test_case_explanation_and_transcript(emulator: Emulator, client: Retell) -> None:
    case_id = case(emulator, name="Books", tool_mocks=[ANY], tool_calls=[{"tool_name": "book"}])
    batch = start(client, case_id)
    emulator.edit_test_case(case_id, name="Renamed")
    emulator.clock.advance(62)
    (listed,) = client.tests.list_test_runs(batch.test_case_batch_job_id).items
    run = client.tests.get_test_run(listed.test_case_job_id)
    RunResponse.model_validate(run.model_dump())
    assert run == listed
    assert run.test_case_definition_snapshot.name == "Books"
    assert run.result_explanation == "The agent met every metric."
    assert "mocked" in str(run.transcript_snapshot)


def test_verdicts_follow_the_script_and_the_last_one_repeats(emulator: Emulator, client: Retell) -> None:
    case_id, found = case(emulator, verdicts=["fail", "error", "pass"]), []
    for _ in range(4):
        batch = start(client, case_id)
        emulator.clock.advance(62)
        found += statuses(client, batch)
    assert found == ["fail", "error", "pass", "pass"]
    assert emulator.charged_test_runs == 4


@pytest.mark.parametrize(
    ("mocks", "args", "real"),
    [
        ([], {}, 1),
        ([ANY], {}, 0),
        ([{**ANY, "tool_name": "cancel"}], {}, 1),
        ([MONDAY], {"day": "Monday", "hour": 9}, 0),
        ([MONDAY], {"day": "Tuesday"}, 1),
        ([MONDAY], {}, 1),
        ([MONDAY, ANY], {"day": "Tuesday"}, 0),
    ],
)
def test_a_tool_call_without_a_matching_mock_goes_to_the_real_tool(
    emulator: Emulator, client: Retell, mocks: Any, args: dict[str, Any], real: int
) -> None:
    start(client, case(emulator, tool_mocks=mocks, tool_calls=[{"tool_name": "book", "args": args}]))
    emulator.clock.advance(61)
    assert not emulator.real_tool_calls
    emulator.clock.advance(1)
    assert [call["tool_name"] for call in emulator.real_tool_calls] == ["book"] * real


def test_without_credit_no_batch_test_starts(make: Make, connect: Any) -> None:
    emulator = with_agent(make(test_run_credit=2))
    client = connect(emulator)
    batch = start(client, *(case(emulator) for _ in range(3)))
    emulator.clock.advance(62)
    assert statuses(client, batch) == ["error", "pass", "pass"]
    assert (emulator.test_run_credit, emulator.charged_test_runs) == (0, 2)
    with pytest.raises(retell.APIStatusError, match="Credit balance exhausted") as error:
        start(client, case(emulator))
    assert error.value.status_code == 402
    emulator.test_run_credit = None
    start(client, case(emulator))
    assert len(emulator.batch_tests) == 2
    emulator.reset()
    assert (emulator.test_run_credit, emulator.charged_test_runs, emulator.batch_tests) == (2, 0, {})


def test_a_list_has_the_batch_tests_of_one_version(emulator: Emulator, client: Retell) -> None:
    emulator.add_agent_version("agent_1")
    case_id = case(emulator)
    old = start(client, case_id)
    new = client.tests.create_batch_test(
        response_engine={**ENGINE, "version": 1}, test_case_definition_ids=[case_id]
    )
    unversioned = client.tests.create_batch_test(
        response_engine={"type": "retell-llm", "llm_id": "llm_1"}, test_case_definition_ids=[case_id]
    )

    def ids(**query: Any) -> list[str]:
        found = client.tests.list_batch_tests(type="retell-llm", llm_id="llm_1", **query)
        return [batch.test_case_batch_job_id for batch in found.items]

    assert ids(version=0) == [old.test_case_batch_job_id]
    latest = [unversioned.test_case_batch_job_id, new.test_case_batch_job_id]
    assert ids(version=1) == ids() == latest
    assert ids(limit=1) == latest[:1]


@pytest.mark.parametrize(
    ("engine", "ids", "status"),
    [
        ({"type": "custom-llm", "llm_websocket_url": "wss://x"}, ["test_case_1"], 400),
        (ENGINE, [], 400),
        (ENGINE, ["test_case_x"], 404),
        ({**ENGINE, "version": 7}, ["test_case_1"], 404),
        ({**ENGINE, "llm_id": "llm_x"}, ["test_case_1"], 404),
    ],
)
def test_a_batch_test_of_anything_unknown_is_refused(
    emulator: Emulator, send: Send, engine: Any, ids: list[str], status: int
) -> None:
    case(emulator, test_case_definition_id="test_case_1")
    body = {"response_engine": engine, "test_case_definition_ids": ids}
    assert send(emulator, "POST", "/create-batch-test", body).status == status
    assert not emulator.batch_tests


@pytest.mark.parametrize("path", ["/get-batch-test/x", "/v2/list-test-runs/x", "/get-test-run/x"])
@pytest.mark.parametrize("status", [404, 422])
def test_the_status_for_a_missing_test_is_an_option(make: Make, send: Send, path: str, status: int) -> None:
    assert send(make(missing_asset_status=status), "GET", path).status == status


def test_tests_can_start_batch_tests_of_another_client(emulator: Emulator, send: Send) -> None:
    case_id = case(emulator)
    batch = emulator.add_batch_test(ENGINE, [case_id], creation_timestamp=1)
    assert emulator.batch_tests[batch["test_case_batch_job_id"]]["creation_timestamp"] == 1
    with pytest.raises(ValueError, match="there is no test case 'x'"):
        emulator.add_batch_test(ENGINE, ["x"])
    body = {"response_engine": ENGINE, "test_case_definition_ids": [case_id]}
    assert send(emulator, "POST", "/_emulator/batch-tests", body).status == 200
    assert send(emulator, "POST", "/_emulator/batch-tests", {}).status == 400
    assert len(send(emulator, "GET", "/_emulator/batch-tests").json) == 2
    (listed,) = send(emulator, "GET", "/_emulator/test-cases").json
    path = f"/_emulator/test-cases/{listed['test_case_definition_id']}"
    assert send(emulator, "PATCH", path, {"verdicts": ["fail"]}).status == 200
    assert emulator.test_cases[case_id]["verdicts"] == ["fail"]
    batch_id = batch["test_case_batch_job_id"]
    assert send(emulator, "PATCH", f"/_emulator/batch-tests/{batch_id}", {"total_count": 9}).status == 200
    assert emulator.batch_tests[batch_id]["total_count"] == 9
    assert send(emulator, "PATCH", "/_emulator/batch-tests/x", {}).status == 404


def test_lists_can_lag_behind(make: Make, connect: Any, send: Send) -> None:
    emulator = with_agent(make(batch_test_list_delay=30, test_run_list_delay=20))
    client = connect(emulator)
    batch = start(client, case(emulator))

    def listed() -> int:
        return len(client.tests.list_batch_tests(type="retell-llm", llm_id="llm_1", version=0).items)

    emulator.clock.advance(29)
    assert listed() == 0
    emulator.clock.advance(1)
    assert listed() == 1
    emulator.clock.advance(32)
    assert client.tests.get_batch_test(batch.test_case_batch_job_id).status == "complete"
    assert statuses(client, batch) == ["in_progress"]
    (run,) = send(emulator, "GET", f"/v2/list-test-runs/{batch.test_case_batch_job_id}").json["items"]
    assert "transcript_snapshot" not in run
    emulator.clock.advance(20)
    assert statuses(client, batch) == ["pass"]
