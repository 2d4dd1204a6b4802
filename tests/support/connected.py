"""The connection ``retell_default``, and an emulator behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tasks

from airflow_provider_retell.emulator import Clock, Emulator


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Define the connection ``retell_default``, with extras as keywords."""

    def connect(server: Emulator | str, **extra: Any) -> None:
        tasks.connect(monkeypatch, server, **extra)

    return connect


@pytest.fixture
def emulator(connect: Callable[..., None]) -> Iterator[Emulator]:
    """An emulator whose clock the test advances."""
    with Emulator(clock=Clock(frozen=True)) as emulator:
        connect(emulator)
        yield emulator
