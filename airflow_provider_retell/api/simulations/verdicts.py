"""The verdicts of test cases that ran once or several times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from airflow_provider_retell.api.simulations.models import TestRun

Outcome = Literal["passed", "flaky", "failed", "error"]


@dataclass
class TestVerdict:
    """A test case and its runs, oldest first."""

    __test__ = False

    test_id: str
    runs: list[tuple[str, TestRun]] = field(default_factory=list)
    """Each run with the id of its batch test."""

    @property
    def name(self) -> str:
        """The name of the test case."""
        return self.runs[-1][1].name

    @property
    def passed(self) -> bool:
        """True if the last run passed. A test case that passed is not run again."""
        return self.runs[-1][1].status == "pass"

    @property
    def outcome(self) -> Outcome:
        """The verdict of all runs.

        ``flaky`` is a pass after a fail. ``error`` means that no run has a verdict; an error beside a fail is a fail.
        """
        failed = any(run.status == "fail" for _, run in self.runs)
        if self.passed:
            return "flaky" if failed else "passed"
        return "failed" if failed else "error"

    def lines(self, *, transcripts: bool) -> Iterator[dict[str, Any]]:
        """Yield a line of the report for each run."""
        for attempt, (batch_test_id, run) in enumerate(self.runs, 1):
            line = {
                "name": run.name,
                "status": run.status,
                "explanation": run.result_explanation,
                "attempt": attempt,
                "attempts": len(self.runs),
                "outcome": self.outcome,
                "test_case_definition_id": self.test_id,
                "test_case_job_id": run.test_case_job_id,
                "test_case_batch_job_id": batch_test_id,
            }
            yield {**line, "transcript": run.transcript_snapshot} if transcripts else line


def verdicts(rounds: Sequence[tuple[str, Sequence[TestRun]]]) -> list[TestVerdict]:
    """Return the verdict of each test case, in the order of the first round.

    :param rounds: the id and the test runs of each batch test, oldest first.
    """
    found: dict[str, TestVerdict] = {}
    for batch_test_id, runs in rounds:
        for run in runs:
            verdict = found.setdefault(run.test_case_definition_id, TestVerdict(run.test_case_definition_id))
            verdict.runs.append((batch_test_id, run))
    return list(found.values())
