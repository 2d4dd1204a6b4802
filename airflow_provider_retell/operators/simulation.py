"""The operator for simulation tests of an agent."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.errors import SimulationFailedError
from airflow_provider_retell.api.versions import version_number
from airflow_provider_retell.common.paths import safe_path
from airflow_provider_retell.export.jsonl_writer import write_json_lines
from airflow_provider_retell.operators.at_most_once import AtMostOnceOperator
from airflow_provider_retell.operators.base import DeferrableOperator
from airflow_provider_retell.operators.batch_tests import BatchTests
from airflow_provider_retell.operators.reporting import ReportingOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.rendered import as_id, as_list, as_text

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.simulations.models import TestRun
    from airflow_provider_retell.api.simulations.simulation_plan import SimulationPlan
    from airflow_provider_retell.api.simulations.verdicts import TestVerdict
    from airflow_provider_retell.triggers.base import PollTrigger

log = logging.getLogger(__name__)

# The values of the plan that are stored with a batch test.
_FACTS = ("agent_id", "agent_version", "is_draft", "modified_at")


class RunBatchTestOperator(DeferrableOperator, AtMostOnceOperator, ReportingOperator):
    """Run simulation tests of an agent, and fail if too few of them pass.

    ::

        from airflow_provider_retell.operators import RunBatchTestOperator

        RunBatchTestOperator(
            task_id="simulate",
            agent_id="{{ var.value.retell_agent }}",
            agent_version="{{ ti.xcom_pull('draft')['version'] }}",
            report_path="s3://bucket/simulations/{{ run_id }}.jsonl",
        )

    Retell charges for simulations, and calls real tools that have no mock. Before it starts, the operator reads the
    tools of the agent and the mocks of the test cases. If a tool that acts outside the conversation has no mock that
    answers every call, the task fails without a simulation.

    Each batch test is started at most once, whatever crashes. A later try finds the batch test of an earlier one, in
    the task's state store (Airflow 3.3 and later) or in Retell's list, and continues to wait for it. If that is
    impossible, the task fails. It also fails if it would now start a batch test of another agent, version or test case:
    the verdicts of the earlier one do not count then.

    Test cases that fail, or end in an error, run again in a further batch test. A test case that passes after a fail
    counts as passed, and is listed as ``flaky``.

    The task returns ``total``, ``passed``, ``failed``, ``errors``, ``flaky`` (names), ``pass_ratio``, ``agent_id``,
    ``agent_version``, ``modified_at`` (epoch milliseconds of the last change of the simulated version, for
    ``PublishAgentVersionOperator``), ``batch_test_ids`` and ``report``.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/simulations.html
    - API: https://docs.retellai.com/api-references/create-batch-test

    :param agent_id: a voice or chat agent whose response engine is a Retell LLM or a conversation flow (templated).
    :param agent_version: a version number, ``latest_published`` or a tag (templated). Default: the version that was
        created last, which may be a draft.
    :param test_case_definition_ids: the test cases to run, a list or a template that renders to one (templated).
        Default: all test cases of the agent's response engine.
    :param min_pass_ratio: the share of test cases that must pass, 0 to 1. Default: 1.
    :param retry_failed: how often a test case that has not passed runs again. Default: 1.
    :param allow_unmocked_tools: True to run although real tools would be called, or a list of the tools' names.
    :param report_path: a file for one line of JSON per test run, with the name, status and explanation, on any storage
        of Airflow's ``ObjectStoragePath``: ``.jsonl`` or ``.ndjson``, optionally followed by ``.gz`` (templated). It
        must differ between mapped tasks.
    :param report_conn_id: the Airflow connection of the report's storage (templated). Default: the storage's default
        connection.
    :param include_transcripts: True to write the transcripts of the simulations to the report. Requires
        ``report_path``.
    :param on_clear: what happens when a user clears the task. ``"skip"`` (default): it evaluates the batch tests that
        it has started before. ``"resend"``: it starts new ones.
    :param deferrable: True to wait in the triggerer, without a worker slot. Default: Airflow's
        ``[operators] default_deferrable``.
    :param poll_interval: seconds between two polls, or a timedelta. Default: 10 seconds.
    :param wait_timeout: seconds after which the wait for a batch test fails, or a timedelta. Default: 1 hour. A retry
        waits for the same batch test.
    :param max_poll_failures: the number of consecutive failed polls that the wait tolerates. Default: 10.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if too few test cases passed, the input is invalid, a real tool would be called, the
        agent was changed meanwhile, an earlier try has simulated something else, or it is unknown whether Retell has
        started a batch test.
    :raises WaitTimeoutError: if the wait reached ``wait_timeout``.
    """

    template_fields: Sequence[str] = (
        "agent_id",
        "agent_version",
        "test_case_definition_ids",
        "report_path",
        "report_conn_id",
        "retell_conn_id",
    )

    def __init__(
        self,
        *,
        agent_id: str | XComArg,
        agent_version: int | str | XComArg | None = None,
        test_case_definition_ids: Sequence[str] | str | XComArg | None = None,
        min_pass_ratio: float = 1.0,
        retry_failed: int = 1,
        allow_unmocked_tools: bool | Sequence[str] = False,
        report_path: str | XComArg | None = None,
        report_conn_id: str | None = None,
        include_transcripts: bool = False,
        poll_interval: float | timedelta = 10,
        wait_timeout: float | timedelta = 3600,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            report_path=report_path,
            report_conn_id=report_conn_id,
            poll_interval=poll_interval,
            wait_timeout=wait_timeout,
            **kwargs,
        )
        checks.between("min_pass_ratio", min_pass_ratio, 0, 1)
        checks.whole_number("retry_failed", retry_failed, 0)
        checks.flag(include_transcripts=include_transcripts)
        if not isinstance(allow_unmocked_tools, bool):
            checks.text_list("allow_unmocked_tools", allow_unmocked_tools, empty=False)
        self.check_effect("report_path", report_path is not None, include_transcripts=include_transcripts)
        self.agent_id = agent_id
        self.agent_version = agent_version
        self.test_case_definition_ids = test_case_definition_ids
        self.min_pass_ratio = min_pass_ratio
        self.retry_failed = retry_failed
        self.allow_unmocked_tools = allow_unmocked_tools
        self.include_transcripts = include_transcripts

    def work(self, context: Context) -> dict[str, Any]:
        """Start the first batch test, unless an earlier try has started it, and continue with it."""
        self.check_report_path(context)
        batch_tests = BatchTests(self, context)
        plan = self._plan(is_started=bool(batch_tests.started))
        test_ids = [test.test_case_definition_id for test in plan.tests]
        subject = {
            "agent_id": plan.agent_id,
            "agent_version": plan.agent_version,
            "response_engine": str(plan.engine),
            "test_case_definition_ids": sorted(test_ids),
        }
        if batch_tests.started:
            batch_tests.check(subject)
            log.info("An earlier try has started batch test %s", batch_tests.ids[0])
        else:
            facts = {name: getattr(plan, name) for name in _FACTS}
            batch_tests.start(plan.engine, test_ids, subject, facts)
        return self._evaluate(batch_tests)

    def trigger_class(self) -> type[PollTrigger]:
        """Return the trigger that waits for a batch test."""
        from airflow_provider_retell.triggers.simulation import BatchTestTrigger

        return BatchTestTrigger

    def after_event(self, context: Context, event: Mapping[str, Any], **state: Any) -> dict[str, Any]:
        """Continue with the batch test of the event, which has ended.

        :param event: the result of the trigger's last poll.
        :param state: ``deadline``, and the state of :class:`BatchTests`.
        """
        deadline = state.pop("deadline")
        return self._evaluate(BatchTests.resumed(self, context, state), deadline)

    def _plan(self, *, is_started: bool) -> SimulationPlan:
        """Return the present agent, version and test cases. The tools matter only until a batch test is started."""
        from airflow_provider_retell.api.simulations.simulation_plan import plan_simulation

        ids = self.rendered("test_case_definition_ids", as_list)
        plan = self.hook.run(
            plan_simulation(
                as_id(self.agent_id, "agent_id"),
                version=version_number(self.rendered("agent_version", as_text)),
                test_ids=None if ids is None else [as_id(item, "test_case_definition_ids") for item in ids],
                allow_unmocked_tools=is_started or self.allow_unmocked_tools,
            )
        )
        log.info(
            "Agent %s version %s with %s: test cases to run: %d",
            plan.agent_id,
            plan.agent_version,
            plan.engine,
            len(plan.tests),
        )
        return plan

    def _evaluate(self, batch_tests: BatchTests, deadline: float | None = None) -> dict[str, Any]:
        """Wait for the batch tests, run the test cases that did not pass again, and return the result."""
        from airflow_provider_retell.api.simulations.response_engine import Engine
        from airflow_provider_retell.api.simulations.simulation_plan import check_unchanged
        from airflow_provider_retell.api.simulations.verdicts import verdicts
        from airflow_provider_retell.api.simulations.waits import BatchTestEnded

        first = batch_tests.started[0]
        facts = {name: first[name] for name in _FACTS}
        engine = Engine.of(first["engine"])
        since = min(
            (time for time in (first["created"], facts["modified_at"]) if time is not None), default=None
        )
        rounds: list[tuple[str, list[TestRun]]] = []
        while True:
            for batch_test_id in batch_tests.ids[len(rounds) :]:
                batch_tests.observe(batch_test_id)
                self.wait_for(
                    BatchTestEnded(batch_test_id),
                    deadline=deadline,
                    resumed=deadline is not None,
                    state=batch_tests.state(),
                )
                rounds.append((batch_test_id, self.hook.list_test_runs(batch_test_id)))
            if facts["is_draft"]:
                self.hook.run(check_unchanged(facts["agent_id"], engine, since))
            tests = verdicts(rounds)
            again = [test.test_id for test in tests if not test.passed]
            if not again or len(rounds) > self.retry_failed:
                subject = {name: facts[name] for name in ("agent_id", "agent_version", "modified_at")}
                return self._finish(tests, {**subject, "batch_test_ids": batch_tests.ids})
            log.info("Test cases that did not pass and run again: %d of %d", len(again), len(tests))
            batch_tests.start(engine, again, {"test_case_definition_ids": sorted(again)}, facts)
            deadline = None

    def _finish(self, tests: Sequence[TestVerdict], subject: Mapping[str, Any]) -> dict[str, Any]:
        """Write the report, and return the result or fail."""
        from airflow_provider_retell.api.simulations.verdicts import Summary

        path = self.rendered("report_path", as_text)
        if path is not None:
            lines = [line for test in tests for line in test.lines(transcripts=self.include_transcripts)]
            write_json_lines(path, lines, self.report_conn_id)
        summary = Summary.of(tests)
        log.info("%s", summary)
        if summary.pass_ratio < self.min_pass_ratio - 1e-9:
            raise SimulationFailedError(
                f"{summary}. min_pass_ratio is {self.min_pass_ratio:g}. "
                + (
                    f"The explanations are in {safe_path(path)}"
                    if path
                    else "Set report_path to get explanations"
                ),
                failed=(*summary.failing, *summary.without_verdict),
            )
        return {**summary.counts(), **subject, "report": path and safe_path(path)}
