"""The log lines and the counts of a run."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

from airflow_provider_retell.api.quota import Usage
from airflow_provider_retell.bulk.outcome import Result
from airflow_provider_retell.bulk.progress import Progress
from airflow_provider_retell.bulk.report import Report
from airflow_provider_retell.clock import FastClock
from airflow_provider_retell.emulator import Emulator


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    """Return the progress lines so far."""
    caplog.set_level(logging.INFO)
    name = "airflow_provider_retell.bulk.progress"
    return lambda: [record.getMessage() for record in caplog.records if record.name == name]


@pytest.fixture
def frozen(no_sleep: FastClock, mocker: Any) -> FastClock:
    """A clock that only sleeping advances."""
    mocker.patch.object(FastClock, "monotonic", lambda self: self.skipped)
    return no_sleep


def result(row: int, **fields: Any) -> Result:
    return Result(row, f"call_{row}", **{"outcome": "unchanged", **fields})


def test_a_line_has_counts_rate_requests_delays_and_the_time_left(frozen: FastClock, lines: Any) -> None:
    usage = Usage()
    progress = Progress(Report(None), usage, 2000)
    usage.requests, usage.waited = 1, 2.0
    for row in range(1, 1001):
        progress.end(result(row, outcome="updated" if row % 4 == 0 else "unchanged"))
    frozen.sleep(10)
    progress.end(result(1001))
    [line] = lines()
    assert line == (
        "1,001 of 2,000 rows done after 10 s (751 unchanged, 250 updated), 100.1 rows/s, 1 request, held back by the "
        "quota for 2 s; 999 rows left, about 9.98 s"
    )


def test_a_line_without_rows_and_requests_says_no(frozen: FastClock, lines: Any) -> None:
    progress = Progress(Report(None), Usage(), None)
    frozen.sleep(10)
    progress.log_if_due()
    [line] = lines()
    assert line == "no rows done after 10 s, no requests"


def test_one_row_of_one_is_singular(frozen: FastClock, lines: Any) -> None:
    usage = Usage()
    progress = Progress(Report(None), usage, 1)
    usage.requests = 2
    frozen.sleep(20)
    progress.end(result(1))
    [line] = lines()
    assert line == "1 of 1 row done after 20 s (1 unchanged), 0.05 rows/s, 2 requests"


def test_the_quota_never_holds_a_run_back_for_longer_than_it_runs(frozen: FastClock, lines: Any) -> None:
    usage = Usage()
    progress = Progress(Report(None), usage, None)
    # A request that has just begun to wait for 90 s.
    usage.delay(0.0, 90.0)
    frozen.sleep(12)
    progress.end(result(1))
    [line] = lines()
    assert "held back by the quota for 12 s" in line
    manifest = progress.manifest()
    assert manifest["waited_seconds"] <= manifest["seconds"]


def test_the_failed_rows_that_are_kept_are_the_first_200_that_count() -> None:
    progress = Progress(Report(None), Usage(), failures=("failed", "invalid"))
    for row in range(800, 0, -1):
        progress.end(result(row, outcome=("failed", "not_found", "updated", "invalid")[row % 4]))
    kept = progress.first_failures()
    assert len(kept) == 200
    assert {failed.outcome for failed in kept} == {"failed", "invalid"}
    assert [failed.row for failed in kept] == sorted(failed.row for failed in kept)
    assert kept[-1].row == 800
    assert progress.rows == 800
    assert progress.manifest()["failed_rows"] == 400


@pytest.mark.usefixtures("no_sleep")
def test_a_run_logs_its_progress_and_its_total(emulator: Emulator, run: Any, lines: Any) -> None:
    """100 updates at 2 per second take at least 40 s: the first 20 are sent at once."""
    emulator.add_calls([f"call_{n}" for n in range(100)])
    task = run(rows=[{"call_id": f"call_{n}", "n": n} for n in range(100)], quota="20/10")
    task.check(rows=100)
    assert task.counts == {"updated": 100}
    assert 30 <= task.manifest["waited_seconds"] <= task.manifest["seconds"]
    *progress, total = lines()
    assert len(progress) >= 2
    assert all(
        re.match(r"\d+ of 100 rows done after [\d. min]+s\b.*, \d+ requests?\b", line) for line in progress
    )
    assert re.match(
        r"Total: 100 rows in [\d. min]+s \(100 updated\), [\d.]+ rows/s, 101 requests, held", total
    )
