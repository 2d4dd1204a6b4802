"""Kills and timeouts of archives of recordings: files are whole, and the next try copies only the missing ones."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kills import KILLS
from task_forker import Forker
from task_signals import AirflowTaskTimeout, calls_on_kill, raises_timeout, sigterm_after
from tasks import Ti, eventually

from airflow_provider_retell.bulk.errors import BulkStoppedError
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.emulator.recordings.content import recording
from airflow_provider_retell.operators import ArchiveRecordingsOperator

pytestmark = pytest.mark.slow

# Each killed run archives fewer than ten calls.
CALLS = 10 * KILLS
CONCURRENCY = 4
AUDIO = recording(1)


@pytest.fixture
def emulator(connect: object) -> Iterator[Emulator]:
    """An emulator with calls whose recordings take some time."""
    with Emulator(quotas=None) as emulator:
        connect(emulator)  # type: ignore[operator]
        emulator.add_calls((f"call_{n}" for n in range(CALLS)), minimal=False, duration_ms=1000)
        emulator.faults.add(Fault.slow(0.03), route="get-call-file", times=0)
        yield emulator


def arguments(emulator: Emulator, folder: Path) -> dict[str, Any]:
    rows = [
        {"call_id": call_id, "recording_url": f"{emulator.url}/call-files/default/{call_id}/recording.wav"}
        for call_id in emulator.calls
    ]
    return {"path": f"{folder}/{{call_id}}.wav", "rows": rows, "concurrency": CONCURRENCY}


def task(emulator: Emulator, folder: Path) -> ArchiveRecordingsOperator:
    return ArchiveRecordingsOperator(task_id="a_task", **arguments(emulator, folder))


def archived(folder: Path) -> set[str]:
    """Return the ids of the archived calls, whose files are whole."""
    files = [path for path in folder.iterdir() if not path.name.startswith(".retell-")]
    assert all(path.read_bytes() == AUDIO for path in files)
    return {path.stem for path in files}


def requested(emulator: Emulator) -> list[str]:
    """Return the ids of the calls whose whole recordings were requested."""
    return [
        each.ids["call_id"]
        for each in emulator.requests
        if each.route == "get-call-file" and "range" not in each.headers
    ]


def test_a_killed_run_leaves_whole_files_and_the_next_one_copies_only_the_others(
    emulator: Emulator, tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    points = random.Random(7)
    with Forker("tests.operators.killed_archive") as forker:
        for _ in range(KILLS):
            before = archived(folder)
            emulator.clear_requests()
            process = forker.start(**arguments(emulator, folder))
            wanted = points.randint(1, 6)
            eventually(lambda wanted=wanted: len(requested(emulator)) >= wanted)  # type: ignore[misc]
            os.kill(process, signal.SIGKILL)
            assert os.WIFSIGNALED(forker.status())
            assert before <= archived(folder)
            assert before.isdisjoint(requested(emulator))
            assert len(requested(emulator)) - len(archived(folder) - before) <= CONCURRENCY
    before = archived(folder)
    assert 0 < len(before) < CALLS
    emulator.clear_requests()
    ti = Ti()
    task(emulator, folder).execute({"ti": ti})
    assert (ti.xcom["manifest"]["archived"], ti.xcom["manifest"]["unchanged"]) == (
        CALLS - len(before),
        len(before),
    )
    assert len(archived(folder)) == CALLS
    assert sorted(requested(emulator)) == sorted(set(emulator.calls) - before)


def check_nothing_is_left(folder: Path) -> None:
    archived(folder)
    assert not list(folder.glob(".retell-*"))
    ours = ("retell-loop", "retell-rows", "retell-report")
    eventually(lambda: not [t for t in threading.enumerate() if t.name.startswith(ours)])


def test_on_kill_ends_the_archive_at_once_without_temporary_files(emulator: Emulator, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    times = random.Random(3)
    for _ in range(6):
        operator = task(emulator, folder)
        with (
            calls_on_kill(operator),
            sigterm_after(times.uniform(0.02, 0.12)),
            pytest.raises(BulkStoppedError, match="It copies only the missing files"),
        ):
            operator.execute({"ti": Ti()})
        check_nothing_is_left(folder)


def test_a_timeout_ends_the_archive_at_once_without_temporary_files(
    emulator: Emulator, tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    with raises_timeout() as raise_after, pytest.raises(AirflowTaskTimeout):
        raise_after(0.1)
        task(emulator, folder).execute({"ti": Ti()})
    check_nothing_is_left(folder)
