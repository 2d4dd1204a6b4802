"""The counts of a task run with all its tries."""

from __future__ import annotations

from typing import Any

from airflow_provider_retell.bulk.outcome import Outcome, Result
from airflow_provider_retell.bulk.task_tries import TaskRunCounts

OUTCOMES: tuple[Outcome, ...] = ("created", "unchanged", "failed")


def line(row: int, contact_id: str | None, outcome: Any, number: int = 1) -> dict[str, Any]:
    return {"row": row, "contact_id": contact_id, "outcome": outcome, "reason": "", "try": number}


def test_line_with_an_unknown_outcome_is_not_counted() -> None:
    counts = TaskRunCounts()
    for outcome in ("postponed", "", None, 1, ["created"]):
        counts.add_earlier(line(1, "contact_1", outcome))
    assert not counts.has_earlier
    assert counts.manifest(OUTCOMES) == {"tries": 1, "rows": 0, "created": 0, "unchanged": 0, "failed": 0}


def test_contact_that_exists_is_identified_by_its_id_and_not_by_its_row() -> None:
    counts = TaskRunCounts()
    counts.add_earlier(line(1, "contact_1", "created"))
    counts.add(Result(1, "contact_2", "created", kind="contact"))
    counts.add(Result(2, "contact_1", "unchanged", kind="contact"))
    assert counts.manifest(OUTCOMES) == {"tries": 2, "rows": 2, "created": 2, "unchanged": 0, "failed": 0}


def test_contact_that_a_later_try_creates_is_identified_by_its_row() -> None:
    counts = TaskRunCounts()
    counts.add_earlier(line(1, None, "failed"))
    counts.add_earlier(line(1, "contact_1", "created", number=2))
    counts.add(Result(1, "contact_1", "unchanged", kind="contact"))
    assert counts.manifest(OUTCOMES) == {"tries": 3, "rows": 1, "created": 1, "unchanged": 0, "failed": 0}
