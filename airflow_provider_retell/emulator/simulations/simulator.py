"""Runs batch tests on the emulator's clock, with the verdicts and tool calls that the test cases prescribe."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.simulations import samples

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.simulations.vocabulary import BatchTest, TestCase, TestRun
    from airflow_provider_retell.emulator.timeline import Timeline


@dataclass(frozen=True)
class Simulation:
    """The duration of each step of a test run, in seconds on the emulator's clock.

    :param queue: from the creation of the batch test until its runs start.
    :param talk: from the start of a run until its verdict.
    """

    queue: float = 2.0
    talk: float = 60.0

    def __post_init__(self) -> None:
        if min(self.queue, self.talk) < 0:
            raise ValueError("queue and talk must be 0 or more seconds")


class Simulator:
    """Runs the batch tests of one organization.

    :param timeline: the schedule of the organization.
    :param simulation: the duration of each step.
    :ivar charged: the number of test runs that were charged.
    :ivar credit: the number of test runs that the organization can still pay for, or None for no limit.
    :ivar real_tool_calls: the tool calls that no mock answered, which went to the real tools.
    """

    def __init__(self, timeline: Timeline, simulation: Simulation, credit: int | None) -> None:
        self._timeline = timeline
        self._simulation = simulation
        self._initial_credit = self.credit = credit
        self._runs_of: Counter[str] = Counter()
        self.charged = 0
        self.real_tool_calls: list[dict[str, Any]] = []

    def start(self, batch: BatchTest, cases: list[TestCase], now: float) -> None:
        """Queue a run of each test case.

        :param now: the time, in epoch seconds.
        """
        batch["runs"] = [samples.test_run(case, batch["creation_timestamp"]) for case in cases]
        self._timeline.at(now + self._simulation.queue, partial(self._begin, batch, cases))

    def _begin(self, batch: BatchTest, cases: list[TestCase], when: float) -> None:
        for run in batch["runs"]:
            run.update(status="in_progress", user_modified_timestamp=round(when * 1000))
        self._timeline.at(when + self._simulation.talk, partial(self._end, batch, cases))

    def _end(self, batch: BatchTest, cases: list[TestCase], when: float) -> None:
        for run, case in zip(batch["runs"], cases, strict=True):
            self._judge(run, case)
            run["user_modified_timestamp"] = round(when * 1000)
        verdicts = Counter(run["status"] for run in batch["runs"])
        batch.update(
            status="complete",
            pass_count=verdicts["pass"],
            fail_count=verdicts["fail"],
            error_count=verdicts["error"],
            user_modified_timestamp=round(when * 1000),
        )

    def _judge(self, run: TestRun, case: TestCase) -> None:
        if self.credit == 0:
            # That simulations without credit end in errors is our guess.
            run.update(status="error", result_explanation="Credit balance exhausted")
            return
        if self.credit is not None:
            self.credit -= 1
        self.charged += 1
        case_id = case["test_case_definition_id"]
        verdicts = case.get("verdicts") or ("pass",)
        verdict = verdicts[min(self._runs_of[case_id], len(verdicts) - 1)]
        self._runs_of[case_id] += 1
        # The mocks at the time of creation count, not those of a later update.
        mocks = run["test_case_definition_snapshot"]["tool_mocks"]
        calls = [self._call_tool(run, mocks, call) for call in case.get("tool_calls") or ()]
        run.update(
            status=verdict,
            result_explanation=samples.EXPLANATIONS[verdict],
            transcript_snapshot=samples.transcript(case, calls),
        )

    def _call_tool(self, run: TestRun, mocks: list[dict[str, Any]], call: dict[str, Any]) -> dict[str, Any]:
        args = call.get("args") or {}
        for mock in mocks:
            if mock["tool_name"] == call["tool_name"] and _matches(mock["input_match_rule"], args):
                return {**call, "output": mock["output"]}
        self.real_tool_calls.append({**call, "test_case_job_id": run["test_case_job_id"]})
        return {**call, "output": "{}"}

    def clear(self) -> None:
        """Forget charges, tool calls and the position in the scripts."""
        self.credit = self._initial_credit
        self._runs_of.clear()
        self.charged = 0
        self.real_tool_calls.clear()


def _matches(rule: dict[str, Any], args: dict[str, Any]) -> bool:
    if rule["type"] == "any":
        return True
    return all(name in args and args[name] == value for name, value in rule["args"].items())
