"""ConcurrencyTrigger."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tasks import connect
from waits import common, payloads, stored, until

from airflow_provider_retell.emulator import Emulator
from airflow_provider_retell.triggers.concurrency import ConcurrencyTrigger


def test_wait_ends_when_enough_calls_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator(quotas=None, concurrency=3) as emulator:
        connect(monkeypatch, emulator, quota="9999/1")
        for number in range(2):
            emulator.add_call(call_id=f"call_{number}", call_status="ongoing")

        async def go() -> list[Any]:
            running = asyncio.ensure_future(payloads(stored(ConcurrencyTrigger(calls=2, **common()))))
            await until(lambda: emulator.count() >= 3)
            assert not running.done()
            emulator.calls["call_0"]["call_status"] = "ended"
            return await asyncio.wait_for(running, 5)

        assert asyncio.run(go()) == [{"status": "done", "available": 2}]
