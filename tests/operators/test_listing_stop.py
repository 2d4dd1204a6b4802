"""ListCallsOperator is killed or times out: it ends at once, and leaves the old file and nothing else."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators.list_calls import ListCallsOperator

try:
    from airflow.sdk.exceptions import AirflowTaskTimeout
except ImportError:  # before 3.2
    from airflow.exceptions import AirflowTaskTimeout

pytestmark = pytest.mark.slow


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An older file where the new one is to be."""
    path = tmp_path / "calls.jsonl"
    path.write_text("old\n")
    return path


@pytest.fixture
def operator(connect: Any, path: Path) -> Iterator[ListCallsOperator]:
    """An export that takes a while: every call is read by itself, from a server that takes its time."""
    with Emulator(quotas=None) as emulator:
        connect(emulator, quota="100000/1", list_quota="100000/1")
        emulator.add_calls([f"call_{n:04}" for n in range(1000)], call_status="ended")
        emulator.faults.add(Fault.slow(0.01), route="get-call", times=0)
        yield ListCallsOperator(task_id="a_task", path=str(path), by=None, whole_calls=True)


def check_nothing_left(path: Path) -> None:
    assert path.read_text() == "old\n"
    assert list(path.parent.iterdir()) == [path]
    ours = ("retell-loop", "retell-export")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(ours)]


def test_on_kill_ends_it_at_once(operator: ListCallsOperator, path: Path) -> None:
    """As on Airflow 3: SIGTERM calls on_kill on the main thread, which then goes on."""
    moments = random.Random(3)
    previous = signal.signal(signal.SIGTERM, lambda *_: operator.on_kill())
    try:
        for _ in range(8):
            timer = threading.Timer(moments.uniform(0.0, 0.4), os.kill, (os.getpid(), signal.SIGTERM))
            timer.start()
            with pytest.raises(RetellError, match="Stopped on request") as error:
                operator.execute({})
            timer.join()
            assert not error.value.permanent
            check_nothing_left(path)
    finally:
        signal.signal(signal.SIGTERM, previous)


@pytest.fixture
def timeout() -> Iterator[Callable[[float], None]]:
    """Raise on the main thread after so many seconds, as Airflow's execution_timeout does."""

    def raises(*_: Any) -> None:
        raise AirflowTaskTimeout("Timeout")

    previous = signal.signal(signal.SIGALRM, raises)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)


def test_a_timeout_is_never_lost(
    operator: ListCallsOperator, path: Path, timeout: Callable[[float], None]
) -> None:
    moments = random.Random(5)
    for _ in range(25):
        started = time.monotonic()
        timeout(moments.uniform(0.02, 0.4))
        with pytest.raises(AirflowTaskTimeout):
            operator.execute({})
        assert time.monotonic() - started < 5
        check_nothing_left(path)
