"""Checks of simulation tests. Those that change something create a test case of their own, and delete it."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.agents.endpoints import get_agent
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.paging import read_all
from airflow_provider_retell.api.simulations import endpoints
from airflow_provider_retell.api.simulations.response_engine import Engine
from airflow_provider_retell.contract.agents.reading import voice_agents
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, Checks, page
from airflow_provider_retell.contract.creation import Creation, deleted
from airflow_provider_retell.contract.findings import (
    CannotTellError,
    Finding,
    NotYetError,
    SkipError,
    differs,
    holds,
)
from airflow_provider_retell.contract.flags import Flag
from airflow_provider_retell.contract.seeing import ask, result, unknown
from airflow_provider_retell.contract.target import one

if TYPE_CHECKING:
    from airflow_provider_retell.api.agents.models import Agent
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.api.simulations.models import BatchTest, TestCaseDefinition
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

TEST_CASE = Flag(
    "--test-agent-id", "a voice agent for which the checks may create a test case and delete it", "ID"
)
RUN_TEST = Flag(
    "--run-test",
    "with --test-agent-id: run the test case once, which Retell bills; the agent's tools may be called for real",
)

_UNKNOWN_ID = "test_batch_000000000000"
_AGENTS = 5
_NAME = "contract check"


def _engine(target: Target) -> Flow[dict[str, Any]]:
    """Return the response engine of a voice agent that can be simulated, in its latest version."""
    for agent_id in (yield from voice_agents(target))[:_AGENTS]:
        agent: Agent = yield from ask(get_agent(agent_id))
        engine = _simulated(agent)
        if engine is not None:
            return engine
    raise SkipError("no voice agent can be simulated")


def _simulated(agent: Agent) -> dict[str, Any] | None:
    try:
        return Engine.of(agent.response_engine.model_dump()).fields(version=False)
    except RetellInputError:
        return None


@CHECKS.add(
    "simulations.unknown_id",
    assumption="get-batch-test rejects an unknown id with 404.",
    matters="The error message recommends checking the id.",
    source=NOT_DOCUMENTED,
    question="Does an unknown batch test get 404 or 422?",
    otherwise="422 has the same meaning. With another status, the task fails with another message.",
    options=("missing_asset_status",),
)
def unknown_id(_target: Target) -> Flow[Finding]:
    """Read a batch test that does not exist."""
    return (yield from unknown(endpoints.get_batch_test(_UNKNOWN_ID), 404, "missing_asset_status"))


@CHECKS.add(
    "simulations.test_cases_are_listed",
    assumption="list-test-case-definitions returns the test cases of a response engine, with their names.",
    matters="Test cases are selected and synchronized by name.",
    source=page("list-test-case-definitions"),
    otherwise="The task fails and names the field.",
)
def test_cases_are_listed(target: Target) -> Flow[Finding]:
    """List the test cases of an agent."""
    engine = yield from target.once(_engine)
    found = yield from ask(endpoints.list_test_case_definitions(engine, limit=50))
    return differs("a malformed test case") if found.malformed else holds("items and has_more")


def _complete(target: Target) -> Flow[BatchTest]:
    """Return a batch test that is complete."""
    engine = yield from target.once(_engine)
    found = yield from ask(endpoints.list_batch_tests(engine, limit=50))
    batch: BatchTest = one(
        [batch for batch in found.items if batch.is_complete], "the agent has no complete batch test"
    )
    return batch


@CHECKS.add(
    "simulations.complete_runs_have_verdicts",
    assumption="Each test run of a complete batch test has a verdict, and the counts of the batch test include it.",
    matters="RunBatchTestOperator waits for the verdicts and counts them.",
    source=page("get-batch-test"),
    otherwise="The wait times out.",
)
def complete_runs_have_verdicts(target: Target) -> Flow[Finding]:
    """List the runs of a batch test that is complete."""
    batch = yield from target.once(_complete)
    found = yield from ask(endpoints.list_test_runs(batch.test_case_batch_job_id, limit=1000))
    if any(not run.has_ended for run in found.items):
        return differs("a run without a verdict")
    counts = [batch.pass_count, batch.fail_count, batch.error_count]
    if None in counts or batch.total_count is None:
        return differs("no counts", handled=True)
    if sum(count or 0 for count in counts) != batch.total_count or len(found.items) != batch.total_count:
        return differs("other counts")
    return holds("verdicts and counts")


def _create(target: Target) -> Flow[tuple[dict[str, Any], TestCaseDefinition]]:
    """Create a test case; return the response engine and the test case."""
    agent: Agent = yield from ask(get_agent(target.values(TEST_CASE)[0]))
    engine = _simulated(agent)
    if engine is None:
        raise SkipError("the agent in --test-agent-id cannot be simulated")
    name = f"{_NAME} {secrets.token_hex(4)}"
    created = Creation("test_case_definition_id", partial(_ids_with, engine, name), _delete)
    target.clean_up(
        created.undo_all, f"the test case {name!r} may still exist: delete it in Retell's dashboard"
    )
    request = endpoints.create_test_case_definition(
        name=name,
        user_prompt="Say goodbye at once and hang up.",
        metrics=["The agent says goodbye."],
        response_engine=engine,
        dynamic_variables={"contract_check": "1"},
    )
    return engine, result(request, (yield from created.send(request)))


def _ids_with(engine: dict[str, Any], name: str) -> Flow[list[str]]:
    found = yield from read_all(endpoints.list_test_case_definitions, response_engine=engine)
    return [case.test_case_definition_id for case in found if case.name == name]


def _delete(test_case_id: str) -> Flow[bool]:
    return deleted(
        endpoints.delete_test_case_definition(test_case_id), endpoints.get_test_case_definition(test_case_id)
    )


@CHECKS.add(
    "simulations.update_keeps_other_fields",
    assumption="update-test-case-definition keeps the fields that the request does not contain.",
    matters="SyncTestCasesOperator sends only the fields that differ.",
    source=NOT_DOCUMENTED,
    question="Does update-test-case-definition keep the other fields?",
    otherwise="The operator sends all fields again.",
    flags=(TEST_CASE,),
    options=("test_case_update_semantics",),
)
def update_keeps_other_fields(target: Target) -> Flow[Finding]:
    """Rename a new test case."""
    _, created = yield from target.once(_create)
    test_case_id = created.test_case_definition_id
    name = f"{created.name} 2"
    yield from ask(endpoints.update_test_case_definition(test_case_id, name=name))
    changed: TestCaseDefinition = yield from ask(endpoints.get_test_case_definition(test_case_id))
    if changed.name != name:
        return differs("the name has not changed")
    if changed.dynamic_variables == {"contract_check": "1"}:
        return holds("all fields", test_case_update_semantics="merge")
    return differs("no dynamic variables", handled=True, test_case_update_semantics="replace")


def _start(target: Target) -> Flow[tuple[dict[str, Any], BatchTest]]:
    engine, created = yield from target.once(_create)
    request = endpoints.create_batch_test([created.test_case_definition_id], engine)
    batch: BatchTest = yield from ask(request)
    return engine, batch


_RUN = (TEST_CASE, RUN_TEST)


@CHECKS.add(
    "simulations.batch_test_is_listed",
    assumption="list-batch-tests contains a new batch test immediately.",
    matters="RunBatchTestOperator searches for its batch test if the response is lost.",
    source=NOT_DOCUMENTED,
    question="Does list-batch-tests contain a new batch test immediately?",
    otherwise="The task fails instead of starting a second batch test.",
    flags=_RUN,
    options=("batch_test_list_delay",),
)
def batch_test_is_listed(target: Target) -> Flow[Finding]:
    """Start a batch test and list it."""
    engine, batch = yield from target.once(_start)
    found = yield from ask(endpoints.list_batch_tests(engine, limit=50))
    if any(item.test_case_batch_job_id == batch.test_case_batch_job_id for item in found.items):
        return holds("at once", batch_test_list_delay=0.0)
    return differs("not at once", handled=True, batch_test_list_delay=60.0)


@CHECKS.add(
    "simulations.verdicts_are_listed",
    assumption="list-test-runs contains the verdicts as soon as the batch test is complete.",
    matters="RunBatchTestOperator reads the verdicts from this list.",
    source=NOT_DOCUMENTED,
    question="Does list-test-runs contain the verdicts as soon as a batch test is complete?",
    otherwise="The operator waits until all runs have a verdict.",
    flags=_RUN,
    options=("test_run_list_delay",),
)
def verdicts_are_listed(target: Target) -> Flow[Finding]:
    """Wait for the batch test, and list its runs."""
    _, started = yield from target.once(_start)
    batch: BatchTest = yield from ask(endpoints.get_batch_test(started.test_case_batch_job_id))
    if not batch.is_complete:
        raise NotYetError("the batch test is still running", seconds=10)
    found = yield from ask(endpoints.list_test_runs(batch.test_case_batch_job_id, limit=50))
    if not found.items:
        raise CannotTellError("no run is listed")
    if all(run.has_ended for run in found.items):
        return holds("at once", test_run_list_delay=0.0)
    return differs("not at once", handled=True, test_run_list_delay=60.0)
