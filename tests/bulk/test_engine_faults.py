"""Faults of the server and the network: every row has exactly one result, and it is true."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.calls.kind import CALLS
from airflow_provider_retell.api.errors import AuthenticationError
from airflow_provider_retell.api.quota import Rate
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.bulk import FailedRows
from airflow_provider_retell.bulk.bookkeeping import FAILURES_IN_A_ROW
from airflow_provider_retell.bulk.engine import BulkUpdate
from airflow_provider_retell.bulk.errors import BulkStoppedError, RowsFailedError
from airflow_provider_retell.bulk.given_rows import CallableRows, as_rows
from airflow_provider_retell.bulk.records.columns import Columns
from airflow_provider_retell.bulk.records.updates import RecordUpdates
from airflow_provider_retell.bulk.report import Report
from airflow_provider_retell.common.wording import counted
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.hooks import RetellAsyncHook

COUNT = 60


@pytest.fixture
def rows(emulator: Emulator) -> list[dict[str, Any]]:
    emulator.add_calls([f"call_{n}" for n in range(COUNT)])
    return [{"call_id": f"call_{n}", "n": n} for n in range(COUNT)]


def all_written(emulator: Emulator) -> bool:
    return all(emulator.calls[f"call_{n}"]["metadata"] == {"n": n} for n in range(COUNT))


HTML = "check the host in the Airflow connection"


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault.status(429, headers={"Retry-After": "0.05"}), "Retell answered 429"),
        (Fault.status(429, headers={"RateLimit-Reset": "0.05"}), "Retell answered 429"),
        (Fault.garbage(), "It is unknown whether Retell processed the request"),
        *((Fault.status(status, body="<html>"), HTML) for status in (403, 404, 422)),
    ],
)
@pytest.mark.usefixtures("no_sleep")
def test_a_row_whose_request_fails_in_every_attempt_fails_alone(
    emulator: Emulator, rows: Any, run: Any, fault: Fault, says: str
) -> None:
    emulator.faults.add(fault, route="update-call", call_id="call_5", times=0)
    # A page of another server is not taken for a missing call.
    task = run(rows=rows, tolerate=["not_found"], fails=True)
    task.check(rows=COUNT)
    assert isinstance(task.error, RowsFailedError)
    assert task.counts == {"updated": COUNT - 1, "failed": 1}
    assert says in task.outcome(6)[1]
    emulator.faults.clear()
    assert run(rows=rows).counts == {"updated": 1, "unchanged": COUNT - 1}
    assert all_written(emulator)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.status(429),
        Fault.status(429, headers={"Retry-After": "1"}),
        Fault.status(429, headers={"RateLimit-Reset": "1", "RateLimit-Remaining": "0"}),
        Fault.status(500),
        Fault.status(503, headers={"Retry-After": "1"}),
        Fault.drop(),
        Fault.drop_after(),
        Fault.truncate(),
    ],
    ids=["429", "429 for 1 s", "429 until a reset", "500", "503", "drop", "drop_after", "truncate"],
)
@pytest.mark.usefixtures("no_sleep")
def test_faults_that_pass_change_no_result(emulator: Emulator, rows: Any, run: Any, fault: Fault) -> None:
    rules = [
        emulator.faults.add(fault, route=route, probability=0.2, seed=3, times=8)
        for route in ("update-call", "list-calls")
    ]
    task = run(rows=rows)
    task.check(rows=COUNT)
    assert task.counts == {"updated": COUNT}
    assert task.manifest["requests"] == len(emulator.requests)
    assert sum(rule.hits for rule in rules) >= 5
    if fault.response is not None and fault.response.headers:
        assert task.manifest["seconds"] >= 1  # as long as the server asked
    assert all_written(emulator)
    emulator.faults.clear()
    assert run(rows=rows).counts == {"unchanged": COUNT}


@pytest.mark.parametrize("status", [402, 403])
def test_pages_of_another_server_stop_the_run(emulator: Emulator, rows: Any, run: Any, status: int) -> None:
    emulator.faults.add(Fault.status(status, body="<html>"), route="update-call", times=0)
    task = run(rows=rows, concurrency=1, fails=True)
    assert isinstance(task.error, BulkStoppedError)
    assert not task.manifest["complete"]
    assert emulator.count("update-call") == FAILURES_IN_A_ROW < COUNT


@pytest.mark.usefixtures("no_sleep")
def test_a_server_that_sometimes_hangs_loses_no_row(
    emulator: Emulator, rows: Any, run: Any, connect: Any
) -> None:
    connect(emulator, timeout=0.2)
    emulator.faults.add(Fault.hang(), route="update-call", probability=0.1, seed=5, times=6)
    emulator.faults.add(Fault.hang(), route="list-calls")
    task = run(rows=rows)
    task.check(rows=COUNT)
    assert task.counts == {"updated": COUNT}
    assert all_written(emulator)


# -- runs that stop; with few attempts, because the operator's retries take half a minute per request


def bulk(rows: Any, path: Path, attempts: int = 1, **options: Any) -> tuple[BulkUpdate, Exception | None]:
    async def run() -> tuple[BulkUpdate, Exception | None]:
        retry = RetryLimits(attempts, 1)
        async with RetellAsyncHook("retell_default", retry=retry, quota=Rate(100_000, 1)) as hook:
            update = BulkUpdate(
                hook,
                as_rows(rows),
                RecordUpdates(hook, Columns(), CALLS),
                Report(str(path)),
                concurrency=8,
                **options,
            )
            try:
                await update.run()
            except Exception as error:
                return update, error
            finally:
                left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
                assert not left
            return update, None

    return asyncio.run(run())


def check(update: BulkUpdate, path: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len({line["row"] for line in lines}) == len(lines) == update.progress.rows
    return lines


def test_a_dead_server_stops_the_run_while_it_reads(connect: Any, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        connect(f"http://127.0.0.1:{unused.getsockname()[1]}")
        read = []

        def rows() -> Any:
            for n in range(100_000):
                read.append(n)
                yield {"call_id": f"call_{n}", "n": n}

        update, error = bulk(CallableRows(rows), tmp_path / "report.jsonl")
    assert isinstance(error, BulkStoppedError)
    assert "Stopped after no rows, because Retell cannot be reached. Last error: list-calls: " in str(error)
    assert error.__cause__ is None, "Airflow would log the message of the cause again"
    assert check(update, tmp_path / "report.jsonl") == []
    assert len(read) <= 2000


@pytest.mark.parametrize("fault", [Fault.drop(), Fault.status(503), Fault.garbage(), Fault.status(429)])
def test_a_server_that_dies_stops_the_run_while_it_writes(
    emulator: Emulator, tmp_path: Path, fault: Fault
) -> None:
    emulator.add_calls([f"call_{n}" for n in range(500)])
    emulator.faults.add(fault, route="update-call", after=100, times=0)
    update, error = bulk([{"call_id": f"call_{n}", "n": n} for n in range(500)], tmp_path / "report.jsonl")
    assert isinstance(error, BulkStoppedError)
    outcomes = [line["outcome"] for line in check(update, tmp_path / "report.jsonl")]
    assert update.progress.counts["updated"] == 100
    assert update.progress.counts["failed"] >= 50
    # In the order of results: an update in flight when the server died can succeed late, and restarts the count.
    assert outcomes[::-1].index("updated") <= 50 + 8
    assert 150 <= emulator.count("update-call") <= update.progress.rows


def test_a_stopped_run_ends_after_the_source_of_its_rows(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_calls([f"call_{n}" for n in range(3000)])
    emulator.faults.add(Fault.drop(), route="update-call", times=0)
    closed = []

    def rows() -> Any:
        try:
            yield from ({"call_id": f"call_{n}", "n": n} for n in range(3000))
        finally:
            # A cursor that is slow to close.
            time.sleep(0.2)
            closed.append(True)

    _, error = bulk(CallableRows(rows), tmp_path / "report.jsonl")
    assert isinstance(error, BulkStoppedError)
    assert closed


@pytest.mark.parametrize("route", ["update-call", "list-calls", "get-call"])
def test_a_wait_beyond_the_retry_limits_stops_the_run_at_once(
    emulator: Emulator, run: Any, tmp_path: Path, route: str
) -> None:
    """The rows that were not reached have no result, and the next run processes them and those that failed."""
    count = 1200 if route == "list-calls" else 200  # the second chunk, or the second request
    emulator.add_calls([f"call_{n}" for n in range(count)])
    emulator.options.max_ids_per_filter = 0 if route == "get-call" else None
    fault = Fault.status(429, headers={"Retry-After": "300"})
    rule = emulator.faults.add(fault, route=route, times=0, after={"update-call": 30}.get(route, 1))
    rows = [{"call_id": f"call_{n}", "n": n} for n in range(count)]
    started = time.monotonic()
    task = run(rows=rows, fails=True, quota="35/1000" if route == "update-call" else "100000/1")
    # Requests that wait for a slot of the quota stop waiting.
    assert time.monotonic() - started < 60
    task.check()
    assert isinstance(task.error, BulkStoppedError)
    stopped = f"Stopped after {counted(task.manifest['rows'], 'row')}, because Retell asks to wait 300 s"
    assert str(task.error).startswith(stopped)
    assert task.error.retry_after == pytest.approx(300, abs=5)
    assert not task.error.permanent
    # Only requests that were in flight.
    assert 1 <= rule.hits <= (50 if route == "get-call" else 16)
    written = sum(call["metadata"] == {"n": int(name[5:])} for name, call in emulator.calls.items())
    # The rows that were being sent have a result.
    failed = [line["reason"] for line in task.report if line["outcome"] == "failed"]
    assert task.counts == {name: n for name, n in {"updated": written, "failed": len(failed)}.items() if n}
    assert all(
        "Retell answered 429" in reason or "not sent, because Retell asked" in reason for reason in failed
    )
    assert rule.hits <= len(failed) <= 16 if route == "update-call" else not failed
    assert route != "update-call" or written == 30
    emulator.faults.clear()
    again = run(rows=FailedRows(rows, str(task.path)), report_path=str(tmp_path / "again.jsonl"))
    assert again.manifest["updated"] == count - written


def test_faults_that_are_not_in_a_row_do_not_stop_the_run(emulator: Emulator, tmp_path: Path) -> None:
    """Neither many failed updates among others, nor many chunks among others that cannot be read."""
    emulator.add_calls([f"call_{n}" for n in range(8000)], metadata={"n": 1})
    reads = emulator.faults.add(Fault.status(500), route="list-calls", probability=0.5, seed=2)
    writes = emulator.faults.add(Fault.status(500), route="update-call", probability=0.3, seed=2, times=0)
    rows = [{"call_id": f"call_{n}", "n": 1 if n % 10 else 2} for n in range(8000)]
    update, error = bulk(rows, tmp_path / "report.jsonl")
    assert error is None
    assert update.progress.rows == len(check(update, tmp_path / "report.jsonl")) == 8000
    assert update.progress.counts["failed"] == reads.hits * 1000 + writes.hits
    assert reads.hits >= 3
    assert writes.hits >= 50


@pytest.mark.parametrize("status", [401, 402, 403])
@pytest.mark.parametrize("route", ["list-calls", "update-call", "get-call"])
def test_a_rejected_api_key_stops_the_run_at_once(
    emulator: Emulator, run: Any, status: int, route: str
) -> None:
    emulator.add_calls([f"call_{n}" for n in range(300)])
    emulator.options.max_ids_per_filter = 0 if route == "get-call" else None
    emulator.faults.add(Fault.status(status), route=route, times=0)
    rows = [{"call_id": f"call_{n}", "a": n} for n in range(300)]
    task = run(rows=rows, fails=True, concurrency=4)
    task.check()
    assert isinstance(task.error, AirflowFailException)
    assert status != 401 or isinstance(task.error.__cause__, AuthenticationError)
    assert emulator.count(route, status=status) <= 50
    assert task.counts.get("failed", 0) <= 4
    assert emulator.count("update-call") <= 4
