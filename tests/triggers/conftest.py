"""Triggers as the triggerer has them: from their rows, in one event loop, against an emulator."""

from __future__ import annotations

import asyncio
import importlib
import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.models.trigger import Trigger

from airflow_provider_retell.emulator import Emulator
from airflow_provider_retell.hooks import shared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENCRYPT = getattr(Trigger, "encrypt_kwargs", None) or Trigger._encrypt_kwargs  # 2.11


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """No trigger leaves an open hook behind."""
    yield
    assert shared._shared == {}


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let ``retell_default`` lead to an emulator."""

    def define(emulator: Emulator, password: str | None = None, **extra: Any) -> None:
        connection = {
            "conn_type": "retell",
            "host": emulator.url,
            "password": emulator.api_key if password is None else password,
            "extra": extra,
        }
        monkeypatch.setenv("AIRFLOW_CONN_RETELL_DEFAULT", json.dumps(connection))

    return define


@pytest.fixture
def emulator(connect: Callable[..., None]) -> Iterator[Emulator]:
    """An emulator without quotas that ``retell_default`` leads to, with one call that goes on."""
    with Emulator(quotas=None) as emulator:
        connect(emulator, quota="9999/1")
        emulator.add_call(call_id="call_1", call_status="ongoing")
        yield emulator


def common(**more: Any) -> dict[str, Any]:
    """Return the arguments of a trigger that polls often."""
    return {"retell_conn_id": "retell_default", "poll_interval": 0.02, "deadline": time.time() + 20, **more}


def restored(trigger: Any) -> Any:
    """Return the trigger that another triggerer makes of this one's row."""
    path, arguments = trigger.serialize()
    module, _, name = path.rpartition(".")
    row = Trigger._decrypt_kwargs(ENCRYPT(arguments))
    return getattr(importlib.import_module(module), name)(**row)


async def events(trigger: Any) -> list[Any]:
    """Run the trigger until it is through and return what its events hold."""
    return await collected(restored(trigger))


async def collected(trigger: Any) -> list[Any]:
    """Run this very trigger."""
    return [event.payload async for event in trigger.run()]


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for what happens in the emulator's thread."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not happen"
        await asyncio.sleep(0.005)


@pytest.fixture
def tools() -> Any:
    """The functions above."""
    return SimpleNamespace(common=common, restored=restored, events=events, collected=collected, until=until)
