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
    """Return the verdict of each test case, in the order of their names.

    :param rounds: the id and the test runs of each batch test, oldest first.
    """
    found: dict[str, TestVerdict] = {}
    for batch_test_id, runs in rounds:
        for run in runs:
            verdict = found.setdefault(run.test_case_definition_id, TestVerdict(run.test_case_definition_id))
            verdict.runs.append((batch_test_id, run))
    return sorted(found.values(), key=lambda verdict: (verdict.name, verdict.test_id))


@dataclass(frozen=True)
class Summary:
    """The counts of a simulation.

    :ivar flaky: the names of the test cases that passed after a fail. They count as passed.
    :ivar without_verdict: the names of the test cases that ended in an error.
    """

    total: int
    flaky: list[str]
    failing: list[str]
    without_verdict: list[str]

    @classmethod
    def of(cls, tests: Sequence[TestVerdict]) -> Summary:
        """Return the summary of *tests*."""

        def names(outcome: Outcome) -> list[str]:
            return [test.name for test in tests if test.outcome == outcome]

        return cls(len(tests), names("flaky"), names("failed"), names("error"))

    def __str__(self) -> str:
        parts = [f"{self.passed} of {self.total} test cases passed"]
        for label, names in (
            ("flaky", self.flaky),
            ("failed", self.failing),
            ("without a verdict", self.without_verdict),
        ):
            if names:
                parts.append(f"{len(names)} {label} ({', '.join(map(repr, names))})")
        return "; ".join(parts)

    @property
    def passed(self) -> int:
        """The number of test cases that passed, at once or after a fail."""
        return self.total - len(self.failing) - len(self.without_verdict)

    @property
    def pass_ratio(self) -> float:
        """The share of test cases that passed."""
        return self.passed / self.total

    def counts(self) -> dict[str, Any]:
        """Return the counts for XCom."""
        return {
            "total": self.total,
            "passed": self.passed,
            "failed": len(self.failing),
            "errors": len(self.without_verdict),
            "flaky": self.flaky,
            "pass_ratio": self.pass_ratio,
        }
