"""The test cases and batch tests of an organization, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.objects import Objects

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.simulations.vocabulary import BatchTest, TestCase


class SimulationObjects(Objects):
    """Test cases and batch tests, for tests."""

    @property
    def test_cases(self) -> dict[str, TestCase]:
        """The test cases by id. The dictionary is live: tests may change it."""
        return self._owner.test_case_backend.objects

    @property
    def batch_tests(self) -> dict[str, BatchTest]:
        """The batch tests by id, oldest first and up to date with the clock, each with its ``runs``."""
        self._owner.catch_up()
        return self._owner.batch_test_backend.objects

    @property
    def test_run_credit(self) -> int | None:
        """The number of test runs that the organization can still pay for; None means no limit. Tests may set it."""
        return self._owner.batch_test_backend.simulator.credit

    @test_run_credit.setter
    def test_run_credit(self, credit: int | None) -> None:
        self._owner.batch_test_backend.simulator.credit = credit

    @property
    def charged_test_runs(self) -> int:
        """The number of test runs that were charged."""
        self._owner.catch_up()
        return self._owner.batch_test_backend.simulator.charged

    @property
    def real_tool_calls(self) -> list[dict[str, Any]]:
        """The tool calls of simulations that no mock answered, so that they went to the real tools."""
        self._owner.catch_up()
        return self._owner.batch_test_backend.simulator.real_tool_calls

    def add_test_case(self, *, agent_id: str | None = None, **fields: Any) -> TestCase:
        """Add a test case and return it. The returned dictionary is live: tests may change it.

        Two fields script its runs. ``verdicts`` are their results in order, and the last one repeats:
        ``["fail", "pass"]`` is a flaky test. ``tool_calls`` are the agent's calls in each run:
        ``[{"tool_name": "book", "args": {"day": "Monday"}}]``. Default: all runs pass without tool calls.

        :param agent_id: the agent whose response engine it tests. Otherwise set ``response_engine``.
        :param fields: fields of the test case definition.
        :raises ValueError: for an id that exists, or a verdict or response engine that Retell does not have.
        :raises LookupError: if there is no such agent.
        """
        with self._owner.options.clock.lock:
            if agent_id is not None:
                fields["response_engine"] = self._engine_of(agent_id)
            return self._owner.test_case_backend.add(**fields)

    def _engine_of(self, agent_id: str) -> dict[str, Any]:
        agent = self._owner.agent_backend.objects.get(agent_id)
        if agent is None:
            raise LookupError(f"there is no agent {agent_id!r}")
        return {name: value for name, value in agent.latest["response_engine"].items() if name != "version"}

    def edit_test_case(self, test_case_definition_id: str, **fields: Any) -> TestCase:
        """Change fields of a test case and return it.

        :param test_case_definition_id: the id of the test case.
        :param fields: the new values, as in ``add_test_case``.
        :raises LookupError: if there is no such test case.
        """
        with self._owner.options.clock.lock:
            return self._owner.test_case_backend.edit(test_case_definition_id, **fields)

    def add_batch_test(
        self, response_engine: dict[str, Any], test_case_definition_ids: list[str], **fields: Any
    ) -> BatchTest:
        """Start a batch test as create-batch-test does, for example in place of another client, and return it.

        :param response_engine: the engine as create-batch-test takes it.
        :param test_case_definition_ids: the ids of the test cases.
        :param fields: other fields, such as ``creation_timestamp``.
        :raises ValueError: if a test case does not exist.
        """
        return self._owner.batch_test_backend.add(
            response_engine=response_engine,
            test_case_definition_ids=test_case_definition_ids,
            **fields,
        )
