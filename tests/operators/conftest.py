"""Fixtures of the operators' tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tasks
from connected import connect, emulator
from crashes import hasty
from lookups import failing_lookups
from memory_storage import memory, private_memory
from object_store import object_store

from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Emulator

__all__ = [
    "connect",
    "emulator",
    "failing_lookups",
    "hasty",
    "memory",
    "no_sleep",
    "object_store",
    "private_memory",
    "state_store",
    "store",
]


@pytest.fixture(
    params=[False, True] if tasks.HAS_STATE_STORE else [False],
    ids=lambda has_store: "store" if has_store else "no-store",
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> tasks.StateStore | None:
    """The task's state store of Airflow 3.3, and None as before."""
    return tasks.StateStore(tmp_path / "store.json") if request.param else None


@pytest.fixture
def state_store(tmp_path: Path) -> tasks.StateStore:
    """The task's state store of Airflow 3.3."""
    if not tasks.HAS_STATE_STORE:
        pytest.skip("requires Airflow 3.3 or later")
    return tasks.StateStore(tmp_path / "store.json")


@pytest.fixture
def no_sleep(emulator: Emulator) -> Iterator[None]:
    """Waits and back-off advance the emulator's clock instead of sleeping."""
    with no_waiting(emulator.clock.advance):
        yield
