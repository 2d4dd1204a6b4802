"""Exports that are killed or timed out end at once, and leave only the old file."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from task_signals import AirflowTaskTimeout, calls_on_kill, raises_timeout, sigterm_after
from tasks import eventually

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators import ListCallsOperator

pytestmark = pytest.mark.slow


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An old file."""
    path = tmp_path / "calls.jsonl"
    path.write_text("old\n")
    return path


@pytest.fixture
def operator(connect: Any, path: Path) -> Iterator[ListCallsOperator]:
    """An export that takes a second or more: it reads every call separately, from a slow server."""
    with Emulator(quotas=None) as emulator:
        connect(emulator, quota="100000/1", list_quota="100000/1")
        emulator.add_calls([f"call_{n:04}" for n in range(1000)], call_status="ended")
        emulator.faults.add(Fault.slow(0.03), route="get-call", times=0)
        yield ListCallsOperator(task_id="a_task", path=str(path), by=None, whole_calls=True)


def check_nothing_is_left(path: Path) -> None:
    assert path.read_text() == "old\n"
    assert list(path.parent.iterdir()) == [path]
    ours = ("retell-loop", "retell-export")
    # A timeout can interrupt the start of the thread, which then ends by itself.
    eventually(lambda: not [t for t in threading.enumerate() if t.name.startswith(ours)])


def test_on_kill_ends_the_export_at_once(operator: ListCallsOperator, path: Path) -> None:
    times = random.Random(3)
    for _ in range(8):
        with (
            calls_on_kill(operator),
            sigterm_after(times.uniform(0.0, 0.4)),
            pytest.raises(RetellError, match="Stopped on request") as error,
        ):
            operator.execute({})
        assert not error.value.permanent
        check_nothing_is_left(path)


def test_a_timeout_is_never_lost(operator: ListCallsOperator, path: Path) -> None:
    times = random.Random(5)
    with raises_timeout() as raise_timeout_in:
        for _ in range(12):
            started = time.monotonic()
            raise_timeout_in(times.uniform(0.02, 0.4))
            with pytest.raises(AirflowTaskTimeout):
                operator.execute({})
            assert time.monotonic() - started < 5
            check_nothing_is_left(path)
