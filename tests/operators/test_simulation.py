"""RunBatchTestOperator: verdicts, repeated runs, the report, rejected input, and waits."""

from __future__ import annotations

import gzip
import json
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from simulations import AGENT, BOOK, ENGINE, MOCK, add_agent, add_case, dag_run, simulate, simulation
from tasks import TaskDeferred, Ti, json_lines, rendered_fields, restored, run_deferred, run_task

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import (
    NotFoundError,
    PaymentRequiredError,
    RetellInputError,
    SimulationFailedError,
    WaitTimeoutError,
)
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Clock, Emulator, Fault
from airflow_provider_retell.hooks.retell import RetellHook

PRIVATE = "Ask for Ada's private appointment"


@pytest.fixture(autouse=True)
def agent(emulator: Emulator) -> None:
    add_agent(emulator)


# -- verdicts


def test_all_test_cases_of_the_draft_run_once_if_they_pass(emulator: Emulator) -> None:
    ids = [add_case(emulator, name) for name in ("Books", "Cancels")]
    result = simulate(emulator, simulation())
    (batch,) = emulator.batch_tests.values()
    assert result == {
        "total": 2,
        "passed": 2,
        "failed": 0,
        "errors": 0,
        "flaky": [],
        "pass_ratio": 1.0,
        "agent_id": AGENT,
        "agent_version": 1,
        "modified_at": emulator.agents[AGENT].versions[1]["last_modification_timestamp"],
        "batch_test_ids": [batch["test_case_batch_job_id"]],
        "report": None,
    }
    assert batch["response_engine"] == ENGINE
    assert sorted(run["test_case_definition_id"] for run in batch["runs"]) == sorted(ids)
    assert emulator.real_tool_calls == []


def test_a_flaky_test_case_runs_again_alone_and_counts_as_passed(emulator: Emulator) -> None:
    add_case(emulator, "Books")
    flaky = add_case(emulator, "Cancels", "fail", "pass")
    result = simulate(emulator, simulation())
    assert (result["passed"], result["failed"], result["flaky"], result["pass_ratio"]) == (
        2,
        0,
        ["Cancels"],
        1.0,
    )
    first, second = emulator.batch_tests.values()
    assert [run["test_case_definition_id"] for run in second["runs"]] == [flaky]
    assert second["response_engine"] == ENGINE
    assert result["batch_test_ids"] == [batch["test_case_batch_job_id"] for batch in (first, second)]
    assert emulator.charged_test_runs == 3


def test_a_test_case_that_fails_every_time_fails_the_task_by_name(emulator: Emulator) -> None:
    add_case(emulator, "Books")
    add_case(emulator, "Cancels", "fail")
    with pytest.raises(
        AirflowFailException,
        match=r"1 of 2 test cases passed; 1 failed \('Cancels'\)\. min_pass_ratio is 1\. Set report_path",
    ) as error:
        simulate(emulator, simulation())
    cause = error.value.__cause__
    assert isinstance(cause, SimulationFailedError)
    assert cause.failed == ("Cancels",)
    assert len(emulator.batch_tests) == 2


@pytest.mark.parametrize(("retry_failed", "passes"), [(0, False), (1, False), (2, True), (5, True)])
def test_failed_test_cases_run_again_up_to_the_limit(
    emulator: Emulator, retry_failed: int, passes: bool
) -> None:
    add_case(emulator, "Books", "fail", "fail", "pass")
    if passes:
        assert simulate(emulator, simulation(retry_failed=retry_failed))["flaky"] == ["Books"]
    else:
        with pytest.raises(AirflowFailException, match="'Books'"):
            simulate(emulator, simulation(retry_failed=retry_failed))
    assert len(emulator.batch_tests) == min(retry_failed, 2) + 1


def test_an_error_is_no_verdict_and_runs_again(emulator: Emulator) -> None:
    add_case(emulator, "Books", "error", "pass")
    add_case(emulator, "Cancels", "error")
    add_case(emulator, "Pays")
    with pytest.raises(
        AirflowFailException, match=r"2 of 3 test cases passed; 1 without a verdict \('Cancels'\)"
    ):
        simulate(emulator, simulation())
    result = simulate(emulator, simulation(min_pass_ratio=0.5), map_index=1)
    assert (result["passed"], result["errors"], result["failed"], result["flaky"]) == (2, 1, 0, [])


@pytest.mark.parametrize(
    ("ratio", "passes"), [(5 / 6, True), (0.83, True), (0.84, False), (0, True), (1, False)]
)
def test_the_ratio_decides(emulator: Emulator, ratio: float, passes: bool) -> None:
    for number in range(6):
        add_case(emulator, f"case {number}", "pass" if number else "fail")
    operator = simulation(min_pass_ratio=ratio, retry_failed=0)
    if passes:
        result = simulate(emulator, operator)
        assert (result["failed"], result["pass_ratio"]) == (1, 5 / 6)
    else:
        with pytest.raises(AirflowFailException, match="5 of 6 test cases passed"):
            simulate(emulator, operator)


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("version", ["{{ draft['version'] }}", "latest_published", "prod", 0, "0"], ids=str)
def test_a_version_can_be_a_number_a_tag_or_a_template(
    emulator: Emulator, version: Any, native: bool
) -> None:
    emulator.agents[AGENT].tags["prod"] = 0
    add_case(emulator, "Books")
    result = simulate(emulator, simulation(agent_version=version), native=native, draft={"version": 0})
    assert result["agent_version"] == 0
    (batch,) = emulator.batch_tests.values()
    assert batch["response_engine"]["version"] == 0


@pytest.mark.parametrize("native", [False, True])
def test_chosen_test_cases_run_alone(emulator: Emulator, native: bool) -> None:
    add_case(emulator, "Books")
    chosen = add_case(emulator, "Cancels")
    operator = simulation(test_case_definition_ids="{{ ids }}")
    assert simulate(emulator, operator, native=native, ids=[chosen])["total"] == 1


def test_a_chat_agent_with_a_flow_can_be_simulated(emulator: Emulator) -> None:
    emulator.add_agent(agent_id="agent_chat", channel="chat", conversation_flow={}, published=False)
    emulator.add_test_case(agent_id="agent_chat", name="Chats")
    assert simulate(emulator, simulation(agent_id="agent_chat"))["passed"] == 1


# -- the report


def test_the_report_has_a_line_for_each_test_run(emulator: Emulator, tmp_path: Path) -> None:
    add_case(emulator, "Books", user_prompt=PRIVATE)
    add_case(emulator, "Cancels", "fail", "pass")
    path = tmp_path / "new" / "report.jsonl"
    result = simulate(emulator, simulation(report_path=str(path.parent) + "/{{ 'report' }}.jsonl"))
    assert result["report"] == str(path)
    report = json_lines(path)
    assert [(line["name"], line["status"], line["attempt"], line["attempts"]) for line in report] == [
        ("Books", "pass", 1, 1),
        ("Cancels", "fail", 1, 2),
        ("Cancels", "pass", 2, 2),
    ]
    assert [line["explanation"] for line in report[:2]] == [
        "The agent met every metric.",
        "The agent did not confirm the appointment.",
    ]
    assert [line["test_case_batch_job_id"] for line in report[1:]] == result["batch_test_ids"]
    assert PRIVATE not in path.read_text()


@pytest.mark.parametrize(("path", "fails"), [("r.jsonl", True), ("{{ ti.map_index }}.jsonl", False)])
def test_a_report_that_all_mapped_tasks_share_starts_no_simulation(
    emulator: Emulator, tmp_path: Path, path: str, fails: bool
) -> None:
    add_case(emulator, "Books")
    task = simulation(report_path=str(tmp_path / path))
    if not fails:
        assert simulate(emulator, task, map_index=3)["report"] == str(tmp_path / "3.jsonl")
        return
    with pytest.raises(AirflowFailException, match="report_path must differ between mapped tasks"):
        simulate(emulator, task, map_index=3)
    assert not emulator.requests


def test_transcripts_are_in_the_report_only_on_request(emulator: Emulator, tmp_path: Path) -> None:
    add_case(emulator, "Books", user_prompt=PRIVATE)
    path = tmp_path / "report.ndjson.gz"
    simulate(emulator, simulation(report_path=str(path), include_transcripts=True))
    (line,) = gzip.decompress(path.read_bytes()).decode().splitlines()
    assert PRIVATE in str(json.loads(line)["transcript"])


def test_a_failing_simulation_writes_the_report_and_names_it(emulator: Emulator, tmp_path: Path) -> None:
    add_case(emulator, "Books", "fail")
    path = tmp_path / "report.jsonl"
    with pytest.raises(AirflowFailException, match=rf"The explanations are in {path}"):
        simulate(emulator, simulation(report_path=str(path)))
    assert len(json_lines(path)) == 2


@pytest.mark.parametrize("path", ["report.txt", "report", "{{ 'report.csv' }}", "{{ none }}", ""])
def test_an_invalid_report_path_starts_no_simulation(emulator: Emulator, path: str) -> None:
    add_case(emulator, "Books")
    with pytest.raises((AirflowFailException, RetellInputError), match="report_path"):
        simulate(emulator, simulation(report_path=path), none=None)
    assert not emulator.requests


def test_prompts_transcripts_and_explanations_stay_out_of_logs_and_xcom(
    emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    metric = "Ada's private metric"
    add_case(emulator, "Books", "fail", "pass", user_prompt=PRIVATE, metrics=[metric])
    operator = simulation(report_path=str(tmp_path / "r.jsonl"), include_transcripts=True)
    result = simulate(emulator, operator)
    shown = f"{result} {rendered_fields(operator)} {caplog.text}"
    for private in (PRIVATE, metric, "did not confirm", "met every metric", BOOK["url"]):
        assert private not in shown
    assert "'Books'" in shown


# -- rejected before anything is sent


def rejected(emulator: Emulator, match: str, **arguments: Any) -> str:
    with pytest.raises(AirflowFailException, match=match) as error:
        simulate(emulator, simulation(**arguments))
    assert isinstance(error.value.__cause__, RetellInputError)
    assert not emulator.batch_tests
    assert {request.method for request in emulator.requests} <= {"GET"}
    return str(error.value)


def test_an_agent_without_test_cases_is_rejected(emulator: Emulator) -> None:
    rejected(emulator, "agent agent_1 has no test cases: LLM llm_1 version 1 has none. Create test cases")


def test_an_agent_with_a_custom_llm_is_rejected(emulator: Emulator) -> None:
    engine = {"type": "custom-llm", "llm_websocket_url": "wss://private.example"}
    emulator.add_agent(agent_id="agent_2", response_engine=engine)
    message = rejected(
        emulator, "agent agent_2 has a response engine of the type 'custom-llm'", agent_id="agent_2"
    )
    assert "cannot simulate" in message
    assert "private" not in message


def test_an_unknown_agent_is_named(emulator: Emulator) -> None:
    with pytest.raises(
        AirflowFailException, match="get-agent of agent agent_x: Retell answered 404"
    ) as error:
        simulate(emulator, simulation(agent_id="agent_x"))
    assert isinstance(error.value.__cause__, NotFoundError)


def test_test_cases_of_another_engine_are_rejected(emulator: Emulator) -> None:
    emulator.add_agent(agent_id="agent_2")
    other = emulator.add_test_case(agent_id="agent_2")["test_case_definition_id"]
    mine = add_case(emulator, "Books")
    rejected(
        emulator,
        f"test_case_definition_ids: {other}, test_case_x are not among the 1 test cases of LLM llm_1 version 1",
        test_case_definition_ids=[mine, other, "test_case_x"],
    )


@pytest.mark.parametrize(
    ("ids", "match"),
    [
        ([], "at least one test case"),
        (["a", "b", "a"], "must not have a more than once"),
        ([None], "test_case_definition_ids rendered to an empty value"),
        (["a/b"], "test_case_definition_ids has '/'"),
        ("{{ none }}", "test_case_definition_ids rendered to an empty value"),
        ("test_case_1", "test_case_definition_ids rendered to text that is not a JSON list"),
    ],
)
def test_invalid_ids_are_rejected(emulator: Emulator, ids: Any, match: str) -> None:
    add_case(emulator, "Books")
    rejected(emulator, match, test_case_definition_ids=ids)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"min_pass_ratio": 1.1}, "min_pass_ratio must be a number from 0 to 1"),
        ({"min_pass_ratio": True}, "min_pass_ratio"),
        ({"retry_failed": -1}, "retry_failed must be a whole number"),
        ({"retry_failed": True}, "retry_failed"),
        ({"allow_unmocked_tools": "book"}, "allow_unmocked_tools must be a list of strings"),
        ({"allow_unmocked_tools": []}, "allow_unmocked_tools must have at least one entry"),
        ({"include_transcripts": "yes"}, "include_transcripts must be True or False"),
        ({"report_path": "x.csv"}, "report_path must end in .jsonl"),
        ({"on_clear": "same"}, "on_clear must be 'skip' or 'resend'"),
    ],
)
def test_invalid_parameters_fail_when_the_dag_is_read(arguments: dict[str, Any], match: str) -> None:
    with pytest.raises((ValueError, TypeError), match=match):
        simulation(**arguments)


# -- real tools


def test_a_live_tool_without_a_mock_is_named_with_the_test_cases(emulator: Emulator) -> None:
    pay = {"type": "custom", "name": "pay", "url": "https://private.example"}
    emulator.edit_agent(AGENT, llm={"general_tools": [BOOK], "states": [{"name": "s", "tools": [pay]}]})
    add_case(emulator, "Books")
    partial = {**MOCK, "input_match_rule": {"type": "partial_match", "args": {"day": "Monday"}}}
    add_case(emulator, "Cancels", tool_mocks=[partial, {**MOCK, "tool_name": "pay"}])
    message = rejected(emulator, "would call real tools")
    assert "'book' (custom) in 'Cancels'; 'pay' (custom) in 'Books'" in message
    assert "Add a mock with the input_match_rule {'type': 'any'}" in message
    assert "private" not in message


@pytest.mark.parametrize("allowed", [True, ["book"], ["pay", "book"]])
def test_real_tools_can_be_allowed(emulator: Emulator, allowed: Any) -> None:
    add_case(emulator, "Books", tool_mocks=[])
    simulate(emulator, simulation(allow_unmocked_tools=allowed))
    assert [call["tool_name"] for call in emulator.real_tool_calls] == ["book"]


def test_allowing_one_tool_does_not_allow_others(emulator: Emulator) -> None:
    add_case(emulator, "Books", tool_mocks=[])
    rejected(emulator, "'book'", allow_unmocked_tools=["pay"])


def test_a_mocked_tool_of_one_mcp_server_does_not_cover_another_server(emulator: Emulator) -> None:
    servers = [{"name": name, "id": f"m_{name}", "url": "https://private"} for name in ("crm", "payments")]
    look_up = {"type": "mcp", "name": "look_up", "description": "Look up.", "mcp_id": "m_crm"}
    emulator.edit_agent(AGENT, llm={"mcps": servers, "general_tools": [look_up]})
    add_case(
        emulator,
        "Looks up",
        tool_mocks=[{**MOCK, "tool_name": "look_up"}],
        tool_calls=[{"tool_name": "look_up"}],
    )
    message = rejected(emulator, "would call real tools")
    assert "'payments' (MCP server), which cannot be mocked" in message
    assert "crm" not in message
    assert simulate(emulator, simulation(allow_unmocked_tools=["payments"]))["passed"] == 1
    assert emulator.real_tool_calls == []


def test_the_tools_of_the_simulated_version_count(emulator: Emulator) -> None:
    emulator.edit_agent(AGENT, version=1, llm={"general_tools": []})
    add_case(emulator, "Books", tool_mocks=[], tool_calls=[])
    rejected(emulator, "'book'", agent_version=0)
    assert simulate(emulator, simulation(agent_version=1))["passed"] == 1


def test_a_live_node_of_a_flow_is_named(emulator: Emulator) -> None:
    nodes = [{"id": "n_1", "type": "sms", "name": "Send the link"}]
    emulator.add_agent(agent_id="agent_2", conversation_flow={"nodes": nodes})
    emulator.add_test_case(agent_id="agent_2", name="Pays")
    rejected(emulator, "'Send the link' .sms node., which cannot be mocked", agent_id="agent_2")
    assert simulate(emulator, simulation(agent_id="agent_2", allow_unmocked_tools=["Send the link"]))


# -- money


def test_an_exhausted_balance_is_said_and_fails_for_good(emulator: Emulator, store: Any) -> None:
    add_case(emulator, "Books")
    emulator.test_run_credit = 0
    with pytest.raises(
        AirflowFailException, match="402: Credit balance exhausted.*balance is exhausted"
    ) as error:
        simulate(emulator, simulation(), store=store)
    assert isinstance(error.value.__cause__, PaymentRequiredError)
    assert not emulator.batch_tests


def test_a_balance_that_ends_in_the_middle_leaves_errors(emulator: Emulator) -> None:
    add_case(emulator, "Books")
    add_case(emulator, "Cancels")
    emulator.test_run_credit = 1
    with pytest.raises(AirflowFailException, match="402"):
        simulate(emulator, simulation())
    (batch,) = emulator.batch_tests.values()
    assert sorted(run["status"] for run in batch["runs"]) == ["error", "pass"]


# -- changes of the agent


@pytest.mark.parametrize("retry_failed", [0, 1])
def test_verdicts_of_a_draft_that_was_changed_meanwhile_do_not_count(
    emulator: Emulator, retry_failed: int
) -> None:
    add_case(emulator, "Books", "fail" if retry_failed else "pass")
    edited: list[float] = []

    def advance(seconds: float) -> None:
        emulator.clock.advance(seconds)
        if not edited:
            emulator.edit_agent(AGENT, llm={"general_prompt": "Changed."})
            edited.append(seconds)

    with (
        no_waiting(advance),
        pytest.raises(AirflowFailException, match="was changed after the simulation") as error,
    ):
        run_task(simulation(retry_failed=retry_failed), dag_run=dag_run(), ti=Ti())
    assert "set on_clear='resend' on the task in the DAG file" in str(error.value)
    assert len(emulator.batch_tests) == 1


def test_a_change_before_the_simulation_does_not_matter(emulator: Emulator) -> None:
    add_case(emulator, "Books")
    emulator.edit_agent(AGENT, llm={"general_prompt": "Changed."})
    assert simulate(emulator, simulation())["passed"] == 1


def test_a_draft_that_was_changed_and_then_published_does_not_count(
    emulator: Emulator, state_store: Any
) -> None:
    add_case(emulator, "Books")
    simulate(emulator, simulation(agent_version=1), store=state_store)
    emulator.clock.advance(60)
    with RetellHook() as hook:
        hook.publish_agent_version(AGENT, version=1)
    again = {"store": state_store, "try_number": 2, "cleared_at": 1}
    assert simulate(emulator, simulation(agent_version=1), **again)["passed"] == 1
    emulator.llms["llm_1"][1]["last_modification_timestamp"] = emulator.clock.now() * 1000
    with pytest.raises(AirflowFailException, match="was changed after the simulation"):
        simulate(emulator, simulation(agent_version=1), **again)


def test_a_published_version_cannot_change(emulator: Emulator) -> None:
    add_case(emulator, "Books")
    emulator.llms["llm_1"][0]["last_modification_timestamp"] = 10**14
    assert simulate(emulator, simulation(agent_version=0))["passed"] == 1


# -- waits


@pytest.mark.parametrize("by_event", [False, True], ids=["", "dags-test"])
@pytest.mark.usefixtures("no_sleep")
def test_a_deferred_task_runs_failed_test_cases_again_and_defers_again(
    emulator: Emulator, store: Any, by_event: bool
) -> None:
    add_case(emulator, "Books", "fail", "pass")
    deferred: list[str] = []

    def on_deferral(deferral: TaskDeferred) -> None:
        assert restored(deferral.trigger).serialize()[1]["poll_interval"] == 5
        deferred.append(list(emulator.batch_tests)[-1])

    result = run_deferred(
        lambda: simulation(deferrable=True, poll_interval=5),
        on_deferral=on_deferral,
        by_event=by_event,
        dag_run=dag_run(),
        store=store,
    )
    assert deferred == result["batch_test_ids"]
    assert (result["flaky"], len(result["batch_test_ids"])) == (["Books"], 2)
    assert len(emulator.batch_tests) == 2


def test_a_wait_that_times_out_continues_in_a_retry(emulator: Emulator, store: Any) -> None:
    add_case(emulator, "Books")
    operator = simulation(wait_timeout=timedelta(seconds=20), poll_interval=5)
    with pytest.raises(WaitTimeoutError, match="waiting for batch test .* to end.*in_progress, 0 of 1"):
        simulate(emulator, operator, store=store)
    result = simulate(emulator, simulation(), store=store, try_number=2)
    assert result["batch_test_ids"] == list(emulator.batch_tests)
    assert len(emulator.batch_tests) == 1


def test_verdicts_that_lag_behind_are_waited_for(connect: Any) -> None:
    with Emulator(clock=Clock(frozen=True), test_run_list_delay=25) as emulator:
        connect(emulator)
        add_agent(emulator)
        add_case(emulator, "Books", "fail")
        with pytest.raises(AirflowFailException, match="1 failed"):
            simulate(emulator, simulation(retry_failed=0))


def test_failed_polls_are_tolerated(emulator: Emulator) -> None:
    add_case(emulator, "Books")
    emulator.faults.add(Fault.status(500), route="get-batch-test", times=6)
    assert simulate(emulator, simulation())["passed"] == 1
