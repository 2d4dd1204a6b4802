"""Triggers in one event loop, against an emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tasks import connect

from airflow_provider_retell.emulator import Emulator
from airflow_provider_retell.hooks import shared

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def no_open_hooks() -> Iterator[None]:
    """Check that no trigger leaves an open hook behind."""
    yield
    assert shared._shared == {}


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator without quotas, with one ongoing call, and the connection ``retell_default`` to it."""
    with Emulator(quotas=None) as emulator:
        connect(monkeypatch, emulator, quota="9999/1", list_quota="9999/1")
        emulator.add_call(call_id="call_1", call_status="ongoing")
        yield emulator


@pytest.fixture(params=["call", "chat"])
def records(request: pytest.FixtureRequest) -> Any:
    """Calls or chats, and their watcher."""
    from watching import CALLS, CHATS  # which needs Airflow 3

    return CALLS if request.param == "call" else CHATS
