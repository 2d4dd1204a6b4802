"""Verdicts of test cases that ran several times."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_retell.api.simulations import models
from airflow_provider_retell.api.simulations.verdicts import Summary, verdicts


def run(status: str, case_id: str = "case_1", **fields: Any) -> models.TestRun:
    return models.TestRun(test_case_job_id="run", status=status, test_case_definition_id=case_id, **fields)


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        (["pass"], "passed"),
        (["fail"], "failed"),
        (["error"], "error"),
        (["fail", "pass"], "flaky"),
        # An error is no verdict, so nothing has varied.
        (["error", "pass"], "passed"),
        (["error", "fail", "pass"], "flaky"),
        (["fail", "fail"], "failed"),
        (["error", "fail"], "failed"),
        (["fail", "error"], "failed"),
        (["error", "error"], "error"),
    ],
)
def test_the_outcome_depends_on_all_runs(statuses: list[str], outcome: str) -> None:
    (verdict,) = verdicts([(f"batch_{number}", [run(status)]) for number, status in enumerate(statuses)])
    assert verdict.outcome == outcome
    assert verdict.passed == (statuses[-1] == "pass")


def test_the_summary_adds_up() -> None:
    rounds = [
        ("b_1", [run("pass", "a"), run("fail", "b"), run("fail", "c"), run("error", "d")]),
        ("b_2", [run("pass", "b"), run("fail", "c"), run("error", "d")]),
    ]
    summary = Summary.of(verdicts(rounds))
    assert summary.counts() == {
        "total": 4,
        "passed": 2,
        "failed": 1,
        "errors": 1,
        "flaky": ["b"],
        "pass_ratio": 0.5,
    }
    assert str(summary) == (
        "2 of 4 test cases passed; 1 flaky ('b'); 1 failed ('c'); 1 without a verdict ('d')"
    )
    assert str(Summary.of(verdicts([("b_1", [run("pass")])]))) == "1 of 1 test cases passed"


def test_the_report_has_a_line_for_each_run() -> None:
    snapshot = {"name": "Books"}
    rounds = [
        ("b_1", [run("fail", test_case_definition_snapshot=snapshot, result_explanation="No.")]),
        ("b_2", [run("pass", test_case_definition_snapshot=snapshot, transcript_snapshot={"t": 1})]),
    ]
    (verdict,) = verdicts(rounds)
    first, second = verdict.lines(transcripts=True)
    assert first == {
        "name": "Books",
        "status": "fail",
        "explanation": "No.",
        "attempt": 1,
        "attempts": 2,
        "outcome": "flaky",
        "test_case_definition_id": "case_1",
        "test_case_job_id": "run",
        "test_case_batch_job_id": "b_1",
        "transcript": None,
    }
    assert (second["status"], second["attempt"], second["transcript"]) == ("pass", 2, {"t": 1})
    assert all("transcript" not in line for line in verdict.lines(transcripts=False))


@pytest.mark.parametrize("snapshot", [None, {}, {"name": ""}, {"name": 3}])
def test_a_run_without_a_name_has_the_id_of_its_test_case(snapshot: Any) -> None:
    assert run("pass", test_case_definition_snapshot=snapshot).name == "case_1"


def test_verdicts_are_in_the_order_of_their_names() -> None:
    assert [verdict.test_id for verdict in verdicts([("b", [run("pass", "b"), run("pass", "a")])])] == [
        "a",
        "b",
    ]


def test_a_test_run_does_not_show_its_content() -> None:
    shown = repr(run("fail", result_explanation="private", transcript_snapshot="private"))
    assert "private" not in shown
    assert "case_1" in shown
