"""The log lines and the counts of a run."""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from typing import Any

import pytest

from airflow_provider_retell.api.errors import (
    BadRequestError,
    RateLimitError,
    RetellConnectionError,
    RetellError,
    RetellResponseError,
    ServerError,
)
from airflow_provider_retell.api.quota import Usage
from airflow_provider_retell.bulk.bookkeeping import Progress
from airflow_provider_retell.bulk.errors import RESUME, BulkStoppedError, StorageError
from airflow_provider_retell.bulk.outcome import Result
from airflow_provider_retell.bulk.report import Report
from airflow_provider_retell.clock import FastClock
from airflow_provider_retell.emulator import Emulator

# A duration without a fraction of the next smaller unit, such as "1 min", has only one part.
DURATION = r"(?:\d+ min(?: \d+ s)?|[\d.]+ s)"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    """Return the progress lines so far."""
    caplog.set_level(logging.INFO)
    name = "airflow_provider_retell.bulk.bookkeeping"
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


@pytest.mark.parametrize(
    ("rows", "error", "logged"),
    [(0, RetellError("no such table"), False), (1, RetellError("no such table"), True), (0, None, True)],
)
async def test_an_error_before_the_first_row_leaves_out_the_total(
    lines: Any, rows: int, error: RetellError | None, logged: bool
) -> None:
    progress = Progress(Report(None), Usage(), None)
    with suppress(RetellError):
        async with progress.recording():
            for row in range(rows):
                progress.end(result(row + 1))
            if error is not None:
                raise error
    assert any(line.startswith("Total: ") for line in lines()) is logged


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
        re.match(rf"\d+ of 100 rows done after {DURATION} .*, \d+ requests?\b", line) for line in progress
    )
    assert re.match(
        rf"Total: 100 rows in {DURATION} \(100 updated\), [\d.]+ rows/s, 101 requests, held", total
    )


# -- failures that stop a run


def outage() -> ServerError:
    return ServerError("Retell failed.", status=500)


def test_fifty_failures_in_a_row_stop_the_run() -> None:
    progress = Progress(Report(None), Usage())
    for row in range(1, 50):
        progress.end(result(row, outcome="failed"))
        progress.count_failure("update", outage())
    with pytest.raises(BulkStoppedError) as stopped:
        progress.count_failure("update", outage())
    assert str(stopped.value).startswith(
        "Stopped after 49 rows, because Retell or the network failed for too many rows in a row. "
        "Last error: Retell failed. "
    )
    assert str(stopped.value).endswith(RESUME)


@pytest.mark.parametrize(
    "error",
    [
        RetellConnectionError("dropped"),
        RateLimitError("no wait", status=429),
        RetellResponseError("not JSON"),
        StorageError("no space"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_only_outages_count_as_failures_in_a_row(error: RetellError) -> None:
    progress = Progress(Report(None), Usage())
    progress.count_failure("update", error, 49)
    progress.count_failure("update", BadRequestError("rejected", status=400))  # Retell is there
    progress.count_failure("update", error, 49)
    with pytest.raises(BulkStoppedError):
        progress.count_failure("update", error)


def test_reads_and_updates_are_counted_apart_and_a_success_ends_the_count() -> None:
    progress = Progress(Report(None), Usage())
    progress.count_failure("read", outage(), 49)
    progress.count_failure("update", outage(), 49)
    progress.count_success("update")
    progress.count_failure("update", outage(), 49)
    with pytest.raises(BulkStoppedError):
        progress.count_failure("read", outage())


@pytest.mark.parametrize("seconds", [90, 90.4])
def test_a_wait_of_the_hooks_limit_or_longer_stops_the_run(seconds: float) -> None:
    progress = Progress(Report(None), Usage(), longest_wait=90)
    progress.end(result(1))
    with pytest.raises(BulkStoppedError) as stopped:
        progress.stop_if_throttled(RateLimitError("later", status=429, retry_after=seconds))
    assert str(stopped.value) == f"Stopped after 1 row, because Retell asks to wait 90 s. {RESUME}"
    assert stopped.value.retry_after == seconds


async def test_the_message_of_a_stopped_run_counts_the_rows_that_were_in_flight() -> None:
    progress = Progress(Report(None), Usage())
    with pytest.raises(BulkStoppedError) as stopped:
        async with progress.recording():
            for row in (1, 2, 3):
                progress.start(row, f"call_{row}")
            progress.end(result(1))
            try:
                progress.stop_if_throttled(RateLimitError("later", status=429, retry_after=300))
            finally:
                progress.end(result(2))
    assert str(stopped.value) == f"Stopped after 3 rows, because Retell asks to wait 300 s. {RESUME}"
    assert stopped.value.retry_after == 300
    assert [failed.row for failed in progress.first_failures()] == [3]


@pytest.mark.parametrize(
    "error",
    [
        RateLimitError("soon", status=429),
        RateLimitError("soon", status=429, retry_after=119.9),
        outage(),
    ],
    ids=["429", "short wait", "500"],
)
def test_error_without_a_long_wait_does_not_stop_the_run(error: RetellError) -> None:
    progress = Progress(Report(None), Usage())
    progress.start(2, "call_2")
    progress.stop_if_throttled(error)
    progress._end_in_flight()
    assert progress.first_failures() == [
        Result(
            *(2, "call_2", "failed"),
            "the run was stopped during the update. It is unknown whether Retell processed it",
            kind="call",
        )
    ]


# -- the report and the manifest


class Written(Report):
    """A report in memory."""

    def __init__(self) -> None:
        super().__init__(None)
        self.batches: list[list[int]] = []

    def write(self, results: Any) -> None:
        results = list(results)
        self.batches.append([each.row for each in results])
        super().write(results)


async def test_every_result_is_in_the_report_once_also_those_of_rows_in_flight() -> None:
    report = Written()
    progress = Progress(report, Usage(), kind="chat")
    async with progress.recording():
        for row in (1, 2):
            progress.end(result(row))
        await progress.flush(at_least=3)
        assert report.batches == []
        await progress.flush(at_least=2)
        assert report.batches == [[1, 2]]
        await progress.flush()
        progress.start(3, None)
        progress.start(4, "chat_4")
        progress.end(result(3))
    assert report.batches == [[1, 2], [3, 4]]
    assert [(failed.row, failed.record_id, failed.kind) for failed in progress.first_failures()] == [
        (4, "chat_4", "chat")
    ]


def test_manifest_of_a_dry_run_has_the_names_of_a_dry_run_and_of_a_real_run() -> None:
    progress = Progress(Report(None), Usage(), dry_run=True, outcomes=("updated", "failed"))
    progress.end(result(1, outcome="would_update"))
    progress.end(result(2, outcome="failed"))
    manifest = progress.manifest()
    assert {name: manifest[name] for name in ("rows", "would_update", "failed", "failed_rows", "report")} == {
        **{"rows": 2, "would_update": 1, "failed": 1, "failed_rows": 1},
        "report": None,
    }
    assert (manifest["updated"], manifest["task_run"]["updated"]) == (0, 0)
    assert manifest["task_run"].keys() >= {"would_update", "failed"}


def test_manifest_of_a_real_run_has_no_names_of_a_dry_run() -> None:
    progress = Progress(Report(None), Usage(), outcomes=("updated", "created", "deleted"))
    assert not [name for name in progress.manifest() if name.startswith("would_")]


async def test_total_of_unverified_rows_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    progress = Progress(Report(None), Usage())
    async with progress.recording():
        for row in (1, 2, 3):
            progress.end(result(row), unverified=row != 2)
    assert "do not confirm all values of 2 rows" in caplog.text
