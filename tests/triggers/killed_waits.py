"""The triggerer that a test kills: it runs waits on a simulated clock, and then kills itself."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

from remote_emulator import RemoteEmulator
from simulated_clock import SimulatedClock

from airflow_provider_retell import clock as clock_module
from airflow_provider_retell.hooks import aiohttp_transport, shared  # noqa: F401 - tasks are forked
from airflow_provider_retell.triggers.call import CallTrigger

# Much longer than a step takes, in real seconds.
_STUCK_SECONDS = 60


def run(url: str, waits: str, events: str, now: float, seconds: float, step: float) -> None:
    """Run waits from *now* on for *seconds*, in steps of the clock. Kill this process while some of them poll.

    :param url: the emulator, whose clock moves too.
    :param waits: a file with the arguments of a trigger in each line.
    :param events: a file to which the call id, the time and the payload of each event are appended.
    """
    clock_module._clock = clock = SimulatedClock(now)
    rows = [json.loads(line) for line in Path(waits).read_text().splitlines()]
    asyncio.run(_main(clock, RemoteEmulator(url), rows, Path(events), now + seconds, step))


async def _main(
    clock: SimulatedClock,
    emulator: RemoteEmulator,
    rows: list[dict[str, Any]],
    events: Path,
    end: float,
    step: float,
) -> None:
    with events.open("a") as file:

        async def wait(row: dict[str, Any]) -> None:
            async for event in CallTrigger(**row).run():
                file.write(json.dumps([row["call_id"], clock.time(), event.payload]) + "\n")
                file.flush()

        waits = [asyncio.ensure_future(wait(row)) for row in rows]

        async def settle() -> None:
            """Wait until all waits sleep or have ended."""
            limit = time.monotonic() + _STUCK_SECONDS
            while clock.asleep < sum(not task.done() for task in waits):
                assert time.monotonic() < limit, "some waits do not continue"
                await asyncio.sleep(0.001)

        await settle()
        while clock.time() < end:
            emulator("clock", {"advance": step})
            clock.advance(step)
            await settle()
            clock.end_waits()
            await settle()
            for task in waits:
                if task.done():
                    task.result()
        # Some polls are on their way.
        clock.advance(step)
        await asyncio.sleep(random.random() * 0.01)
        os.kill(os.getpid(), signal.SIGKILL)
