"""Plan a simulation, and reject it if it would call real tools."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_retell.api.agents.endpoints import get_agent, get_chat_agent
from airflow_provider_retell.api.agents.models import Agent
from airflow_provider_retell.api.agents.settings import MODIFIED, last_modified
from airflow_provider_retell.api.engines.endpoints import (
    get_conversation_flow,
    get_conversation_flow_component,
    get_retell_llm,
)
from airflow_provider_retell.api.errors import (
    RESEND,
    NotFoundError,
    RetellInputError,
    SimulationFailedError,
)
from airflow_provider_retell.api.request import Flow
from airflow_provider_retell.api.simulations.listings import list_test_case_definitions
from airflow_provider_retell.api.simulations.models import TestCaseDefinition
from airflow_provider_retell.api.simulations.response_engine import Engine
from airflow_provider_retell.api.simulations.tools import LiveTool, live_tools, shared_components


@dataclass(frozen=True)
class SimulationPlan:
    """The test cases to run, and the version of the response engine to run them against.

    :ivar is_draft: False if the version is published, so that it cannot change.
    :ivar modified_at: the time in epoch milliseconds at which the version of the agent or of its response engine was
        last changed, or None if Retell does not say.
    """

    agent_id: str
    agent_version: int | None
    engine: Engine
    tests: list[TestCaseDefinition]
    is_draft: bool
    modified_at: float | None


def plan_simulation(
    agent_id: str,
    *,
    version: int | str | None = None,
    test_ids: Sequence[str] | None = None,
    allow_unmocked_tools: bool | Collection[str] = False,
) -> Flow[SimulationPlan]:
    """Read the agent, its response engine and its test cases, and check them.

    :param agent_id: a voice or chat agent.
    :param version: its version. Default: the latest, which may be a draft.
    :param test_ids: the test cases to run. Default: all of the response engine.
    :param allow_unmocked_tools: True to allow all calls of real tools, or the names of the tools to allow.
    :raises RetellInputError: if the agent cannot be simulated, a test case does not belong to it, there are no test
        cases, or a real tool would be called.
    """
    _check_ids(test_ids)
    agent: Agent = yield from read_agent(agent_id, version)
    engine = engine_of(agent)
    tests = _select(
        (yield from list_test_case_definitions(engine.fields(version=False))), test_ids, agent, engine
    )
    content = yield from read_engine(engine)
    if allow_unmocked_tools is not True:
        components = yield from _read_components(content)
        allowed = () if allow_unmocked_tools is False else allow_unmocked_tools
        tools = [tool for tool in live_tools(content, components) if tool.name not in allowed]
        check_mocks(tools, tests, agent_id)
    return SimulationPlan(
        agent.agent_id,
        agent.version,
        engine,
        tests,
        is_draft=not agent.is_published,
        modified_at=last_modified(agent.last_modification_timestamp, content.get(MODIFIED)),
    )


def _check_ids(test_ids: Sequence[str] | None) -> None:
    if test_ids is None:
        return
    if not test_ids:
        raise RetellInputError("test_case_definition_ids must have at least one test case")
    repeated = sorted({test_id for test_id in test_ids if test_ids.count(test_id) > 1})
    if repeated:
        raise RetellInputError(f"test_case_definition_ids must not have {', '.join(repeated)} more than once")


def read_agent(agent_id: str, version: int | str | None = None) -> Flow[Agent]:
    """Read a version of a voice or chat agent.

    :raises NotFoundError: if there is no agent with this id or version.
    """
    try:
        agent: Agent = yield get_agent(agent_id, version=version)
    except NotFoundError as error:
        try:
            agent = yield get_chat_agent(agent_id, version=version)
        except NotFoundError:
            raise error from None
    return agent


def engine_of(agent: Agent) -> Engine:
    """Return the response engine of an agent.

    :raises RetellInputError: if it cannot be simulated.
    """
    fields = {**agent.response_engine.model_dump(), "version": agent.engine_version}
    return Engine.of(fields, f"agent {agent.agent_id}")


def read_engine(engine: Engine) -> Flow[Mapping[str, Any]]:
    """Read all fields of a response engine."""
    if engine.type == "retell-llm":
        content = yield get_retell_llm(engine.engine_id, version=engine.version)
    else:
        content = yield get_conversation_flow(engine.engine_id, version=engine.version)
    fields: Mapping[str, Any] = content.model_dump()
    return fields


def check_unchanged(agent_id: str, engine: Engine, since: float | None) -> Flow[None]:
    """Raise if the response engine of a draft was changed after *since*: verdicts do not hold for it any more.

    :param since: epoch milliseconds, or None if Retell does not say when the simulation was created and the draft
        changed.
    :raises SimulationFailedError: if it was changed.
    """
    if since is None:
        return
    modified = last_modified((yield from read_engine(engine)).get(MODIFIED))
    if modified is not None and modified > since:
        raise SimulationFailedError(
            f"{str(engine)[0].upper()}{str(engine)[1:]} of agent {agent_id} was changed after the simulation started, "
            "so the verdicts do not hold for it. To simulate the present version, "
            f"{RESEND}"
        )


def _read_components(content: Mapping[str, Any]) -> Flow[dict[str, Mapping[str, Any]]]:
    """Read the shared components of a flow, and those that they contain. One that does not exist is left out."""
    found: dict[str, Mapping[str, Any]] = {}
    unread, seen = shared_components(content), set[str]()
    while unread:
        component_id = unread.pop()
        seen.add(component_id)
        try:
            component = yield get_conversation_flow_component(component_id)
        except NotFoundError:
            continue
        found[component_id] = component.model_dump()
        unread |= shared_components(found[component_id]) - seen
    return found


def _select(
    tests: list[TestCaseDefinition], test_ids: Sequence[str] | None, agent: Agent, engine: Engine
) -> list[TestCaseDefinition]:
    if test_ids is None:
        if not tests:
            raise RetellInputError(
                f"agent {agent.agent_id} has no test cases: {engine} has none. Create test cases for it, for example "
                "with SyncTestCasesOperator"
            )
        return tests
    by_id = {test.test_case_definition_id: test for test in tests}
    unknown = [test_id for test_id in test_ids if test_id not in by_id]
    if unknown:
        raise RetellInputError(
            f"test_case_definition_ids: {', '.join(unknown)} {'are' if len(unknown) > 1 else 'is'} not among the "
            f"{len(tests)} test cases of {engine}, the response engine of agent {agent.agent_id}. Check the ids"
        )
    return [by_id[test_id] for test_id in test_ids]


def check_mocks(tools: Sequence[LiveTool], tests: Sequence[TestCaseDefinition], agent_id: str) -> None:
    """Raise :class:`RetellInputError` if a simulation would call one of *tools*; name tool and test cases."""
    missing = {
        tool: [test.name for test in tests if not tool.is_mocked(test.tool_mocks or ())] for tool in tools
    }
    faults = [
        f"{tool} in {', '.join(map(repr, names))}"
        if tool.mockable
        else f"{tool}, which cannot be mocked by a documented name"
        for tool, names in missing.items()
        if names
    ]
    if faults:
        raise RetellInputError(
            f"The simulation of agent {agent_id} would call real tools: {'; '.join(faults)}. Add a mock with the "
            "input_match_rule {'type': 'any'} for each tool to each test case, or name the tools in "
            "allow_unmocked_tools"
        )
