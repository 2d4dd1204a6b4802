"""CeleryExecutor with Redis, PostgreSQL and two workers. The test kills one worker during a bulk update."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from stack import NEWEST

from airflow_provider_retell.emulator import Emulator
from sandbox import ROOT, connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from stack import Stack

pytestmark = pytest.mark.skipif(not NEWEST, reason="only the newest line is tested with Celery")

WORKERS = ("worker-1", "worker-2")
ROWS = 800
IN_FLIGHT = 16  # the operator's concurrency


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(quotas=None) as emulator:
        emulator.add_calls([f"call_{number}" for number in range(ROWS)], metadata={"kept": 1})
        yield emulator


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report") / "report.jsonl"


@pytest.fixture(scope="module")
def stack(
    airflow: Callable[..., AbstractContextManager[Stack]], redis_url: str, emulator: Emulator, report: Path
) -> Iterator[Stack]:
    environment = {
        "AIRFLOW_CONN_RETELL_DEFAULT": connection(emulator.url, emulator.api_key),
        "REPORT": str(report),
    }
    with airflow([ROOT / "tests/system/celery_dags"], broker=redis_url, **environment) as stack:
        stack.start_all(*WORKERS)
        yield stack


def worker_of(stack: Stack, pid: int) -> str:
    """Return the name of the worker that runs a process."""
    ancestors = {parent.pid for parent in psutil.Process(pid).parents()}
    (name,) = (name for name in WORKERS if stack.running[name].pid in ancestors)
    return name


@contextmanager
def slow(emulator: Emulator, seconds: float) -> Iterator[None]:
    """Slow updates down by *seconds*."""
    from airflow_provider_retell.emulator import Fault

    emulator.faults.add(Fault.slow(seconds), route="update-call", times=0)
    yield
    emulator.faults.clear()


def test_both_workers_update_calls(stack: Stack, emulator: Emulator) -> None:
    with slow(emulator, 10):  # so that no worker can take them all, and slow starts overlap
        stack.run("spread", "spread_1")
        query = "select pid from task_instance where run_id = 'spread_1' and state = 'running' and pid is not null"
        stack.wait("four tasks run at once", lambda: len(stack.rows(query)) == 4)
        assert Counter(worker_of(stack, pid) for (pid,) in stack.rows(query)) == dict.fromkeys(WORKERS, 2)
    assert stack.wait_for_run("spread_1") == "success"
    for number in range(8):
        assert emulator.calls[f"call_{number}"]["metadata"] == {"kept": 1, "seen": f"call_{number}"}


def test_a_retry_completes_the_bulk_update_of_a_killed_worker(
    stack: Stack, emulator: Emulator, report: Path
) -> None:
    before = emulator.count("update-call")

    def written() -> int:
        return emulator.count("update-call", status=200) - before

    stack.run("bulk", "bulk_1")
    stack.wait("a quarter of the calls is updated", lambda: written() >= ROWS // 4)
    ((pid,),) = stack.rows("select pid from task_instance where run_id = 'bulk_1'")
    victim = worker_of(stack, pid)
    stack.kill(victim)
    assert not psutil.pid_exists(pid)
    assert written() < ROWS
    assert stack.wait_for_run("bulk_1") == "success"

    for number in range(ROWS):
        wanted = {"tier": f"gold {number}"}
        assert wanted.items() <= emulator.calls[f"call_{number}"]["metadata"].items()
        assert emulator.calls[f"call_{number}"]["metadata"]["kept"] == 1
    assert ROWS <= written() <= ROWS + IN_FLIGHT
    manifest: dict[str, Any] = stack.api(
        "GET", "/dags/bulk/dagRuns/bulk_1/taskInstances/enrich/xcomEntries/manifest"
    )["value"]
    manifest = json.loads(manifest) if isinstance(manifest, str) else manifest
    assert (manifest["rows"], manifest["updated"] + manifest["unchanged"]) == (ROWS, ROWS)
    assert manifest["unchanged"] >= ROWS // 4 - IN_FLIGHT
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    # The report has the lines of the killed try too, except those that were not written yet.
    assert sorted(line["row"] for line in lines if line["try"] == 2) == list(range(1, ROWS + 1))
    assert {line["try"] for line in lines} == {1, 2}
    ((tries, last),) = stack.rows("select try_number, pid from task_instance where run_id = 'bulk_1'")
    assert (tries, last != pid) == (2, True)
