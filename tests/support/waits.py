"""Triggers as a triggerer runs them: restored from their rows, in one event loop."""

from __future__ import annotations

import asyncio
import importlib
import time
from typing import TYPE_CHECKING, Any

from airflow.models.trigger import Trigger

from airflow_provider_retell.clock import clock

if TYPE_CHECKING:
    from collections.abc import Callable

ENCRYPT = getattr(Trigger, "encrypt_kwargs", None) or Trigger._encrypt_kwargs  # 2.11


def common(**arguments: Any) -> dict[str, Any]:
    """Return the arguments that all polling triggers have in common."""
    defaults = {"retell_conn_id": "retell_default", "poll_interval": 0.02, "deadline": clock().time() + 20}
    return {**defaults, **arguments}


def stored(trigger: Any) -> Any:
    """Return *trigger* as another triggerer restores it from its encrypted row."""
    path, arguments = trigger.serialize()
    module, _, name = path.rpartition(".")
    row = Trigger._decrypt_kwargs(ENCRYPT(arguments))
    return getattr(importlib.import_module(module), name)(**row)


async def payloads(trigger: Any) -> list[Any]:
    """Run *trigger* to its end and return the payloads of its events."""
    return [event.payload async for event in trigger.run()]


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until *condition* holds, for example in the emulator's thread."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "the condition does not hold"
        await asyncio.sleep(0.002)
